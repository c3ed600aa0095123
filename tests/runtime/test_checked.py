import pytest

from marian_distill.runtime.checked import RETRY_BEAM_SIZE, CheckedTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.text.numbers import numbers_kept


@pytest.fixture(scope="module")
def translator(toy_ct2_dir):
    return CTranslate2Translator(toy_ct2_dir)


class Careless(CTranslate2Translator):
    """Its first word is its fourth best one."""

    def translate(self, texts, first_line=1, *, direction=None):
        found = (self.decode_n_best([pieces], RETRY_BEAM_SIZE)[0] for pieces in self.pieces.source_pieces(texts))
        return [self.pieces.decode(hypotheses[3][0]) for hypotheses in found]


def test_what_is_lost_is_found_in_a_wider_beam(toy_ct2_dir, caplog):
    texts = ["The juice is $1,234.56.", "The tea is $19.99."]
    careless = Careless(toy_ct2_dir)
    assert not all(map(numbers_kept, texts, careless.translate(texts)))
    checked = CheckedTranslator(careless, numbers_kept)
    assert checked.translate(texts) == ["果汁是$1,234.56。", "茶是$19.99。"]
    assert all(one.kept for one in checked.check(texts))
    assert not caplog.records


def test_sentences_are_tried_again_one_by_one(translator):
    def keeps_water(source, hypothesis):
        return "water" not in source or "water" in hypothesis

    text = "We like tea. I want water."
    checked = CheckedTranslator(translator, keeps_water)
    assert checked.check([text]) == [(translator.translate([text])[0], False)]


def test_what_cannot_be_mended_is_told_by_its_line(translator, caplog):
    checked = CheckedTranslator(translator, lambda source, hypothesis: "tea" not in source)
    assert checked.translate(["I want water.", "We like tea."], first_line=7) == ["我想要水。", "我们喜欢茶。"]
    assert [record.getMessage() for record in caplog.records] == [
        "line 8: the numbers of the translation differ from the source's"
    ]
