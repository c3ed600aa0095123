"""Every domain's patterns: how many, well formed, natural punctuation, amounts intact, the splits apart."""

import datetime
import random
import re

import pytest
from babel.dates import get_day_names, get_month_names
from babel.numbers import get_currency_name
from hypothesis import given, settings
from hypothesis import strategies as st

from marian_distill.augment import DOMAINS, examples, facts, money, patterns_of, travel
from marian_distill.augment.coffee import CAFFE, MODIFIED
from marian_distill.augment.everyday import ANIMALS
from marian_distill.augment.grammar import SPLITS, amounts_kept, fill, held_out, one
from marian_distill.errors import UserError
from marian_distill.languages import is_han

ALL_PATTERNS = [pattern for domain in DOMAINS for pattern in patterns_of(domain)]
SLOT = re.compile(r"\{.*?\}")
ASCII_PUNCTUATION_IN_CHINESE = re.compile(r"(?<=[一-鿿])[,?!:;.]|[,?!:;](?=[一-鿿])")


def pattern_named(domain, en):
    (found,) = [pattern for pattern in patterns_of(domain) if pattern.en == en]
    return found


def ending(text):
    return text[-1] if text[-1] in ".?!。？！" else ""


def test_at_least_150_patterns_and_a_tenth_of_each_domain_held_out():
    assert len(ALL_PATTERNS) >= 150
    assert all(len(patterns_of(domain)) >= least for domain, least in (("money", 60), ("coffee", 60), ("travel", 80)))
    for domain in DOMAINS:
        # A sentence after "I think" is no other sentence.
        own = [pattern for pattern in patterns_of(domain) if not pattern.en.startswith("{lead}")]
        share = sum(pattern.held_out for pattern in own) / len(own)
        assert 0.10 <= share <= (0.25 if domain == "amounts" else 0.15), domain


def test_no_two_patterns_have_the_same_english():
    names = [pattern.en.lower().rstrip(".") for pattern in ALL_PATTERNS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("pattern", ALL_PATTERNS, ids=lambda pattern: pattern.en)
def test_each_pattern_has_the_same_slots_on_both_sides_and_matching_ends(pattern):
    names = [
        {re.sub(r"\..*", "", slot.strip("{}")) for slot in SLOT.findall(side)} for side in (pattern.en, pattern.zh)
    ]
    assert names[0] == names[1] == set(pattern.slots)
    assert {".": "。", "?": "？", "!": "！"}[pattern.en[-1]] == pattern.zh[-1]


@pytest.mark.parametrize("domain", DOMAINS)
def test_words_of_held_out_patterns_are_trained_in_other_patterns(domain):
    trained = [pattern for pattern in patterns_of(domain) if not pattern.held_out]
    english = {word for pattern in trained for word in SLOT.sub("", pattern.en).lower().split()}
    chinese = {character for pattern in trained for character in SLOT.sub("", pattern.zh)}
    slots = {name.rstrip("0123456789") for pattern in trained for name in pattern.slots}
    for pattern in patterns_of(domain):
        words = {word.strip(".,?!:") for word in SLOT.sub("", pattern.en).lower().split()}
        assert words <= {word.strip(".,?!:") for word in english}, pattern.en
        assert set(SLOT.sub("", pattern.zh)) <= chinese, pattern.zh
        assert {name.rstrip("0123456789") for name in pattern.slots} <= slots


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(DOMAINS), st.sampled_from(SPLITS))
def test_every_pair_is_clean_and_holds_what_must_survive(seed, domain, split):
    for example in examples(domain, split, 200, seed):
        assert not set("{}|") & set(example.en + example.zh)
        assert amounts_kept(example, example.zh, "zh"), example
        assert amounts_kept(example, example.en, "en"), example
        assert not ASCII_PUNCTUATION_IN_CHINESE.search(example.zh), example.zh
        assert any(map(is_han, example.zh))
        assert not any(map(is_han, example.en))
        assert " " not in re.sub(r"[\d)] \d", "", example.zh)
        assert {".": "。", "?": "？", "!": "！", "": ""}[ending(example.en)] == ending(example.zh)
        assert "  " not in example.en
        assert example.en == example.en.strip()


@pytest.mark.parametrize("domain", DOMAINS)
def test_splits_share_no_sentence_and_training_no_held_out_value(domain):
    split = {name: examples(domain, name, 3000, seed=5) for name in SPLITS}
    english = {name: {example.en.lower().rstrip(".") for example in split[name]} for name in SPLITS}
    assert not english["train"] & english["unseen_values"]
    assert not english["train"] & english["unseen_patterns"]
    assert not {e.pattern for e in split["train"]} & {e.pattern for e in split["unseen_patterns"]}
    assert {e.pattern for e in split["unseen_values"]} <= {e.pattern for e in split["train"]}
    kept = {name: [e for e in split[name] if e.keep_in_zh] for name in SPLITS}
    by_pattern = {pattern.en: pattern for pattern in patterns_of(domain)}
    for name in SPLITS:
        for example in kept[name]:
            slots = by_pattern[example.pattern].slots.values()
            open_keys = [key for key, slot in zip(example.values, slots, strict=True) if slot.open]
            assert all(held_out(key) == (name == "unseen_values") for key in open_keys)


def test_one_english_sentence_has_one_chinese_counterpart_in_all_domains():
    chinese = {}
    for domain in DOMAINS:
        for split in SPLITS:
            for example in examples(domain, split, 4000, seed=11):
                assert chinese.setdefault(example.en, example.zh) == example.zh, example.en


def test_a_seed_names_its_examples():
    assert examples("travel", "train", 300, seed=42) == examples("travel", "train", 300, seed=42)
    assert examples("travel", "train", 300, seed=42) != examples("travel", "train", 300, seed=43)
    with pytest.raises(UserError, match="domain 'tea': expected one of money, coffee, travel"):
        examples("tea", "train", 1, seed=1)


def test_the_sentences_that_users_try_first():
    usd = money.amount("19.99", "code after", "USD")
    dollars = [money.amount(number, "sign before", "$") for number in ("1,234.56", "1.60", "19.99")]
    bill = "Subtotal: {amount1}. Tax: {amount2}. Total: {amount3}."
    dog = next(animal for animal in ANIMALS if animal.key == "dog")
    tom, beijing = one("Tom", "汤姆"), next(city for city in travel.CITIES if city.key == "Beijing")
    day = facts.date_value(datetime.date(2026, 4, 20), "iso")
    cases = [
        ("coffee", "Give me {drink.cup}.", {"drink": MODIFIED[0]}, "give me a cup of latte", "给我一杯拿铁"),
        ("coffee", "Give me {drink.cup}.", {"drink": CAFFE[0]}, "give me a cup of caffe", "给我一杯咖啡"),
        ("money", "The total is {amount}.", {"amount": usd}, "The total is 19.99 USD.", "总额为19.99美元。"),
        (
            "money",
            bill,
            {f"amount{n}": value for n, value in enumerate(dollars, 1)},
            "Subtotal: $1,234.56. Tax: $1.60. Total: $19.99.",
            "小计：$1,234.56。税费：$1.60。总计：$19.99。",
        ),
        ("travel", "This is {animal.a}.", {"animal": dog}, "This is a dog", "这是一条狗"),
        (
            "travel",
            "{traveller} is going to {city} on {date}.",
            {"traveller": tom, "city": beijing, "date": day},
            "Tom is going to Beijing on 2026-04-20.",
            "汤姆会在2026-04-20去北京。",
        ),
    ]
    for domain, name, values, english, chinese in cases:
        pattern = pattern_named(domain, name)
        assert not pattern.held_out
        example = fill(pattern, values, full_stop=english.endswith("."), lower=english[0].islower())
        assert (example.en, example.zh) == (english, chinese)


def test_amounts_in_every_place():
    assert money.amount("1,234.56", "sign before", "¥").forms[""] == ("¥1,234.56", "¥1,234.56")
    assert money.amount("35", "sign after", "€").forms[""] == ("35€", "35€")
    assert money.amount("35", "code before", "EUR").forms[""] == ("EUR 35", "35欧元")
    assert money.amount("35", "code after", "CNY").forms[""] == ("35 CNY", "35元人民币")
    assert money.amount("35", "spoken", "yuan").forms[""] == ("35 yuan", "35元")
    assert money.amount("35", "spoken", "dollars").forms[""] == ("35 dollars", "35美元")
    assert money.amount("35", "full name", "HKD").forms[""] == ("35 Hong Kong dollars", "35港元")


@pytest.mark.parametrize("code", ["USD", "CNY", "EUR", "GBP", "JPY", "HKD", "KRW", "THB"])
def test_currency_names_are_those_of_cldr(code):
    assert facts.currency_name(code) == get_currency_name(code, locale="zh_Hans")


def test_dates_and_times_are_those_of_cldr():
    day = datetime.date(2026, 4, 20)
    written = {form: facts.date_value(day, form) for form in ("iso", "long", "month_day", "day_month", "weekday")}
    assert {form: value.forms[""] for form, value in written.items()} == {
        "iso": ("2026-04-20", "2026-04-20"),
        "long": ("April 20, 2026", "2026年4月20日"),
        "month_day": ("April 20", "4月20日"),
        "day_month": ("20 April", "4月20日"),
        "weekday": ("Monday, April 20", "4月20日星期一"),
    }
    assert len({value.key for value in written.values()}) == 1
    months = {facts.MONTH.draw(random.Random(seed), 0).forms[""][1] for seed in range(200)}
    assert months == set(get_month_names(locale="zh_Hans").values())
    assert {value.forms[""][1] for value in facts.WEEKDAYS} == set(get_day_names(locale="zh_Hans").values())
    assert facts.time_value(datetime.time(9, 30)).forms[""] == ("9:30 am", "上午9:30")
    assert facts.time_value(datetime.time(19, 5)).forms[""] == ("7:05 pm", "晚上7:05")
    assert facts.time_value(datetime.time(19, 5), hours=24).forms[""] == ("19:05", "19:05")
