"""Each class of amount: its forms in both languages, natural on both sides, and checked by value."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marian_distill.augment import AMOUNT_CLASSES, DOMAINS, amounts, examples, patterns_of, quantities
from marian_distill.augment.grammar import SPLITS, one_of, sample
from marian_distill.text.numbers import numbers_kept


def drawn(slot, count=400):
    """English → Chinese of many values of a slot."""
    rng = random.Random(5)
    return dict(slot.draw(rng, rng.random()).forms[""] for _ in range(count))


@pytest.mark.parametrize(
    ("mantissa", "scale", "currency", "counted", "english", "chinese"),
    [
        ("1.5", "million", "$", ("", ""), "$1.5 million", "150万美元"),
        ("2.35", "million", "CNY", ("", ""), "2.35 million yuan", "235万元"),
        ("120", "million", "EUR", ("", ""), "120 million euros", "1.2亿欧元"),
        ("3.4", "billion", "", ("", ""), "3.4 billion", "34亿"),
        ("2", "trillion", "$", ("", ""), "$2 trillion", "2万亿美元"),
        ("5", "thousand", "", ("people", "人"), "5 thousand people", "5000人"),
        ("37", "thousand", "", ("users", "名用户"), "37 thousand users", "3.7万名用户"),
    ],
)
def test_large_numbers_are_converted(mantissa, scale, currency, counted, english, chinese):
    value = quantities.large_value(mantissa, scale, currency, counted)
    assert value.forms[""] == (english, chinese)


def test_every_class_has_held_out_and_trained_patterns():
    for name in AMOUNT_CLASSES:
        patterns = patterns_of(name)
        assert sum(pattern.held_out for pattern in patterns) >= 3, name
        assert sum(not pattern.held_out for pattern in patterns) >= 10, name
        assert len(examples(name, "unseen_patterns", 150, seed=3)) == 150
    of_classes = [pattern for name in AMOUNT_CLASSES for pattern in patterns_of(name)]
    assert [*of_classes, *amounts.DRILLS] == amounts.PATTERNS
    assert not any(pattern.held_out for pattern in amounts.DRILLS)


def test_no_slot_is_idle():
    used = {slot.rstrip("0123456789") for pattern in amounts.PATTERNS for slot in pattern.slots}
    assert used == set(amounts.SLOTS)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(DOMAINS), st.sampled_from(SPLITS))
def test_the_comparison_of_numbers_finds_every_pair_right(seed, domain, split):
    for example in examples(domain, split, 200, seed):
        assert numbers_kept(example.en, example.zh), example
        assert numbers_kept(example.zh, example.en), example


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        (quantities.COLD, lambda en, zh: ("minus" in en) == ("零下" in zh)),
        (quantities.SHARE, lambda en, zh: "/" in en or zh == "一半" or "分之" in zh),
        (quantities.RANGE, lambda en, zh: ("-" in en and en == zh) or "到" in zh),
        (quantities.WORD_DATE, lambda en, zh: "月" in zh and zh.endswith("日")),
        (quantities.ANY_PERCENT, lambda en, zh: zh == en.replace(" percent", "%")),
        (quantities.CODE, lambda en, zh: en == zh and any(character.isdecimal() for character in en)),
        (quantities.FIGURES, lambda en, zh: en == zh and en[0].isdecimal() and en[-1].isdecimal()),
        (quantities.PHONE, lambda en, zh: en == zh and sum(character.isdecimal() for character in en) >= 7),
    ],
)
def test_values_are_written_as_each_language_writes_them(slot, expected):
    assert all(expected(english, chinese) for english, chinese in drawn(slot).items())


def test_figures_that_repeat_are_common():
    repeated = [en for en in drawn(quantities.FIGURES) if re.search(r"(\d)\1", en)]
    assert len(repeated) > 200


def test_the_amounts_of_a_sentence_are_of_one_kind():
    slot = one_of(quantities.DECIMAL, quantities.WORD_DATE)
    rng = random.Random(3)
    themes = (0.0, 0.3, 0.49, 0.5, 0.8, 0.99)
    kinds = {tuple("date" in slot.draw(rng, theme).key for _ in range(5)) for theme in themes}
    assert kinds == {(False,) * 5, (True,) * 5}


def test_each_class_is_said_in_sentences_that_fit_every_class():
    said = [example.zh for example in sample(amounts.DRILLS, "train", 4000, seed=6)]
    for kind in ("月", "万", "%", "°C", "/", "-", "公斤", "分之"):
        assert sum(kind in chinese for chinese in said) > 15, kind


def test_ordinals():
    assert [quantities.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 31)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "31st")
    ]


def test_decimals_of_one_place_are_common():
    one_place = [en for en in drawn(quantities.ANY_PERCENT) if en.split("%")[0].split(" ")[0][-2:-1] == "."]
    assert len(one_place) > 100
