import random
import re

from hypothesis import given
from hypothesis import strategies as st

from marian_distill.text.noise import untidy

SENTENCE = "The total is 1,234.56 USD, is that right?"


def kinds(text: str, language: str) -> set[str]:
    return {untidy(text, language, random.Random(seed)) for seed in range(200)}


def test_english_is_made_untidy_in_each_way():
    made = kinds(SENTENCE, "en")
    assert SENTENCE.lower() in made and SENTENCE.upper() in made
    assert "The Total Is 1,234.56 USD, Is That Right?" in made
    assert SENTENCE.removesuffix("?") in made
    assert "The total is 1,234.56 USD， is that right？" in made
    assert {"The ttoal is", "The toal is", "The tottal is"} & {text[:12] for text in made}


def test_chinese_loses_its_final_mark_or_takes_ascii_ones():
    assert kinds("好的，谢谢。", "zh") == {"好的，谢谢", "好的,谢谢."}


@given(
    st.text(alphabet="abcdE 0123456789.,:!?，。元$", min_size=1), st.sampled_from(("en", "zh")), st.integers(0, 2**32)
)
def test_digits_and_the_marks_within_numbers_stay(text, language, seed):
    made = untidy(text, language, random.Random(seed))
    assert made
    assert re.findall(r"\d", made) == re.findall(r"\d", text)
    for number in re.findall(r"\d[.,:]\d", text):
        assert number in made
