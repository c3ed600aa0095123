"""Numbers in words: what `twenty-one`, `three hundred and five`, 一百二十三, 3亿5000万 and other words are worth."""

from decimal import Decimal


def _from(start: int, words: str) -> dict[str, int]:
    return {word: number for number, word in enumerate(words.split(), start)}


UNITS = _from(
    0, "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
) | _from(16, "sixteen seventeen eighteen nineteen")
TENS = {word: 10 * ten for word, ten in _from(2, "twenty thirty forty fifty sixty seventy eighty ninety").items()}
SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
ORDINALS = (
    _from(1, "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
    | {f"{word}th": number for word, number in UNITS.items() if number > 12}
    | {f"{word[:-1]}ieth": number for word, number in TENS.items()}
)
SMALL = UNITS | TENS | ORDINALS

CHINESE_DIGITS = dict(zip("零〇一二三四五六七八九两", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2), strict=True))
CHINESE_UNITS = {"十": 10, "百": 10**2, "千": 10**3}
CHINESE_MYRIADS = {"万": 10**4, "亿": 10**8}

MONTHS = _from(1, "jan feb mar apr may jun jul aug sep oct nov dec") | _from(
    1, "january february march april may june july august september october november december"
)
# Words that may stand for a number; each gives what it may be worth.
ASIDE: dict[str, tuple[float, ...]] = {
    "half": (0.5, 50, 30, 6, 500_000, 500_000_000), "quarter": (0.25, 15, 4), "once": (1,), "single": (1,),
    "zero": (0,), "dozen": (12,),
    "both": (2,), "double": (2,), "twin": (2,), "twice": (2,), "pair": (2,), "couple": (2,), "halves": (2,),
    "thirds": (3,), "quarters": (4,), "fifths": (5,), "sixths": (6,), "eighths": (8,), "tenths": (10,),
    "noon": (12,), "midnight": (12, 0), "decade": (10,), "decades": (20, 30, 40, 50), "century": (100,),
    "centuries": (200, 300, 400), "teens": (10,), "twenties": (20,), "thirties": (30,), "forties": (40,),
    "fifties": (50,), "hexadecimal": (16,), "hex": (16,),
    "半": (0.5, 50, 30, 6), "刻": (15,), "单": (1,), "首": (1,), "元旦": (1,), "正月": (1,), "腊月": (12,), "双": (2,),
    "俩": (2,), "对": (2,), "中午": (12,), "正午": (12,), "午夜": (12, 0), "〇": (0,), "零": (0,),
}  # fmt: skip
ASIDE |= {name: (number,) for name, number in MONTHS.items()}
CURRENCY = {
    word: name
    for name, words in {
        "dollar": "$ us$ usd dollar dollars usdollar usdollars 美元 美金",
        "euro": "€ eur euro euros 欧元",
        "pound": "£ gbp pound pounds 英镑",
        "yen": "jpy yen 日元",
        "hkd": "hk$ hkd 港元",
        "yuan": "cny rmb yuan 元人民币",
        "won": "₩",
        "rupee": "₹",
        "rouble": "₽",
    }.items()
    for word in words.split()
}


def english_value(words: list[str]) -> Decimal | None:
    """Value of number words in order (`["three", "hundred", "five"]`), ordinals too; None when they make no number.

    A year as it is said (`["nineteen", "eighty", "four"]`) is one number.
    """
    total = current = Decimal(0)
    last = 0  # the last word's size: within a hundred, each is smaller than the one before
    for word in words:
        if scale := SCALES.get(word):
            current = (current or 1) * scale
            if scale > 100:
                total, current = total + current, Decimal(0)
            last = scale
            continue
        value = SMALL[word]
        if 10 <= last < 100 and value >= 10 and not total:  # nineteen | eighty
            current *= 100
        elif last and last < 100 and not (last in TENS.values() and value < 10):
            return None
        current += value
        last = value or 10
    return total + current


def chinese_value(numeral: str) -> Decimal | None:
    """Value of a Chinese numeral, which may begin with digits (`3亿5000万`, `2.5万`); None when it makes no number.

    Without 十百千万亿 the characters are digits in order: 二〇二六. Two in a row are an estimate (三四个), no number.
    """
    if all(character in CHINESE_DIGITS for character in numeral):
        if len(numeral) == 2 and "零" not in numeral and "〇" not in numeral:
            return None
        return Decimal("".join(str(CHINESE_DIGITS[character]) for character in numeral))
    total = section = number = Decimal(0)
    written = ""  # digits being read
    said = False  # whether a number stands before the unit at hand
    for character in numeral:
        if character.isdecimal() or character in ".,":
            written += character.replace(",", "")
            number, said = Decimal(written.rstrip(".")), True
        elif character in CHINESE_DIGITS:
            if number and said:
                return None  # 二三十: an estimate
            number, said = Decimal(CHINESE_DIGITS[character]), True
        elif character in CHINESE_UNITS:
            if not said and character != "十" and not section:
                return None  # 百货, 千万: no number
            section += (number if said else 1) * CHINESE_UNITS[character]
            number, said, written = Decimal(0), False, ""
        else:
            if not said and not section and not total:
                return None
            section += number
            if section:
                total = total + section * CHINESE_MYRIADS[character]
            else:
                total *= CHINESE_MYRIADS[character]  # 万亿
            section, number, said, written = Decimal(0), Decimal(0), False, ""
    if numeral[-1] in CHINESE_DIGITS:
        number *= {"百": 10, "千": 100, "万": 1_000, "亿": 10_000_000}.get(numeral[-2], 1)  # 三百五 is 350, not 305
    return total + section + number
