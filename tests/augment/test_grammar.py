"""The grammar itself: forms, filling, the held-out split, and the check of what must survive."""

import random

import pytest

from marian_distill.augment.grammar import (
    Slot,
    closed,
    draw_values,
    fill,
    held_out,
    is_held_out,
    nouns,
    one,
    read_patterns,
    sample,
    words,
)
from marian_distill.errors import UserError

DRINKS = nouns("杯", "latte = 拿铁, espresso = 浓缩咖啡, glass of water / glasses of water = 水")
NUMBERS = Slot(lambda rng, theme: one(text := str(rng.randrange(1000)), text, keep=[text]), open=True)
SLOTS = {"drink": closed(DRINKS), "number": NUMBERS, "size": closed(words("small = 小杯, large = 大杯"))}


def patterns(table):
    return read_patterns("toy", SLOTS, table)


def test_noun_forms_follow_both_languages():
    latte, espresso, water = DRINKS
    assert latte.forms["a"] == ("a latte", "一杯拿铁")
    assert espresso.forms["a"] == ("an espresso", "一杯浓缩咖啡")
    assert espresso.forms["many"] == ("espressos", "浓缩咖啡")
    assert water.forms["many"] == ("glasses of water", "水")
    assert latte.forms["this"] == ("this latte", "这杯拿铁")


def test_plurals():
    table = nouns("个", "box = 盒子, watch = 手表, family = 家庭, key = 钥匙, sheep / sheep = 羊")
    assert [noun.forms["many"][0] for noun in table] == ["boxes", "watches", "families", "keys", "sheep"]


def test_fill_as_written_and_as_typed():
    (pattern,) = patterns("I'd like {drink.a} to go. It is {number}. | 我想要{drink.a}，带走。这是{number}。")
    values = {"drink": DRINKS[0], "number": one("8", "8", keep=["8"])}
    written = fill(pattern, values)
    assert written.en == "I'd like a latte to go. It is 8."
    assert written.zh == "我想要一杯拿铁，带走。这是8。"
    typed = fill(pattern, values, full_stop=False, lower=True)
    assert typed.en == "i'd like a latte to go. it is 8"
    assert typed.zh == "我想要一杯拿铁，带走。这是8"
    assert written.keep_in_en == written.keep_in_zh == ("8",)


def test_sentences_begin_with_a_capital_and_codes_stay_in_lower_case_variants():
    (pattern,) = patterns("{drink.a}, please. | 请给我{drink.a}。")
    code = one("CA12", "CA12")
    assert fill(pattern, {"drink": DRINKS[0]}).en == "A latte, please."
    (pattern,) = patterns("Flight {number}. | {number}航班。")
    assert fill(pattern, {"number": code}, lower=True).en == "flight CA12."


def test_two_slots_of_one_kind_never_hold_the_same_value():
    (pattern,) = patterns("{size1} or {size2}? | {size1}还是{size2}？")
    for seed in range(50):
        values = draw_values(pattern, random.Random(seed), unseen=False)
        assert values["size1"] != values["size2"]


def test_open_values_are_held_out_by_value_and_closed_ones_by_combination():
    open_pattern, closed_pattern, fixed = patterns(
        "Number {number1}, {number2}. | {number1}号，{number2}号。\n{size} {drink}. | {size}{drink}。\nHello. | 你好。"
    )
    for seed in range(50):
        unseen = draw_values(open_pattern, random.Random(seed), unseen=True)
        assert all(held_out(value.key) for value in unseen.values())
        seen = draw_values(open_pattern, random.Random(seed), unseen=False)
        assert not any(held_out(value.key) for value in seen.values())
    verdicts = {
        is_held_out(closed_pattern, {"size": size, "drink": drink})
        for drink in nouns("杯", ", ".join(f"drink{n} = 饮料{n}" for n in range(30)))
        for size in words("small = 小杯, large = 大杯")
    }
    assert verdicts == {True, False}
    assert not is_held_out(fixed, {})


def test_asking_for_more_than_there_is_says_how_many_there_are():
    few = patterns("Hello. | 你好。\nGoodbye. | 再见。")
    with pytest.raises(UserError, match="100 distinct examples asked, but the grammar gave only 8"):
        sample(few, "train", 100, seed=1)
    with pytest.raises(UserError, match="expected one of train, unseen_values, unseen_patterns"):
        sample(few, "test", 1, seed=1)


def test_a_longer_run_begins_like_a_shorter_one():
    toy = patterns("Number {number}. | {number}号。\n{size} {drink}. | {size}{drink}。")
    assert sample(toy, "train", 20, seed=3) == sample(toy, "train", 40, seed=3)[:20]
    assert sample(toy, "train", 20, seed=3) != sample(toy, "train", 20, seed=4)
