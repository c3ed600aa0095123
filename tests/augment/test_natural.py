"""What a native speaker says: Chinese that was put right once stays right."""

import datetime
import re

import pytest

from marian_distill.augment import DOMAINS, examples, facts, patterns_of
from marian_distill.augment.coffee import FOODS, HOT_ALONE

CHINESE = {pattern.en: pattern.zh for domain in DOMAINS for pattern in patterns_of(domain)}


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("I have waited {minutes} minutes for my {drink}.", "这杯{drink}我已经等了{minutes}分钟了。"),
        ("Where is seat {seat}?", "{seat}座在哪里？"),
        ("Excuse me, where is the {place}?", "请问，{place}在哪里？"),
        ("The bill, please.", "买单，谢谢。"),
        ("{traveller} is going to {city} on {date}.", "{traveller}会在{date}去{city}。"),
        ("{goods.this} is {percent} off.", "{goods.this}优惠{percent}。"),
        ("The weather in {city} is {weather}.", "{city}天气{weather}。"),
    ],
)
def test_sentences(english, chinese):
    assert CHINESE[english] == chinese


def test_what_is_not_said():
    said = [example for domain in DOMAINS for example in examples(domain, "train", 4000, seed=8)]
    for example in said:
        assert "将于" not in example.zh, example
        assert "叫警察" not in example.zh, example
        assert "打扰一下" not in example.zh, example
        assert not re.search("我叫.*(先生|女士)", example.zh), example
        assert "清晨" not in example.zh, example
        assert not re.search(r"\b(teas|brews|juices|chocolates|a umbrella)\b", example.en), example
        assert not re.search("座位(在哪里|吗|换成)", example.zh), example
        assert not re.search(r"\d+ (black )?coffee\b", example.en), example


def test_police_are_called_by_their_verb():
    calls = {
        example.en: example.zh for example in examples("travel", "train", 20000, seed=2) if "police" in example.en
    }
    assert calls["Please call the police."] == "请报警。"


def test_foods_have_their_usual_names():
    names = dict(food.forms[""] for food in FOODS)
    assert (names["muffin"], names["pancake"]) == ("玛芬", "松饼")


@pytest.mark.parametrize("split", ["train", "unseen_values", "unseen_patterns"])
def test_no_ice_goes_into_a_hot_drink(split):
    for example in examples("coffee", split, 3000, seed=4):
        if re.search(r"\bice\b", example.en):
            assert not re.search(rf"\bhot\b|{'|'.join(HOT_ALONE)}", example.en), example


def test_dawn_is_early_morning():
    assert facts.time_value(datetime.time(6, 55)).forms[""] == ("6:55 am", "早上6:55")
