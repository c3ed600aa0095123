"""The joint tokenizer's folder, and what `tokenize_parallel` makes of rows."""

import hashlib
import json
import logging
import re
from itertools import product
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.errors import UserError
from marian_distill.languages import TAGS
from marian_distill.pieces import EOS, PAD, UNK, SentencePieceTokenizer
from marian_distill.text.tokenization import (
    EXAMPLES_VERSION,
    parallel_sentences,
    toggle_final_stop,
    tokenize_parallel,
    train_joint_tokenizer,
)

# The folder


def test_folder_holds_what_marian_and_the_phone_need(tokenizer_folder):
    names = {"spm.model", "source.spm", "target.spm", "vocab.json", "tokenizer_config.json", "corpus.joint.txt"}
    assert names <= {path.name for path in tokenizer_folder.iterdir()}
    model = (tokenizer_folder / "spm.model").read_bytes()
    assert model == (tokenizer_folder / "source.spm").read_bytes() == (tokenizer_folder / "target.spm").read_bytes()
    vocabulary = json.loads((tokenizer_folder / "vocab.json").read_text(encoding="utf-8"))
    assert len(vocabulary) == 381
    assert sorted(vocabulary.values()) == list(range(381))
    assert (vocabulary[EOS], vocabulary[UNK], vocabulary[PAD]) == (0, 1, 380)
    assert set(TAGS.values()) <= set(vocabulary)
    assert {f"<0x{byte:02X}>" for byte in range(256)} <= set(vocabulary)


def test_marian_tokenizer_gives_the_same_ids_and_text(tokenizer_folder, pieces, pairs):
    from transformers import AutoTokenizer

    marian = AutoTokenizer.from_pretrained(str(tokenizer_folder))
    assert (marian.eos_token_id, marian.pad_token_id) == (0, 380)
    for english, chinese in [*pairs, ("Two  spaces ", "！？，ＡＢ　１２"), ("日本語 and Zürich", "魑魅")]:
        assert marian(english)["input_ids"] == pieces.ids(pieces.source_pieces([english])[0])
        tagged = pieces.ids(pieces.source_pieces([english], TAGS["zh"])[0])
        assert marian(f"{TAGS['zh']} {english}")["input_ids"] == tagged
        target = pieces.target_pieces([chinese])[0]
        assert marian(text_target=chinese)["input_ids"] == pieces.ids(target)
        assert marian.decode(pieces.ids(target), skip_special_tokens=True) == pieces.decode(target)


def test_same_sentences_give_the_same_bytes(tmp_path, pairs):
    sentences = [text for pair in pairs for text in pair]
    for name in "ab":
        train_joint_tokenizer(iter(sentences), tmp_path / name, vocab_size=370)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_separate_characters_are_in_no_longer_piece(tmp_path):
    places, deeds = ("商店", "银行", "车站", "酒店"), ("开业", "关门", "搬家", "卖掉", "修好", "停电")
    years = range(1990, 2000)
    sentences = [f"{place}是{year}年{deed}的，花了{year}万元。" for place, deed, year in product(places, deeds, years)]
    longer = {}
    for name, separate in (("merged", ""), ("apart", "年万")):
        train_joint_tokenizer(sentences, tmp_path / name, vocab_size=330, model_type="bpe", separate=separate)
        pieces = SentencePieceTokenizer(tmp_path / name)
        longer[name] = [piece for piece in pieces.vocabulary if len(piece) > 1 and set(piece) & set("年万")]
        assert "".join(pieces.target_pieces(sentences[:1])[0][:-1]) == "▁" + sentences[0]
    assert longer == {"merged": ["万元"], "apart": []}


@pytest.mark.parametrize(
    ("vocab_size", "message"),
    [(20_000, r"--vocab-size 20000: too many .* largest possible is (\d+)"), (290, r"too few .* possible is (\d+)")],
)
@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_vocabulary_size_that_does_not_fit_names_one_that_does(tmp_path, pairs, vocab_size, message, model_type):
    sentences = [text for pair in pairs for text in pair]
    with pytest.raises(UserError, match=message) as caught:
        train_joint_tokenizer(sentences, tmp_path / "a", vocab_size=vocab_size, model_type=model_type)
    assert not list(tmp_path.iterdir()), "nothing half-written"
    found = re.search(message, str(caught.value))
    assert found
    possible = int(found[1])
    train_joint_tokenizer(sentences, tmp_path / "a", vocab_size=possible, model_type=model_type)
    assert len(SentencePieceTokenizer(tmp_path / "a").vocabulary) == possible + 1


def test_no_sentences(tmp_path):
    with pytest.raises(UserError, match="no sentences"):
        train_joint_tokenizer(["", " \n"], tmp_path / "a")


# Round trips

NUMBERS = st.integers(1, 10**9).map(lambda cents: f"{cents / 100:,.2f}")
AMOUNTS = st.tuples(st.sampled_from("$£€¥￥"), NUMBERS, st.sampled_from(["", " USD", "美元", "%", "。"])).map("".join)
DATES = st.tuples(
    st.sampled_from(["{0}", "{0.year}年{0.month}月{0.day}日", "{0.day}/{0.month}/{0.year}"]), st.dates()
).map(lambda form_and_day: form_and_day[0].format(form_and_day[1]))
PUNCTUATED = st.text("，。？！：；（）、“”‘’《》…—￥好的abAB19%", min_size=1, max_size=30)


@given(st.one_of(AMOUNTS, DATES, PUNCTUATED))
def test_amounts_dates_and_chinese_punctuation_come_back_to_the_character(pieces, text):
    encoded = pieces.target_pieces([text])[0]
    assert pieces.decode(encoded) == text
    assert pieces.vocabulary[UNK] not in pieces.ids(encoded)


@given(st.text(st.characters(categories=["L", "N"], max_codepoint=0x9FFF), max_size=20))
def test_digits_stand_alone_and_nothing_is_unknown(pieces, text):
    encoded = pieces.source_pieces([text])[0]
    assert pieces.vocabulary[UNK] not in pieces.ids(encoded)
    with_digits = [piece for piece in encoded if re.search("[0-9]", piece) and not piece.startswith("<0x")]
    assert all(len(piece.removeprefix("▁")) == 1 for piece in with_digits)


# Rows → ids


def test_columns_ids_and_lengths(make_parallel, pieces, pairs):
    tokenized = tokenize_parallel(make_parallel(pairs), pieces, "en-zh", tagged=False)
    lengths, texts = {"source_length", "target_length"}, {"source_text", "target_text", "direction"}
    assert set(tokenized.column_names) == {"input_ids", "labels"} | lengths | texts
    assert str(tokenized.features["input_ids"].feature.dtype) == "int32"
    for row, (english, chinese) in zip(tokenized, pairs, strict=True):
        assert row["input_ids"] == pieces.ids(pieces.source_pieces([english])[0])
        assert row["labels"] == pieces.ids(pieces.target_pieces([chinese])[0])
        assert (row["source_length"], row["target_length"]) == (len(row["input_ids"]), len(row["labels"]))
        assert row["input_ids"][-1] == row["labels"][-1] == pieces.eos_id
        assert (row["source_text"], row["target_text"], row["direction"]) == (english, chinese, "en-zh")


def test_both_directions_are_two_examples_a_pair(make_parallel, pieces):
    tokenized = tokenize_parallel(make_parallel([("Key", "钥匙")]), pieces, "both")
    english, chinese = pieces.ids(pieces.source_pieces(["Key"])[0]), pieces.ids(pieces.source_pieces(["钥匙"])[0])
    tags = pieces.ids([TAGS["zh"], TAGS["en"]])
    assert [(row["input_ids"], row["labels"]) for row in tokenized] == [
        ([tags[0], *english], chinese),
        ([tags[1], *chinese], english),
    ]


def test_several_processes_give_the_same(make_parallel, pieces, pairs):
    rows = make_parallel(pairs)
    alone = tokenize_parallel(rows, pieces, "both").to_dict()
    assert tokenize_parallel(rows, pieces, "both", num_proc=2).to_dict() == alone


@pytest.mark.parametrize(
    ("pair", "toggled"),
    [
        (("It is late.", "很晚了。"), ("It is late", "很晚了")),
        (("It is late", "很晚了"), ("It is late.", "很晚了。")),
        (("It is 19.99 ", "是19.99"), ("It is 19.99.", "是19.99。")),
        (("It is late?", "很晚了？"), ("It is late?", "很晚了？")),
        (("It is late...", "很晚了。"), ("It is late...", "很晚了。")),
        (("It is late.", "很晚了"), ("It is late.", "很晚了")),
        (("Main menu", "主菜单"), ("Main menu", "主菜单")),
    ],
)
def test_full_stop_goes_from_both_sides_or_comes_to_both(pair, toggled):
    assert toggle_final_stop(*pair) == toggled


def test_over_long_examples_are_dropped_and_counted(make_parallel, pieces, caplog):
    rows = make_parallel([("Key", "钥匙"), ("key " * 100, "钥匙"), ("Map", "地图" * 100)])
    with caplog.at_level(logging.WARNING):
        tokenized = tokenize_parallel(rows, pieces, "en-zh", max_source_length=20, max_target_length=20)
    assert len(tokenized) == 1
    assert "dropped 2 of 3 examples (66.67 %)" in caplog.text
    with pytest.raises(UserError, match="none of 3 examples"):
        tokenize_parallel(rows, pieces, "en-zh", max_source_length=1)


def test_tokenised_once_then_read_from_the_cache(tmp_path, pieces, pairs, datasets_cache):
    from marian_distill.text.corpus import CorpusSource, load_parallel, mix

    (tmp_path / "a.tsv").write_text("".join(f"{english}\t{chinese}\n" for english, chinese in pairs), encoding="utf-8")

    def run(tagged: bool):
        rows = mix([(load_parallel(CorpusSource(str(tmp_path / "a.tsv"))), 0.5)], seed=1)
        return tokenize_parallel(rows, pieces, "en-zh", tagged=tagged)

    first = run(tagged=True)
    files = {file: file.stat().st_mtime_ns for file in datasets_cache.rglob("cache-*.arrow")}
    assert run(tagged=True)._fingerprint == first._fingerprint
    assert {file: file.stat().st_mtime_ns for file in datasets_cache.rglob("cache-*.arrow")} == files
    assert run(tagged=False)._fingerprint != first._fingerprint


def test_the_version_changes_with_what_rows_become(pieces, pairs, make_parallel):
    """The cache knows examples by their version: when this fails, they have changed, and EXAMPLES_VERSION must."""
    rows = tokenize_parallel(make_parallel(pairs), pieces, "both").to_list()
    texts = [
        pieces.decode([pieces.pieces[one] for one in row[side]]) for row in rows for side in ("input_ids", "labels")
    ]
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    assert (EXAMPLES_VERSION, digest) == (2, "9ee81920abae3fd2")


# A hub Marian model: two .spm files, a vocabulary of both


@pytest.fixture
def separate_folder(tmp_path: Path, pairs) -> Path:
    folder = tmp_path / "opus"
    folder.mkdir()
    pieces = [EOS, UNK]
    for name, sentences in zip(("source", "target"), zip(*pairs, strict=True), strict=True):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences), model_prefix=str(folder / name), vocab_size=150,
            hard_vocab_limit=False, minloglevel=2,
        )  # fmt: skip
        model = (folder / f"{name}.model").rename(folder / f"{name}.spm")
        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        pieces += [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    pieces = list(dict.fromkeys([*pieces, TAGS["zh"]]))
    pieces.remove("<s>")
    vocabulary = {piece: index for index, piece in enumerate([*pieces, PAD])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    return folder


def test_separate_models_of_a_hub_marian_work_the_same_way(separate_folder, make_parallel, pairs):
    from transformers import MarianTokenizer

    pieces, marian = SentencePieceTokenizer(separate_folder), MarianTokenizer.from_pretrained(str(separate_folder))
    tokenized = tokenize_parallel(make_parallel(pairs), pieces, "en-zh")
    for row, (english, chinese) in zip(tokenized, pairs, strict=True):
        assert row["input_ids"] == marian(f"{TAGS['zh']} {english}")["input_ids"]
        assert row["labels"] == marian(text_target=chinese)["input_ids"]


def test_tag_that_the_tokenizer_lacks(separate_folder, make_parallel, pairs):
    with pytest.raises(UserError, match=r"no >>eng<<; use --tag-share 0"):
        tokenize_parallel(make_parallel(pairs), SentencePieceTokenizer(separate_folder), "both")


def test_parallel_sentences_in_turn(make_parallel, pairs):
    assert list(parallel_sentences(make_parallel(pairs[:2]))) == [*pairs[0], *pairs[1]]
