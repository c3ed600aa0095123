"""Whether a translation has the numbers of its source: by value (`numbers_kept`) or to the character (`survives`).

Both sides become multisets of values: `April 20, 2026` and 2026年4月20日 are 2026, 4 and 20; `$1.5 million` and
150万美元 are 1,500,000; `3 p.m.`, 下午3点 and `15:00` are the same time. What is written in digits, or is a word for
13 or more, must have its counterpart. A smaller word (`one`, `second`, 一, 两) may have one: 一起 and `a cup` hold no
numbers. Where the text itself is ambiguous, a right translation is not called wrong.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from marian_distill.text.numerals import (
    ASIDE,
    CURRENCY,
    ORDINALS,
    SCALES,
    SMALL,
    TENS,
    UNITS,
    chinese_value,
    english_value,
)

# A number as it is written: 8, 19.99, 1,234.56, 8:45, 2026-04-20, 3/4.
NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*", re.ASCII)


def survives(kept: str, hypothesis: str) -> bool:
    """Whether `kept` stands in `hypothesis` to the character and not as a part of something longer.

    `9.99` does not survive in `19.99` or `9.995`, nor `B12` in `AB12`.
    """
    before = r"(?<!\d)(?<!\d[.,:])" if kept[0].isdecimal() else r"(?<![A-Za-z])"
    after = r"(?!\d)(?![.,:]\d)" if kept[-1].isdecimal() else r"(?![A-Za-z])"
    return re.search(before + re.escape(kept) + after, hypothesis) is not None


class Amount(NamedTuple):
    """A number of a text.

    Args:
        readings: what it may be worth: the hour of `15:00` is 15 or 3, `20k` is 20,000 or 20 of something.
        required: whether its counterpart must exist.
        counts: a small number that counts things (two dogs, 两只狗): another count in its place is an error.
        digits: its digits as written, to compare what is grouped otherwise (138 0013 8000).
    """

    readings: frozenset[float]
    required: bool = True
    counts: bool = False
    digits: str = ""


class Numbers(NamedTuple):
    """What a text says in numbers: its amounts, its times (hour of twelve, minute → am, pm) and its currencies."""

    amounts: list[Amount]
    halves: dict[tuple[int, int], str]
    currencies: dict[float, str]


# Full-width digits and signs, and the minus sign, to ASCII.
WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *map(ord, "％＄．－＋／"))}
WIDTH |= {ord("−"): ord("-"), ord("￥"): ord("¥")}
UNUSUAL = re.compile("[０-９％＄．－＋／−￥]")
HAN = re.compile("[一-鿿]")
# A text in which this finds nothing has no number that must have a counterpart, nor one that counts.
LIKELY = re.compile(
    r"\d|[十百千万亿两二三四五六七八九]|teen|ty\b|ty-|hundred|thousand|illion|\b(?:two|three|four|five|six|seven|eight|nine"
    r"|ten|eleven|twelve)\b",
    re.I,
)
DIGITS = re.compile(
    r"""
    (?P<sign>(?<![A-Za-z0-9_.)/年月日号点时分周期%元-])(?<!\d\s)-(?=[$€£¥]?\d)|零下|负|(?:minus|negative)\s)?
    (?P<currency>US\$|HK\$|[$€£¥₩₹₽]|\b(?:USD|EUR|GBP|CNY|RMB|JPY|HKD)\s?)?
    (?:
      (?P<century>\d\d)\s?世纪\s?(?P<decade>\d0)\s?年代
    | (?P<year>(?:19|20)\d\d)(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d.])
    | (?P<hour>\d{1,2})[:：](?P<minute>[0-5]\d)(?::[0-5]\d)?(?!\d)(?:\s?(?P<clock_half>[ap])\.?m\b)?
    | (?P<dotted>\d+(?:\.\d+){2,})
    | (?P<above>\d+)/(?P<below>\d+)(?![/\d])
    | (?P<number>\d{1,3}(?:,\d\d\d?)*,\d{3}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)
      (?:
        \s?[多余]?(?P<myriad>(?:[十百万亿]|千(?![瓦克米卡比字]))
          (?:\d{1,4}[十百千万亿]|[零一二两三四五六七八九十百万亿]|千(?![瓦克米卡比字]))*)
      | \s?-?(?P<scale>hundred|thousand|million|billion|trillion|dozen|bn\b|tn\b|k\b(?!/)|m\b)
      | (?P<oclock>\s?(?:(?P<half>[ap])\.?m\b|o'clock|[点點时時](?!间)(?P<past>\d{1,2})?))
      | (?P<plural>s\b|年代)
      | (?:\sand\sa\shalf|[个個年天月周小时時块塊]{0,2}半)(?P<more>)
      )?
    )
    (?P<money>\s?(?:US\ dollars?|美元|美金|dollars?|euros?|欧元|pounds?|英镑|日元|yen\b|USD|EUR|GBP|CNY|JPY|HKD|港元
      |元人民币|yuan))?
    """,
    re.X | re.I,
)
WORD = "|".join(sorted((*UNITS, *TENS, *SCALES, *ORDINALS), key=len, reverse=True))
JOINT = r"(?:(?<=hundred)\s+and|(?<=thousand)\s+and|(?<=million)\s+and|(?<=billion)\s+and)?[\s-]+"
ENGLISH = re.compile(rf"\b(?:{WORD})(?:{JOINT}(?:{WORD}))*\b")
NUMERAL = "零〇一二两三四五六七八九十百万亿"
CHINESE = re.compile(
    f"(?P<vague>[几数上]?)(?P<numeral>(?:[{NUMERAL}]|千(?![瓦克米卡比字]))+)(?:点(?P<decimals>[{NUMERAL}]+))?"
    f"(?=(?P<half>[个年天月周小时点块]{{0,2}}半)?(?P<after>.?))"
)
CHINESE_SCALE = {"十": 10.0, "百": 100.0, "千": 1e3, "万": 1e4, "亿": 1e8}
# 10-20 million: the first number has the second's scale.
SHARED_SCALE = re.compile(
    r"\s?(?:[-–~～至到]|to|and)\s?\d[\d.,]*\s?(?P<scale>million|billion|trillion|thousand|[万亿])", re.I
)
PHONE_DIGITS = 7  # from so many on, digits that are grouped otherwise are the same number
BELOW = frozenset("是为到了成在约温达至")  # after these a hyphen is a minus sign
NO_COUNT = frozenset("第周期拜初月之")  # 第三, 星期三, 初三, 三分之二
MEASURE = frozenset("个個只隻条條本张張把辆杯瓶件位名天年周次份块塊顶部台头匹支岁小")
ASIDE_ENGLISH = re.compile(rf"\b(?:{'|'.join(filter(str.isascii, ASIDE))})\b")
ASIDE_CHINESE = re.compile("|".join(word for word in ASIDE if not word.isascii()))
SPOKEN = frozenset((*ASIDE, *SMALL, *SCALES))
LETTERS = re.compile("[a-z]+")
SCALE = {name: float(value) for name, value in SCALES.items()} | {"k": 1e3, "m": 1e6, "bn": 1e9, "tn": 1e12}
PART_OF_DAY = re.compile("(?P<am>凌晨|清晨|早上|早晨|上午|今早|明早)|下午|傍晚")


def numbers_kept(source: str, hypothesis: str) -> bool:
    """Whether a text and its translation, in either direction, hold the same numbers."""
    if not LIKELY.search(source) and not LIKELY.search(hypothesis):
        return True
    ours, theirs = read(source), read(hypothesis)
    lost, gained = _unmatched(ours.amounts, theirs.amounts)
    if not _grouped_otherwise(lost, gained):
        return False
    if any(amount.counts for amount in lost) and any(amount.counts for amount in gained):
        return False
    return _agree(ours.halves, theirs.halves) and _agree(ours.currencies, theirs.currencies)


def _grouped_otherwise(lost: list[Amount], gained: list[Amount]) -> bool:
    """Whether what must have a counterpart and has none is the same digits in other groups, or nothing at all."""
    ours, theirs = ([amount for amount in side if amount.required] for side in (lost, gained))
    digits = ["".join(amount.digits for amount in side) for side in (ours, theirs)]
    is_long = all(amount.digits for amount in ours + theirs) and len(digits[0]) >= PHONE_DIGITS
    return digits[0] == digits[1] if is_long else not ours and not theirs


def _agree(ours: dict, theirs: dict) -> bool:
    """Whether what both say of a number (am or pm, its currency) is the same."""
    return all(theirs.get(key, value) == value for key, value in ours.items())


def _unmatched(ours: list[Amount], theirs: list[Amount]) -> tuple[list[Amount], list[Amount]]:
    """The amounts without a counterpart: each is taken once, those that must have one first."""
    left = sorted(theirs, key=lambda amount: (not amount.required, len(amount.readings)))
    lost = []
    for amount in sorted(ours, key=lambda amount: (not amount.required, len(amount.readings))):
        for index, other in enumerate(left):
            if amount.readings & other.readings:
                del left[index]
                break
        else:
            lost.append(amount)
    return lost, left


def read(text: str) -> Numbers:
    """The numbers of an English or a Chinese text."""
    if UNUSUAL.search(text):
        text = text.translate(WIDTH)
    numbers = Numbers([], {}, {})
    add = numbers.amounts.append
    spans: list[tuple[int, int]] = []
    for match in DIGITS.finditer(text):
        spans.append(match.span())
        numbers.amounts.extend(_in_digits(match, numbers, text))
    rest = _without(text, spans)
    if HAN.search(rest):
        for match in CHINESE.finditer(rest):
            numbers.amounts.extend(_in_chinese(match, rest))
        for match in ASIDE_CHINESE.finditer(rest):
            add(Amount(frozenset(ASIDE[match[0]]), required=False))
    else:
        lower = rest.lower()
        if SPOKEN.isdisjoint(LETTERS.findall(lower)):  # quicker than to look for each
            return numbers
        for match in ENGLISH.finditer(lower):
            numbers.amounts.extend(_in_english(match[0]))
        for match in ASIDE_ENGLISH.finditer(lower):
            add(Amount(frozenset(ASIDE[match[0]]), required=False))
    return numbers


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with spaces in place of what was read."""
    for start, end in spans:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _exact(value: float) -> float:
    """A product without the noise of binary fractions: 1.1 × 1,000,000 is 1,100,000."""
    return float(f"{value:.12g}")


def _in_digits(match: re.Match[str], numbers: Numbers, text: str) -> Iterator[Amount]:
    """The amounts of one match of `DIGITS`."""
    groups = match.groupdict()
    if groups["century"]:
        decade = int(groups["decade"])
        yield Amount(frozenset((float(int(groups["century"]) * 100 - 100 + decade), float(decade))))
    elif groups["year"]:
        for part in (groups["year"], groups["month"], groups["day"]):
            yield Amount(frozenset((float(part),)), digits=part)
    elif groups["hour"]:
        hour, minute = int(groups["hour"]), int(groups["minute"])
        _note_half(numbers, hour, minute, groups["clock_half"], text[: match.start()])
        yield Amount(_hours(hour))
        if minute:
            yield Amount(frozenset((float(minute),)))
    elif groups["dotted"]:
        for part in groups["dotted"].split("."):
            yield Amount(frozenset((float(part),)), digits=part)
    elif groups["above"]:
        above, below = float(groups["above"]), float(groups["below"])
        if (above, below) == (1, 2):
            yield Amount(frozenset((0.5,)), digits="12")
        else:
            yield Amount(frozenset((above,)), digits=groups["above"])
            yield Amount(frozenset((below,)), digits=groups["below"])
    else:
        yield from _plain(match, numbers, text)


def _plain(match: re.Match[str], numbers: Numbers, text: str) -> Iterator[Amount]:
    """A number with what stands around it: sign, currency, scale, o'clock, half."""
    written = match["number"].replace(",", "")
    value = float(written)
    readings = [value]
    if match["myriad"]:
        readings = [float(chinese_value(written + match["myriad"]) or value)]
    elif match["scale"]:
        scaled = _exact(value * SCALE[match["scale"].lower()])
        readings = [scaled, value] if match["scale"] in "kKmM" and not match["currency"] else [scaled]
    elif match["oclock"]:
        minute = match["past"] or ("30" if text.startswith("半", match.end()) else "0")
        _note_half(numbers, int(value), int(minute), match["half"], text[: match.start()])
        readings = list(_hours(value))
        if int(minute) and match["past"]:
            yield Amount(frozenset((float(minute),)), digits=minute)
    elif match["plural"]:
        readings = [value, value % 100, 1900 + value]
    elif match["more"] is not None:
        readings = [value, value + 0.5]
    elif shared := SHARED_SCALE.match(text, match.end()):
        scale = shared["scale"].lower()
        readings = [value, _exact(value * (SCALE.get(scale) or CHINESE_SCALE[scale]))]
    sign, currency = match["sign"], match["currency"] or match["money"]
    if sign:
        before = text[max(match.start() - 1, 0) : match.start()]
        name = sign == "-" and HAN.match(before) and before not in BELOW
        readings = [*(-reading for reading in readings), *(readings if name else ())]  # 伊尔-76 may be an aeroplane
    if currency and (name := CURRENCY.get(currency.strip().lower().replace(" ", ""))):
        numbers.currencies[readings[0]] = name
    # A room, no sugar, the virus: what is often said without its number.
    virus = text.endswith(("COVID-", "Covid-"), 0, match.start())
    small = value in (0, 1) and not sign and not currency
    digits = written if readings == [value] else ""
    yield Amount(frozenset(readings), required=not (small or virus), counts=small, digits=digits)


def _hours(hour: float) -> frozenset[float]:
    """The hour by the other clock too."""
    return frozenset((hour, (hour + 12) % 24, hour % 24 or 24.0))


def _note_half(numbers: Numbers, hour: int, minute: int, half: str | None, before: str) -> None:
    """Note whether a time is before or after noon, where the text says so."""
    if hour > 12:
        half = "p"
    elif not half and (part := PART_OF_DAY.search(before, max(len(before) - 4, 0))):
        half = "a" if part["am"] else "p"
    if half:
        numbers.halves[hour % 12, minute] = half.lower()


def _in_chinese(match: re.Match[str], text: str) -> Iterator[Amount]:
    """The amounts of a Chinese numeral."""
    if match["vague"]:
        return
    numeral, decimals = match["numeral"], match["decimals"]
    value = chinese_value(numeral)
    if value is None:
        if (bare := _bare_scale(numeral)) is not None:
            yield Amount(frozenset((bare,)), required=False)
        return
    if decimals and (fraction := chinese_value("零" + decimals)) is not None:
        if all(character in "零〇一二三四五六七八九" for character in decimals):
            yield Amount(frozenset((float(f"{value}.{fraction:0{len(decimals)}}"),)), required=False)
        yield Amount(frozenset((float(fraction),)), required=False)
    if match["half"]:
        yield Amount(frozenset((float(value) + 0.5,)), required=False)
    before = text[max(match.start() - 1, 0) : match.start()]
    counts = 1 < value <= 12 and match["after"] in MEASURE and before not in NO_COUNT and not decimals
    is_year = len(numeral) == 4 and match["after"] == "年"
    round_number = numeral[0] == "一" and len(numeral) == 2  # 一百: "a hundred"
    digits_alone = not any(character in numeral for character in "十百千万亿")
    required = is_year or (value > 12 and not round_number and not digits_alone and not decimals)
    yield Amount(frozenset((float(value),)), required=required, counts=counts)


def _bare_scale(numeral: str) -> float | None:
    """百 alone is a hundred at most, never one that must be there: 百货, 千万."""
    value = 1.0
    for character in numeral:
        if character not in CHINESE_SCALE:
            return None
        value *= CHINESE_SCALE[character]
    return value


def _in_english(words: str) -> Iterator[Amount]:
    """The amounts of number words in a row."""
    parts = [word for word in re.split(r"[\s-]+", words.lower()) if word != "and"]
    value = english_value(parts)
    if value is None:
        for word in parts:
            yield Amount(frozenset((float(SMALL.get(word) or SCALES.get(word, 0)),)), required=False)
        return
    counts = len(parts) == 1 and 1 < UNITS.get(parts[0], 0) <= 12
    required = value > 12 and parts[0] not in SCALES and parts[:-1] != ["one"] and parts[-1] != "dozen"
    yield Amount(frozenset((float(value),)), required=required, counts=counts)
