"""Slots that more than one domain uses: people, small numbers, codes and other strings of digits and letters."""

import random
import string
from collections.abc import Callable

from marian_distill.augment.grammar import Slot, Value, closed, one, words

NAMES = words(
    """Tom = 汤姆, Mary = 玛丽, John = 约翰, Anna = 安娜, Peter = 彼得, Lucy = 露西, David = 大卫, Alice = 爱丽丝,
    Jack = 杰克, Emma = 艾玛, Mike = 迈克, Linda = 琳达, Paul = 保罗, Susan = 苏珊, Henry = 亨利, Kate = 凯特,
    Mr. Wang = 王先生, Ms. Li = 李女士, Mr. Smith = 史密斯先生, Ms. Brown = 布朗女士"""
)
NAME = closed(NAMES)

# Two is 两 before a measure word, and never 二.
NUMBER_WORDS = words("two=两, three=三, four=四, five=五, six=六, seven=七, eight=八, nine=九, ten=十")
COUNT = closed([*NUMBER_WORDS, *(one(str(n), str(n), keep=[str(n)]) for n in range(2, 13))])

MINUTES = Slot(lambda rng, theme: number_value(rng.randrange(2, 60)), open=True)
PERCENT = Slot(
    lambda rng, theme: kept_value(f"{rng.choice((rng.randrange(1, 100), rng.randrange(1, 300) / 10)):g}%"), open=True
)


def kept_value(text: str) -> Value:
    """A string that is the same in both languages and must survive to the character."""
    return one(text, text, keep=[text])


def number_value(number: int) -> Value:
    """A number in digits."""
    return kept_value(str(number))


def code_slot(make: Callable[[random.Random], str]) -> Slot:
    """An open slot over strings that are copied as they are."""
    return Slot(lambda rng, theme: kept_value(make(rng)), open=True)


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.ascii_uppercase) for _ in range(count))


def _digits(rng: random.Random, count: int) -> str:
    """Digits of which the first is not 0."""
    return str(rng.randrange(10 ** (count - 1), 10**count))


AIRLINES = ("CA", "MU", "CZ", "HU", "NH", "JL", "SQ", "BA", "AF", "LH", "UA", "DL")
FLIGHT = code_slot(lambda rng: rng.choice(AIRLINES) + _digits(rng, rng.choice((3, 4))))
TRAIN = code_slot(lambda rng: rng.choice("GDCKTZ") + _digits(rng, rng.choice((2, 3, 4))))
GATE = code_slot(lambda rng: rng.choice("ABCDEF") + str(rng.randrange(1, 60)))
SEAT = code_slot(lambda rng: str(rng.randrange(1, 60)) + rng.choice("ABCDEF"))
ROOM_NUMBER = code_slot(lambda rng: str(rng.randrange(1, 30)) + f"{rng.randrange(1, 30):02}")
PLATFORM = code_slot(lambda rng: str(rng.randrange(1, 25)))
BUS = code_slot(lambda rng: str(rng.randrange(1, 1000)))
ORDER_NUMBER = code_slot(lambda rng: str(rng.randrange(1, 1000)))
PHONE = code_slot(lambda rng: f"1{_digits(rng, 2)} {_digits(rng, 4)} {_digits(rng, 4)}")
BOOKING = code_slot(lambda rng: _letters(rng, 2) + _digits(rng, 4))
DISTANCE = code_slot(lambda rng: str(10 * rng.randrange(2, 100)))
