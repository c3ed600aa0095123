"""Named filters of what a teacher says of a source, beyond those of any pair (`text.cleaning`)."""

import re
from collections.abc import Callable, Sequence

from marian_distill.languages import Language, is_han
from marian_distill.text.audit import wrong_language

_MARKUP = re.compile(
    r"```|\*\*|<[/|]?[a-z][^<>]{0,40}>|\{[a-z_]+\}|^(?:#{1,6}|[-*•])\s",
    re.IGNORECASE | re.MULTILINE,
)
_REFUSAL = re.compile(
    r"\bas an ai\b|\bai (?:language model|assistant)\b"
    r"|\bi(?:'m| am)? (?:can(?:'t|not)|unable to|not able to) (?:translate|assist with|help with (?:that|this))"
    r"|(?:作为|我是)(?:一个|一名)?(?:AI|人工智能|语言模型)|我(?:无法|不能)(?:提供|进行)?(?:翻译|协助)",
    re.IGNORECASE,
)
_HAN_RUN = re.compile(r"[一-鿿]{2,}")
_LOWER_CASE_WORDS = re.compile(r"\b[a-z]{2,}(?: [a-z]{2,})+\b")
# Simplified as well, though GB 2312 lacks them.
_RARE = frozenset("焗潟瞭喆堃")


def traditional(source: str, translation: str, language: Language) -> bool:
    """A traditional character in Chinese that the source does not have."""
    return language == "zh" and any(is_traditional(one) for one in translation if one not in source)


def is_traditional(character: str) -> bool:
    """Whether only traditional Chinese has a character: in Big5, not among GB 2312's 6,763 of simplified."""
    return is_han(character) and character not in _RARE and _in(character, "big5") and not _in(character, "gb2312")


def _in(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def markup(source: str, translation: str, _language: Language) -> bool:
    """Markdown, a tag or a template's slot that the source does not have."""
    theirs = {match.lower() for match in _MARKUP.findall(source)}
    return any(match.lower() not in theirs for match in _MARKUP.findall(translation))


def explanation(source: str, translation: str, _language: Language) -> bool:
    """More lines than the source has: remarks, alternatives, a list."""
    return _lines(translation) > _lines(source)


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.split("\n"))


def refusal(source: str, translation: str, _language: Language) -> bool:
    """What a language model says in place of a translation."""
    return _REFUSAL.search(translation) is not None and _REFUSAL.search(source) is None


def mixed_language(source: str, translation: str, language: Language) -> bool:
    """Chinese words in English; in Chinese two words of the source or more in a row that are no names."""
    if language == "en":
        return _HAN_RUN.search(translation) is not None
    return any(words in source for words in _LOWER_CASE_WORDS.findall(translation))


def other_language(source: str, translation: str, language: Language) -> bool:
    """Neither English nor Chinese, by its script or its function words."""
    return wrong_language(translation, "") if language == "en" else wrong_language("", translation)


# In this order: the first that hits is the reason that is counted.
FILTERS: Sequence[Callable[[str, str, Language], bool]] = (
    refusal,
    explanation,
    markup,
    traditional,
    mixed_language,
    other_language,
)


def first_fault(source: str, translation: str, language: Language) -> str:
    """Name of the first filter that hits a translation into `language`; "" when none does."""
    return next((hits.__name__ for hits in FILTERS if hits(source, translation, language)), "")
