import pytest

from marian_distill.runtime.segmentation import MASK
from marian_distill.runtime.spans import Masked, Span
from marian_distill.runtime.stand_ins import disguised, restored

NAME, TERM = Span("{name}"), Span("拿铁", "latte", "拿铁")
BOLD = Span("<b>茶</b>", "tea", "茶", others=(Span("<b>茶叶</b>", "tea", "茶叶"),))


def test_a_stand_in_is_none_of_the_texts_own_words():
    source = Masked(f"From Boston to {MASK} for 4731 dollars", (NAME,))
    assert disguised(source, "cities", "en", "zh").text == "From Boston to Paris for 4731 dollars"
    assert disguised(source, "numbers", "en", "zh").text == "From Boston to 8294 for 4731 dollars"
    assert disguised(source, "words", "en", "zh") is None  # no words to show
    assert disguised(Masked("no span"), "cities", "en", "zh") is None


def test_a_stand_in_keeps_its_distance_to_latin_letters_alone():
    assert disguised(Masked(f"Hi{MASK}px", (NAME,)), "cities", "en", "zh").text == "Hi Boston px"
    assert disguised(Masked(f"去{MASK}吧", (NAME,)), "cities", "zh", "en").text == "去波士顿吧"


def test_there_are_as_many_as_there_are_spans_or_none():
    assert disguised(Masked(MASK * 7 + "x", (NAME,) * 7), "cities", "en", "zh") is None
    assert disguised(Masked(MASK * 7 + "x", (NAME,) * 7), "numbers", "en", "zh") is not None


def test_a_clause_is_no_name():
    span = Span("<b>…</b>", "all of this is bold", "这些都是粗体")
    assert disguised(Masked(f"{MASK} and this", (span,)), "cities", "en", "zh") is None
    assert disguised(Masked(f"{MASK} and this", (span,)), "words", "en", "zh").text == "all of this is bold and this"


@pytest.mark.parametrize(
    ("translation", "text"),
    [
        ("波士顿的拿铁", f"{MASK}的{MASK}"),
        ("拿铁，拿铁在波士顿", f"{MASK}，拿铁在{MASK}"),  # a word may be there twice
        ("波士顿，波士顿，拿铁", None),  # a stand-in may not
        ("波士顿", None),
        ("纽约的拿铁", None),
    ],
)
def test_what_was_shown_is_found_once(translation, text):
    disguise = disguised(Masked(f"{MASK}'s {MASK}", (NAME, TERM)), "words", "en", "zh")
    assert disguise.text == "Boston's latte"
    found = restored(translation, disguise)
    assert (found and found.text) == text


def test_a_number_is_no_part_of_another():
    disguise = disguised(Masked(f"x {MASK}", (NAME,)), "numbers", "en", "zh")
    assert restored("共4731。", disguise) == Masked(f"共{MASK}。", (NAME,))
    assert [restored(text, disguise) for text in ("14731", "4731.5", "4,731")] == [None] * 3


def test_english_is_found_in_any_case_and_as_a_word():
    tea = Span("<b>tea</b>", "茶", "tea")
    disguise = disguised(Masked(f"{MASK}很好", (tea,)), "words", "zh", "en")
    assert restored("Tea is good, steam", disguise) == Masked(f"{MASK} is good, steam", (tea,))
    assert restored("The steam is good", disguise) is None


def test_any_translation_of_an_element_will_do():
    disguise = disguised(Masked(f"I want {MASK}", (BOLD,)), "words", "en", "zh")
    assert restored("我要茶叶", disguise).written(str) == "我要<b>茶叶</b>"
    assert restored("我要茶", disguise).written(str) == "我要<b>茶</b>"
