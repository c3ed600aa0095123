"""The rules compiled into the .spm keep Chinese punctuation and do what the Unicode tables say, no more."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.text.normalization import normalization_rules, normalizer

KEPT = "，。？！：；（）［］｛｝＂＇【】《》“”‘’…—～、￥¥℃・①½ﬁ²㎏"


@pytest.fixture(scope="module")
def normalize():
    """What the compiled rules make of a text, SentencePiece's own marks for spaces taken away."""
    compiled = normalizer()
    return lambda text: compiled.normalize(text).removeprefix("▁").replace("▁", " ")


@pytest.mark.parametrize("character", KEPT)
def test_punctuation_and_compatibility_characters_stay(normalize, character):
    assert normalize(f"好{character}a") == f"好{character}a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＡＢｃ１２３．５", "ABc123.5"),
        ("涨了４０．９％，共＄５＋¥６（见＃３）！", "涨了40.9%，共$5+¥6（见#3）！"),
        ("ａ＠ｂ．ｃｏｍ：２０２６／４／２０，－５", "a@b.com：2026/4/20，-5"),
        ("a\u3000b\u00a0c\u2009d\u2028e\tf", "a b c d e f"),
        ("a\u200bb\u200dc\ufeffd\u00ade\x07f\u202eg", "abcdefg"),
        ("cafe\u0301 e\u0302\u0301 \u00ea\u0301 が か\u3099", "café ế ế が が"),
        ("\uf900", "豈"),
    ],
)
def test_width_spaces_invisible_characters_and_composition(normalize, text, expected):
    assert normalize(text) == expected


FULL_WIDTH = {ord(source): target for source, target in normalization_rules().items() if "\uff00" < source < "\uff5f"}
CHARACTERS = st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x2FFFF, exclude_characters="▁")


@given(st.text(CHARACTERS, max_size=20))
def test_composed_text_changes_in_width_alone(normalize, text):
    composed = unicodedata.normalize("NFC", text)
    assert normalize(composed) == composed.translate(FULL_WIDTH)


def test_no_rule_is_idle():
    assert all(source != target for source, target in normalization_rules().items())
