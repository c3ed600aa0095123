"""What a model sees in place of what it is not trusted with, and how that is found again in its translation.

Small models have no piece that means "leave this alone", and would lose one. They copy numbers and know cities.
"""

import re
from collections import defaultdict, deque
from typing import Literal, NamedTuple

from marian_distill.languages import Language
from marian_distill.runtime.segmentation import MASK
from marian_distill.runtime.spans import Masked, Span

# words: what a model may translate itself (a term of the glossary, an element's inside) stays as it is.
Style = Literal["words", "numbers", "cities"]
CITIES: tuple[dict[Language, str], ...] = (
    {"en": "Boston", "zh": "波士顿"},
    {"en": "Paris", "zh": "巴黎"},
    {"en": "London", "zh": "伦敦"},
    {"en": "Tokyo", "zh": "东京"},
    {"en": "Chicago", "zh": "芝加哥"},
    {"en": "Berlin", "zh": "柏林"},
)
# Four digits, all different: a year, a price or a measure is another number.
NUMBERS = ("4731", "8294", "6157", "3682", "7518", "5943", "9326", "4865", "6379", "8146", "7253", "3894")


class Disguise(NamedTuple):
    """A source as the model sees it, and what is looked for in its translation.

    Args:
        text: with words or stand-ins for the spans.
        sought: for each span, in order, what stands for it in the translation.
        once: those that may not be there twice: stand-ins.
    """

    text: str
    sought: list[str]
    once: frozenset[str]


def disguised(source: Masked, style: Style, source_language: Language, target_language: Language) -> Disguise | None:
    """The source in one of the styles; None where it has nothing for it."""
    words = style == "words"
    if words and source.spans and not any(span.translation for span in source.spans):
        return None
    if not words and not source.spans:
        return None
    if style == "cities":
        names = [(city[source_language], city[target_language]) for city in CITIES]
    else:
        names = [(number, number) for number in NUMBERS]
    free = iter([pair for pair in names if pair[0] not in source.text and pair[1] not in source.text])
    shown, sought, once = [], [], set()
    for span in source.spans:
        if words and span.translation:
            shown.append(span.source)
            sought.append(span.translation)
            continue
        name, translation = next(free, ("", ""))
        if not name:
            return None
        shown.append(name)
        sought.append(translation)
        once.add(translation)
    return Disguise(_with_shown(source.text, shown, once), sought, frozenset(once))


def _with_shown(text: str, shown: list[str], stand_ins: set[str]) -> str:
    """The text with what is shown of each span; a stand-in keeps a distance to the letters of a word."""
    between = text.split(MASK)
    written = between[0]
    for name, after in zip(shown, between[1:], strict=True):
        apart = name in stand_ins
        written += " " * (apart and _is_latin(written[-1:])) + name + " " * (apart and _is_latin(after[:1])) + after
    return written


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def restored(translation: str, disguise: Disguise, spans: tuple[Span, ...]) -> Masked | None:
    """The translation with its spans masked where they were found; None where one is missing, or is there twice."""
    translation = translation.replace(MASK, "")
    waiting: dict[str, deque[Span]] = defaultdict(deque)
    for sought, span in zip(disguise.sought, spans, strict=True):
        waiting[sought.lower()].append(span)
    if not waiting:
        return Masked(translation)
    longest_first = sorted(set(disguise.sought), key=len, reverse=True)
    texts, found, last = [], [], 0
    for match in re.finditer("|".join(map(_as_pattern, longest_first)), translation, re.IGNORECASE):
        if waiting[match[0].lower()]:
            texts.append(translation[last : match.start()])
            found.append(waiting[match[0].lower()].popleft())
            last = match.end()
        elif match[0] in disguise.once:
            return None
    if len(found) < len(spans):
        return None
    return Masked(MASK.join([*texts, translation[last:]]), tuple(found))


def _as_pattern(sought: str) -> str:
    """The words or the number, not as a part of a longer one."""
    before = r"(?<![A-Za-z])" if sought[0].isascii() and sought[0].isalpha() else ""
    after = r"(?![A-Za-z])" if sought[-1].isascii() and sought[-1].isalpha() else ""
    before = r"(?<!\d)(?<!\d[.,:])" if sought[0].isdecimal() else before
    after = r"(?!\d)(?![.,:]\d)" if sought[-1].isdecimal() else after
    return before + re.escape(sought) + after
