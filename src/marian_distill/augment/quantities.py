"""Slots over amounts of every kind: large numbers, units, codes, phone numbers, fractions, ranges, dates in words.

A value is written as each language writes it: `$1.5 million` is 150万美元, `minus 5 degrees` 零下5度, `two thirds`
三分之二.
"""

import datetime
import random
import string
from collections.abc import Callable, Sequence
from decimal import Decimal

from babel.dates import format_date, format_skeleton
from babel.numbers import get_currency_precision

from marian_distill.augment.facts import DAYS, EN, FIRST_DAY, ZH, currency_name, currency_words
from marian_distill.augment.grammar import Slot, Value, one, with_article
from marian_distill.augment.money import ISO_CODES, SIGNS, amount, draw_number
from marian_distill.augment.words import kept_value

SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
DIGITS = "零一二三四五六七八九"
ENGLISH_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FRACTION_NAMES = {2: ("half", "halves"), 3: ("third", "thirds"), 4: ("quarter", "quarters"), 5: ("fifth", "fifths")}
FRACTION_NAMES |= {6: ("sixth", "sixths"), 8: ("eighth", "eighths"), 10: ("tenth", "tenths")}


def pair(en: str, zh: str, kept: Sequence[tuple[str, str]], key: str, **forms: tuple[str, str]) -> Value:
    """A value whose strings that must survive differ: `kept` has the (English, Chinese) of each."""
    english, chinese = zip(*kept, strict=True)
    return Value({"": (en, zh), **forms}, key=key, keep_in_en=english, keep_in_zh=chinese)


def chinese_scale(number: Decimal) -> str:
    """A large number with 万, 亿 or 万亿, as it is said: 1,500,000 → 150万; below ten thousand the digits."""
    for unit, name in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万")):
        if number >= unit:
            return f"{(number / unit).normalize():f}{name}"
    return f"{number.normalize():f}"


def _draw_mantissa(rng: random.Random, scale: str) -> str:
    """Up to three digits before the point and two after it: 7, 45, 320, 1.5, 23.4, 3.25."""
    if scale == "thousand":
        return str(rng.choice((rng.randrange(2, 10), rng.randrange(10, 100), 10 * rng.randrange(10, 100))))
    units, tens = rng.randrange(1, 10), rng.randrange(10, 100)
    whole = rng.choice((units, units, tens, 10 * tens))
    if whole >= 100 or rng.random() < 0.45:
        return str(whole + (whole == 1))
    return f"{whole}.{rng.randrange(1, 10) if rng.random() < 0.75 else rng.choice((25, 35, 45, 75, 85))}"


def large_value(mantissa: str, scale: str, currency: str = "", counted: tuple[str, str] = ("", "")) -> Value:
    """A large number: 2.3 million 230万; of money: $2.3 million 230万美元; of things: 2.3 million people 230万人."""
    english, chinese = f"{mantissa} {scale}", chinese_scale(Decimal(mantissa) * SCALES[scale])
    kept = [(english, chinese)]
    if currency in SIGNS:
        text = (currency + english, chinese + currency_name(SIGNS[currency]))
    elif currency:
        text = (f"{english} {currency_words(currency)}", chinese + currency_name(currency))
    else:
        text = (f"{english} {counted[0]}".strip(), chinese + counted[1])
    if currency == "CNY":
        text = (f"{english} yuan", f"{chinese}元")
    if currency:
        kept.append((english, text[1].removeprefix(chinese)))
    return pair(*text, kept, key=f"large {english}")


LARGE_CURRENCIES = ("$", "$", "$", "€", "£", "CNY", "CNY", "USD", "EUR", "JPY", "HKD")


def large_slot(
    scales: Sequence[str], currencies: Sequence[str] = ("",), counted: Sequence[tuple[str, str]] = (("", ""),)
) -> Slot:
    """Large numbers: bare, of money or of things."""

    def draw(rng: random.Random, theme: float) -> Value:
        scale = rng.choice(scales)
        return large_value(_draw_mantissa(rng, scale), scale, rng.choice(currencies), rng.choice(counted))

    return Slot(draw, open=True)


def draw_decimal(rng: random.Random, whole: int, places: int = 1) -> str:
    """A number below `whole` with so many decimals, the last one not 0."""
    last = rng.randrange(1, 10)
    return f"{rng.randrange(whole)}.{''.join(str(rng.randrange(10)) for _ in range(places - 1))}{last}"


def _draw_measure(rng: random.Random) -> str:
    """What one measures: 3, 45, 3.5, 62.4, 250, 1.25, 1,200."""
    draws: list[Callable[[], str]] = [
        lambda: str(rng.randrange(2, 10)),
        lambda: str(rng.randrange(10, 100)),
        lambda: str(rng.randrange(100, 1000)),
        lambda: str(50 * rng.randrange(2, 20)),
        lambda: draw_decimal(rng, 10),
        lambda: draw_decimal(rng, 100),
        lambda: draw_decimal(rng, 10, places=2),
    ]
    return f"{rng.randrange(1000, 10000):,}" if rng.random() < 0.05 else rng.choice(draws)()


def _draw_warmth(rng: random.Random) -> str:
    return str(rng.randrange(5, 100)) if rng.random() < 0.5 else draw_decimal(rng, 60)


def unit_slot(table: str, draw_number: Callable[[random.Random], str] = _draw_measure) -> Slot:
    """Numbers with a unit from `en = zh, …`; a symbol may touch its number."""
    units = [tuple(part.strip() for part in entry.split("=")) for entry in table.split(",")]

    def draw(rng: random.Random, theme: float) -> Value:
        number, (english, chinese) = draw_number(rng), rng.choice(units)
        space = "" if len(english) <= 2 and rng.random() < 0.3 else " "
        kept = [(number, number + chinese)]
        return pair(f"{number}{space}{english}", number + chinese, kept, key=f"measure {number}")

    return Slot(draw, open=True)


def _draw_code(rng: random.Random, theme: float) -> Value:
    """A code: K8D2-99QF, INV-2024-017, #4821, X7K9P2."""
    characters = string.ascii_uppercase + string.digits * 2
    parts = [
        "".join(rng.choice(rng.choice((characters, string.digits, string.ascii_uppercase))) for _ in range(size))
        for size in (rng.randrange(2, 6) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    ]
    if not any(character.isdecimal() for character in parts[-1]):
        parts[-1] += str(rng.randrange(1, 1000))
    text = rng.choice("---/").join(parts)
    if parts[0].isdecimal():
        text = rng.choice(("#", "#", rng.choice(string.ascii_uppercase))) + text
    return Value({"": (text, text)}, key=f"code {text}", keep_in_en=(text,), keep_in_zh=(text,))


PHONE_SHAPES = (
    "1## #### ####", "1##########", "+86 1## #### ####", "0##-####-####", "0##-########", "(###) ###-####",
    "###-###-####", "+1 ### ### ####", "+44 20 #### ####", "400-###-####", "###-####", "1-800-###-####",
    "## ## ## ##", "1##-####-####",
)  # fmt: skip


def _draw_phone(rng: random.Random, theme: float) -> Value:
    shape = rng.choice(PHONE_SHAPES)
    return kept_value("".join(str(rng.randrange(10)) if mark == "#" else mark for mark in shape))


def _draw_figures(rng: random.Random, theme: float) -> Value:
    """A number of many figures that repeat, as it is read off a meter: 33385, 1,444,400.5, 770-0770."""
    figures = str(rng.randrange(1, 10))
    for _ in range(rng.randrange(1, 10)):
        repeated = figures[-1] if rng.random() < 0.7 else figures[-2:][0]
        figures += repeated if rng.random() < 0.5 else str(rng.randrange(10))
    written = rng.random()
    if written < 0.3:
        figures = f"{int(figures):,}"
    elif written < 0.5 and len(figures) > 4:
        figures = f"{figures[:-4]}-{figures[-4:]}"
    if written < 0.2:
        figures += f".{rng.choice((11, 22, 33, 44, 55, 66, 77, 88, 99, rng.randrange(1, 10)))}"
    return kept_value(figures)


def _draw_release(rng: random.Random, theme: float) -> Value:
    parts = [rng.randrange(0, 30), *(rng.randrange(0, rng.choice((10, 30))) for _ in range(rng.choice((1, 2, 2, 3))))]
    return kept_value(".".join(map(str, parts)))


def _draw_version(rng: random.Random, theme: float) -> Value:
    """A version, one in five as v4.2."""
    release = _draw_release(rng, theme)
    return kept_value(f"v{release.key}") if rng.random() < 0.2 else release


def _draw_fraction(rng: random.Random, theme: float) -> Value:
    """A fraction in digits: 3/4."""
    below = rng.choice((2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20))
    return kept_value(f"{rng.randrange(1, below)}/{below}")


def _draw_share(rng: random.Random, theme: float) -> Value:
    """A fraction in words: two thirds 三分之二, three quarters 四分之三, half 一半; or in digits."""
    below = rng.choice(list(FRACTION_NAMES))
    above = rng.randrange(1, below)
    if below == 2:
        return pair("half", "一半", [("half", "一半")], key="fraction 1/2")
    if rng.random() < 0.4:
        return kept_value(f"{above}/{below}")
    name = FRACTION_NAMES[below][above > 1]
    english = with_article(name) if above == 1 else f"{ENGLISH_DIGITS[above]} {name}"
    chinese = f"{'十' if below == 10 else DIGITS[below]}分之{DIGITS[above]}"
    return pair(english, chinese, [(english, chinese)], key=f"fraction {above}/{below}")


def _draw_minus(rng: random.Random, theme: float) -> Value:
    """A number below zero: -7, -3.5."""
    return kept_value(
        "-" + rng.choice((str(rng.randrange(1, 60)), str(rng.randrange(1, 1000)), draw_decimal(rng, 30)))
    )


def _draw_cold(rng: random.Random, theme: float) -> Value:
    """A temperature below zero: -5°C, minus 5 degrees 零下5度."""
    number = str(rng.randrange(1, 60)) if rng.random() < 0.7 else draw_decimal(rng, 30)
    key = f"cold {number}"
    if rng.random() < 0.4:
        return pair(f"minus {number} degrees", f"零下{number}度", [(f"minus {number}", f"零下{number}度")], key=key)
    unit = rng.choice(("°C", "°C", " °C", "°F"))
    kept = [(f"-{number}", f"-{number}{unit.strip()}")]
    return pair(f"-{number}{unit}", f"-{number}{unit.strip()}", kept, key=key)


def _draw_debt(rng: random.Random, theme: float) -> Value:
    sign = list(SIGNS)[int(theme * len(SIGNS))]
    return kept_value(f"-{sign}{draw_number(rng, decimals=2, most_digits=4)}")


def _draw_percent(rng: random.Random, theme: float) -> Value:
    """A percentage, half of them with one decimal; seldom in words (12.5 percent 12.5%)."""
    number = rng.choice(
        (str(rng.randrange(1, 101)), draw_decimal(rng, 100), draw_decimal(rng, 100), draw_decimal(rng, 10))
    )
    if rng.random() < 0.2:
        return pair(f"{number} percent", f"{number}%", [(number, f"{number}%")], key=f"{number}%")
    return kept_value(f"{number}%")


def range_slot(make: Callable[[random.Random, float], tuple[str, str]]) -> Slot:
    """Two numbers, the lesser first: `3 to 5` and `between 3 and 5` are 3到5; `3-5` is the same in both languages."""

    def draw(rng: random.Random, theme: float) -> Value:
        low, high = make(rng, theme)
        joined, key = f"{low}-{high}", f"range {low} {high}"
        if rng.random() < 0.3:
            return pair(joined, joined, [(joined, joined)], key)
        english = f"between {low} and {high}" if rng.random() < 0.5 else f"{low} to {high}"
        return pair(english, f"{low}到{high}", [(low, low), (high, high)], key)

    return Slot(draw, open=True)


def _draw_bounds(rng: random.Random, theme: float) -> tuple[str, str]:
    low = rng.choice((rng.randrange(2, 10), rng.randrange(10, 60), 10 * rng.randrange(1, 10)))
    return str(low), str(low + rng.choice((1, 2, 3, 5, 10, 20, rng.randrange(1, 100))))


def _draw_price_bounds(rng: random.Random, theme: float) -> tuple[str, str]:
    sign = list(SIGNS)[int(theme * len(SIGNS))]
    low, high = _draw_bounds(rng, theme)
    return sign + low, sign + high


def _draw_hours(rng: random.Random, theme: float) -> tuple[str, str]:
    low = rng.randrange(6, 13)
    return f"{low}:{rng.choice((0, 15, 30, 45)):02}", f"{rng.randrange(low + 1, 24)}:{rng.choice((0, 15, 30, 45)):02}"


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `13th`."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _draw_word_date(rng: random.Random, theme: float) -> Value:
    """A date with its month in words: May 3rd, 2025; the 3rd of May; 3 May 2025; May 3."""
    day = FIRST_DAY + datetime.timedelta(days=rng.randrange(DAYS))
    month, short = format_date(day, "LLLL", EN), format_date(day, "LLL", EN)
    month_day = format_skeleton("MMMMd", day, locale=ZH)
    american = rng.random() < 0.5
    number = rng.choice((str(day.day), ordinal(day.day)))
    if american:
        english = f"{rng.choice((month, month, short))} {number}"
    else:
        number, english = rng.choice(
            ((number, f"{number} {month}"), (ordinal(day.day), f"the {ordinal(day.day)} of {month}"))
        )
    key = f"date {day:%m-%d}"
    if rng.random() < 0.5:
        return pair(english, month_day, [(number, month_day)], key)
    year = str(rng.randrange(1950, 2026))
    written = f"{year}年{month_day}"
    return pair(f"{english}{', ' if american else ' '}{year}", written, [(number, written), (year, written)], key)


OTHER_CURRENCIES = (
    *("INR", "RUB", "CHF", "TWD", "VND", "MYR", "BRL", "SEK", "AED"),
    *("NZD", "SGD", "AUD", "CAD", "HKD", "KRW"),
)
OTHER_SIGNS = {"KRW": "₩", "INR": "₹", "RUB": "₽", "VND": "₫"}


def _draw_currency_amount(rng: random.Random, theme: float) -> Value:
    """Amounts in less common currencies, by code, by name or by sign."""
    placement = rng.choice(("sign", "code after", "code after", "code before", "full name", "full name"))
    code = rng.choice(list(OTHER_SIGNS) if placement == "sign" else [*OTHER_CURRENCIES, *ISO_CODES])
    number = draw_number(rng, decimals=get_currency_precision(code) if rng.random() < 0.5 else 0, most_digits=6)
    return kept_value(OTHER_SIGNS[code] + number) if placement == "sign" else amount(number, placement, code)


def counted_slot(nouns: Sequence[Value]) -> Slot:
    """Things with their number in digits: 12 lattes 12杯拿铁."""

    def draw(rng: random.Random, theme: float) -> Value:
        noun = rng.choice(nouns)
        few = rng.randrange(2, 13)
        number = str(rng.choice((few, few, rng.randrange(13, 100), rng.randrange(100, 1000))))
        english, chinese = noun.forms["many"]
        return one(f"{number} {english}", number + noun.forms["measure"][1] + chinese, keep=[number])

    return Slot(draw, open=True)


def _draw_decimal(rng: random.Random, theme: float) -> Value:
    return kept_value(rng.choice((draw_decimal(rng, 10), draw_decimal(rng, 100), draw_decimal(rng, 1000))))


def _draw_year(rng: random.Random, theme: float) -> Value:
    year = str(rng.randrange(1850, 2050))
    return pair(year, f"{year}年", [(year, f"{year}年")], key=f"year {year}")


LARGE_MONEY = large_slot((*["million"] * 5, *["billion"] * 4, "trillion"), currencies=LARGE_CURRENCIES)
LARGE_NUMBER = large_slot(("thousand", *["million"] * 4, *["billion"] * 3))
WEIGHT = unit_slot("kg = 公斤, kg = 公斤, g = 克, grams = 克, kilograms = 公斤, lb = 磅, ounces = 盎司")
LENGTH = unit_slot("cm = 厘米, m = 米, metres = 米, mm = 毫米, feet = 英尺, inches = 英寸, centimetres = 厘米")
DISTANCE = unit_slot("km = 公里, km = 公里, m = 米, metres = 米, kilometres = 公里, miles = 英里")
VOLUME = unit_slot("ml = 毫升, ml = 毫升, litres = 升, L = 升, millilitres = 毫升")
CUP = unit_slot("ml = 毫升, ml = 毫升, millilitres = 毫升, ounces = 盎司")
HEAT = unit_slot("°C = °C, °C = °C, degrees = 度, °F = °F", _draw_warmth)
SPEED = unit_slot("km/h = 公里/小时, mph = 英里/小时, m/s = 米/秒")
STORAGE = unit_slot("GB = GB, MB = MB, TB = TB")
POWER = unit_slot("W = 瓦, V = 伏, kW = 千瓦, kcal = 千卡")
AREA = unit_slot("square metres = 平方米, hectares = 公顷, square kilometres = 平方公里")
CODE, PHONE, FIGURES = (Slot(draw, open=True) for draw in (_draw_code, _draw_phone, _draw_figures))
VERSION, RELEASE = Slot(_draw_version, open=True), Slot(_draw_release, open=True)
FRACTION, SHARE = Slot(_draw_fraction, open=False), Slot(_draw_share, open=False)
MINUS, COLD, DEBT = (Slot(draw, open=True) for draw in (_draw_minus, _draw_cold, _draw_debt))
DECLINE = Slot(lambda rng, theme: kept_value(f"-{draw_decimal(rng, 10)}%"), open=True)
MARK = Slot(lambda rng, theme: kept_value(draw_decimal(rng, 10)), open=True)
ANY_PERCENT, DECIMAL, YEAR = (Slot(draw, open=True) for draw in (_draw_percent, _draw_decimal, _draw_year))
RANGE, PRICE_RANGE, HOURS = range_slot(_draw_bounds), range_slot(_draw_price_bounds), range_slot(_draw_hours)
WORD_DATE, OTHER_MONEY = Slot(_draw_word_date, open=True), Slot(_draw_currency_amount, open=True)
