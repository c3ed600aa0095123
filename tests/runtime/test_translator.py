import pytest

from marian_distill.errors import UserError
from marian_distill.pieces import EOS
from marian_distill.runtime.translator import (
    checked_direction,
    segment_bound,
    source_tags,
    tags_of,
    translate_corpus,
    translate_texts,
)


def test_tags_follow_the_phone_contract_unless_one_model_does_both_directions():
    assert source_tags(["en-zh"]) == {"en-zh": ">>cmn_Hans<<"}
    assert source_tags(["zh-en"]) == {"zh-en": None}
    assert source_tags(["en-zh", "zh-en"]) == {"en-zh": ">>cmn_Hans<<", "zh-en": ">>eng<<"}


def test_a_folder_that_declares_nothing_follows_the_phone_contract():
    assert tags_of({}) == {"en-zh": ">>cmn_Hans<<", "zh-en": None}
    assert [checked_direction(tags_of({}), wish) for wish in (None, "zh-en")] == ["en-zh", "zh-en"]


def test_a_folder_that_declares_its_directions_is_held_to_them():
    both = {"directions": ["en-zh", "zh-en"]}
    assert tags_of(both) == {"en-zh": ">>cmn_Hans<<", "zh-en": ">>eng<<"}
    assert tags_of({"directions": ["zh-en"]}) == {"zh-en": None}
    assert tags_of({"directions": ["en-zh"], "source_tags": {"en-zh": None}}) == {"en-zh": None}
    assert checked_direction(["zh-en"], None) == "zh-en"
    with pytest.raises(UserError, match="'zh-en': this model translates en-zh"):
        checked_direction(["en-zh"], "zh-en")
    with pytest.raises(UserError, match="'en-de': this model translates en-zh or zh-en"):
        checked_direction(tags_of({}), "en-de")


def test_decoding_beyond_the_position_table_is_refused():
    assert segment_bound({}, 96) == 64
    assert segment_bound({"max_position_embeddings": 512}, 512) == 128
    with pytest.raises(UserError, match="513: this model takes 12 to 512"):
        segment_bound({}, 513)


class Letters:
    """Every character is a piece."""

    def source_pieces(self, texts, tag):
        return [[*text, EOS] for text in texts]

    def decode_all(self, rows):
        return ["".join(piece for piece in row if piece != EOS) for row in rows]


class Shouter:
    """Translates into capitals, and comes to no end where the source does not."""

    source_tags, direction, pieces, max_segment_length = {"zh-en": None}, "zh-en", Letters(), 9

    def decode_pieces(self, sources):
        return [[piece.upper() if piece != EOS else piece for piece in self.ended(source)] for source in sources]

    def ended(self, source):
        return source[:-1] if "".join(source).endswith(f"endless{EOS}") else source


def test_line_breaks_and_blank_lines_are_kept():
    [translation] = translate_texts(Shouter(), ["one\n\n  two. Three\n"])
    assert translation == "ONE\n\nTWO. THREE\n"


def test_a_cut_translation_is_told_by_line_number(caplog):
    translate_texts(Shouter(), ["fine", "endless"], first_line=10)
    assert [record.getMessage() for record in caplog.records] == [
        "line 11: the translation met the maximum decoding length and was cut there"
    ]


def test_a_corpus_is_read_as_it_is_translated_and_lines_are_numbered_throughout():
    read, calls = [], []

    def sentences():
        for number in range(7):
            read.append(number)
            yield str(number)

    class Echo:
        direction = "en-zh"
        compute_type = "none"

        def translate(self, texts, first_line=1):
            calls.append(first_line)
            return list(texts)

    stream = translate_corpus(Echo(), sentences(), chunk_size=3)
    assert next(stream) == "0"
    assert read == [0, 1, 2]
    assert list(stream) == ["1", "2", "3", "4", "5", "6"]
    assert calls == [1, 4, 7]
