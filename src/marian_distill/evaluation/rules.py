"""What kind of sentence a source is, and what is wrong with a translation: a rule each, told from the text alone.

A rule of `SOURCES` makes a slice of a test set, which is scored by itself; one of `FAULTS` counts translations. Both
work in either direction. Rules err: what they count is a place to look at, with the sentences beside it.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from marian_distill.languages import Language, is_han
from marian_distill.teachers.filters import is_traditional
from marian_distill.text.numbers import numbers_kept, read
from marian_distill.text.overlap import normalised


class Segment(NamedTuple):
    """A sentence of a test set: its source, what is accepted as its translation, and a system's."""

    source: str
    references: tuple[str, ...]
    hypothesis: str
    target: Language


class Rule(NamedTuple):
    """Whether a rule holds of a segment, and what reports call those of which it does."""

    holds: Callable[[Segment], bool]
    english: str
    chinese: str


# Sources

DECIMAL = re.compile(r"\d\.\d")
THOUSANDS = re.compile(r"\d,\d{3}(?!\d)|[Tt]housand|\dk\b|千")
LARGE = re.compile(r"[mbr]illions?\b|万|亿", re.I)
PERCENT = re.compile(r"[%％]|per\s?cent|百分之", re.I)
CURRENCY = re.compile(
    r"[$€£¥￥]|\b(?:dollars?|bucks|cents?|euros?|pounds?|pence|yuan|yen|RMB|USD|EUR|GBP|CNY)\b"
    r"|[\d零一二两三四五六七八九十百千万亿半]\s?(?:元|块(?![糖肉布表石地])|角|美元|欧元|英镑|日元|人民币)|美元|欧元|英镑|人民币",
    re.I,
)
DATE = re.compile(
    r"\b(?:January|February|March|April|June|July|August|September|October|November|December)\b|\bMay\s\d"
    r"|\d{4}-\d\d?-\d\d?|\b\d\d?/\d\d?/\d{2,4}\b|\bon the \d+(?:st|nd|rd|th)\b"
    r"|\d{4}年|[\d一二三四五六七八九十]月(?![饼亮球])|(?<![\d第])\d{1,2}[日号](?![桌房楼线店机])"
)
TIME = re.compile(
    r"\b\d\d?[:：]\d\d\b|\b\d\d?\s?[ap]\.?m\b|o['’]clock|\bhalf past\b|\bquarter (?:to|past)\b"
    r"|[\d二两三四五六七八九十]\s?点(?![\d心儿])|(?<=[上下中]午)一点|一点(?:半|钟|整)",
    re.I,
)
ORDINAL = re.compile(
    r"\b\d+(?:st|nd|rd|th)\b|\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b|第[\d一二三四五六七八九十百]",
    re.I,
)
PHONE = re.compile(r"(?<!\d)\+?\d(?:[\s-]?\d){6,}(?!\d)")
CODE = re.compile(r"(?<![A-Za-z])(?:[A-Z]{1,3}-?\d{1,5}|\d{1,3}[A-Z])(?![A-Za-z\d])")
COFFEE = re.compile(
    r"coffee|espresso|latte|cappuccino|americano|macchiato|mocha|flat white|decaf|barista|caf[eé]|\b(?:oat|soy) milk"
    r"|咖啡|拿铁|卡布奇诺|美式|玛奇朵|摩卡|馥芮白|低因|燕麦奶|奶泡",
    re.I,
)
TRAVEL = re.compile(
    r"\b(?:flights?|airports?|passports?|visas?|luggage|boarding|tickets?|trains?|stations?|metro|subway|bus(?:es)?"
    r"|taxis?|hotels?|check(?:ing)?[ -]?(?:in|out)|reservations?|tourists?|museums?|restaurants?|maps?)\b"
    r"|航班|机场|护照|签证|行李|登机|车票|机票|门票|火车|高铁|地铁|公交|出租车|车站|酒店|旅馆|入住|退房|预订|游客|博物馆|餐厅|地图",
    re.I,
)
PLACEHOLDER = re.compile(
    r"\{\w*\}|%(?:\d\$)?[sdif]|\$\{\w+\}|</?[a-z][\w-]*/?>|https?://\S+|\b[\w.]+@[\w.]+\w|__\w+__"
)
# What many people type by mistake, or for short.
TYPOS = re.compile(
    r"\b(?:teh|adn|taht|waht|hte|recieve|definately|seperate|tommorow|tomorow|untill|wich|becuase|freind|beleive|adress"
    r"|accomodation|occured|alot|dont|cant|wont|doesnt|didnt|im|ive|whats|wheres|hows|thats|u|ur|pls|plz|thx|r)\b"
    r"|因该|以经|在见|在来|已后|坐位|做车|那里[？?]|帐号|登陆帐|既使|按装|必竟|的很好吃|怎么.{1,6}地[？?]?$",
    re.I,
)
FINAL = tuple(".!?…。！？\"”'’）)」』:：;；")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,:]\d+)*")


def words_in(text: str) -> int:
    """Words between spaces; a text of Chinese counts half its characters, about as many words."""
    characters = sum(map(is_han, text))
    others = WORD.findall("".join(" " if is_han(one) else one for one in text)) if characters < len(text) else ()
    return len(others) + (characters + 1) // 2


def _matches(pattern: re.Pattern[str]) -> Callable[[Segment], bool]:
    return lambda segment: pattern.search(segment.source) is not None


def has_amount(segment: Segment) -> bool:
    """A number that must have its counterpart, in digits or words."""
    return any(amount.required for amount in read(segment.source).amounts)


def in_capitals(segment: Segment) -> bool:
    """English in capital letters alone: two words at least, so that abbreviations are none."""
    words = WORD.findall(segment.source)
    return segment.target == "zh" and len(words) > 1 and len(segment.source) > 5 and segment.source.isupper()


def lacks_full_stop(segment: Segment) -> bool:
    """A sentence, by its length, without a mark at its end."""
    return words_in(segment.source) > 2 and not segment.source.rstrip().endswith(FINAL)


SOURCES: Mapping[str, Rule] = {
    "amounts": Rule(has_amount, "amounts and numbers", "数字与数量"),
    "decimals": Rule(_matches(DECIMAL), "decimals", "小数"),
    "thousands": Rule(_matches(THOUSANDS), "thousands", "千位数"),
    "large": Rule(_matches(LARGE), "million, billion, 万, 亿", "万、亿、百万"),
    "percent": Rule(_matches(PERCENT), "percent", "百分数"),
    "currency": Rule(_matches(CURRENCY), "currencies", "货币"),
    "dates": Rule(_matches(DATE), "dates", "日期"),
    "times": Rule(_matches(TIME), "times", "时间"),
    "ordinals": Rule(_matches(ORDINAL), "ordinals", "序数"),
    "phones": Rule(_matches(PHONE), "phone numbers", "电话号码"),
    "codes": Rule(_matches(CODE), "flight, seat and other codes", "航班号、座位号等"),
    "coffee": Rule(_matches(COFFEE), "coffee", "咖啡"),
    "travel": Rule(_matches(TRAVEL), "travel", "旅行"),
    "one word": Rule(lambda segment: words_in(segment.source) == 1, "single words", "单个词"),
    "two words": Rule(lambda segment: words_in(segment.source) == 2, "two words", "两个词"),
    "capitals": Rule(in_capitals, "ALL CAPS", "全大写"),
    "no full stop": Rule(lacks_full_stop, "no full stop", "句末无标点"),
    "typos": Rule(_matches(TYPOS), "common misspellings", "常见错字"),
    "placeholders": Rule(_matches(PLACEHOLDER), "placeholders, links", "占位符与链接"),
}

# Translations

# The same word, or words, three times in a row; in Chinese the same characters four times.
REPEATED = {
    "en": re.compile(r"\b(\w+(?:\W+\w+){0,3})(?:\W+\1\b){2}", re.I),
    "zh": re.compile(r"([^\W\d_]{1,6}?)(?:[，、。 ]?\1){3}"),
}
LATIN_WORD = re.compile(r"(?<![A-Za-z.@/-])[a-z]{3,}")
HAN = re.compile("[一-鿿]")
ENTITY = re.compile(r"&(?:#\d+|#x[\da-f]+|[a-z]+);", re.I)
FOREIGN_MARKS = {
    "en": re.compile("[，。！？；：（）、「」]"),
    "zh": re.compile("(?<=[一-鿿])[,.!?;:](?!\\d)|[,!?;](?=[一-鿿])"),
}
TOO_LONG, TOO_SHORT, FEWEST = 1.8, 0.5, 6  # times the reference, and characters that the lengths differ by


def is_empty(segment: Segment) -> bool:
    """No letter and no digit where the source has some."""
    return not normalised(segment.hypothesis) and bool(normalised(segment.source))


def loses_numbers(segment: Segment) -> bool:
    """A number is lost, made up or of another value; the same value in another form is kept."""
    return not numbers_kept(segment.source, segment.hypothesis)


def loses_placeholders(segment: Segment) -> bool:
    """A slot, tag, link or address of the source is not there to the character."""
    return any(match[0] not in segment.hypothesis for match in PLACEHOLDER.finditer(segment.source))


def is_copy(segment: Segment) -> bool:
    """The source again, where the reference is another text."""
    text = normalised(segment.hypothesis)
    return bool(text) and text == normalised(segment.source) and text not in map(normalised, segment.references)


def repeats(segment: Segment) -> bool:
    """The same words again and again, as neither source nor reference has them."""
    pattern = REPEATED[segment.target]
    if not pattern.search(segment.hypothesis):
        return False
    return not any(map(pattern.search, segment.references)) and not any(
        one.search(segment.source) for one in REPEATED.values()
    )


def has_traditional(segment: Segment) -> bool:
    """A character of traditional Chinese that neither source nor reference has."""
    theirs = segment.source + "".join(segment.references)
    return segment.target == "zh" and any(is_traditional(one) for one in segment.hypothesis if one not in theirs)


def in_wrong_script(segment: Segment) -> bool:
    """Chinese characters in English; in Chinese a word in small Latin letters that no reference has."""
    if segment.target == "en":
        return HAN.search(segment.hypothesis) is not None
    known = " ".join(segment.references).lower()
    return any(word not in known for word in LATIN_WORD.findall(segment.hypothesis))


def has_foreign_marks(segment: Segment) -> bool:
    """English punctuation beside Chinese characters, or Chinese punctuation in English."""
    return FOREIGN_MARKS[segment.target].search(segment.hypothesis) is not None


def has_entities(segment: Segment) -> bool:
    """Characters written as HTML writes them (`&#39;`), which the source has not."""
    return ENTITY.search(segment.hypothesis) is not None and ENTITY.search(segment.source) is None


def adds_content(segment: Segment) -> bool:
    """Far longer than the longest reference."""
    ours, theirs = len(segment.hypothesis), max(map(len, segment.references))
    return ours > TOO_LONG * theirs and ours - theirs >= FEWEST


def omits_content(segment: Segment) -> bool:
    """Far shorter than the shortest reference, yet not empty."""
    ours, theirs = len(segment.hypothesis), min(map(len, segment.references))
    return ours < TOO_SHORT * theirs and theirs - ours >= FEWEST and not is_empty(segment)


FAULTS: Mapping[str, Rule] = {
    "empty": Rule(is_empty, "empty", "空译文"),
    "numbers": Rule(loses_numbers, "numbers lost or changed", "数字丢失或改变"),
    "placeholders lost": Rule(loses_placeholders, "placeholders or links lost", "占位符或链接丢失"),
    "copied": Rule(is_copy, "untranslated copies", "照抄原文"),
    "repeated": Rule(repeats, "repetition", "重复"),
    "traditional": Rule(has_traditional, "traditional characters", "繁体字"),
    "script": Rule(in_wrong_script, "words in the other script", "夹杂另一种文字"),
    "punctuation": Rule(has_foreign_marks, "the other language's punctuation", "标点不规范"),
    "entities": Rule(has_entities, "HTML entities", "HTML 实体"),
    "added": Rule(adds_content, "far longer than the reference", "远长于参考译文"),
    "omitted": Rule(omits_content, "far shorter than the reference", "远短于参考译文"),
}
