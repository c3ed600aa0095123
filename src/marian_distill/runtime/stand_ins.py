"""What a model sees in place of what it is not trusted with, and how that is found again in its translation.

Small models have no piece that means "leave this alone", and would lose one. They copy numbers and know cities.
"""

import re
from typing import Literal, NamedTuple

from marian_distill.languages import Language, is_han
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

LONGEST_NAME = 4  # words; a Chinese one has two or three characters


class Disguise(NamedTuple):
    """A source as the model sees it, and what is looked for in its translation.

    Args:
        text: with words or stand-ins for the spans.
        sought: for each span, in order, what may stand for it in the translation, and the span that it then is.
        once: those that may not be there twice: stand-ins.
    """

    text: str
    sought: list[dict[str, Span]]
    once: frozenset[str]


def disguised(source: Masked, style: Style, source_language: Language, target_language: Language) -> Disguise | None:
    """The source in one of the styles; None where it has nothing for it."""
    words = style == "words"
    if words and source.spans and not any(span.translation for span in source.spans):
        return None
    if not words and not source.spans:
        return None
    text = source.filled(lambda span: span.source)
    if style == "numbers":
        names = [(number, number) for number in NUMBERS if number not in text]
    else:
        names = [(city[source_language], city[target_language]) for city in CITIES]
    free = iter([(name, translation) for name, translation in names if name not in text])
    shown, sought, once, stand_ins = [], [], set(), set()
    for span in source.spans:
        if words and span.translation:
            shown.append(span.source)
            sought.append({one.translation.lower(): one for one in (*reversed(span.others), span)})
            continue
        name, translation = next(free, ("", ""))
        if not name or _is_clause(span):
            return None
        shown.append(name)
        sought.append({translation.lower(): span})
        stand_ins.add(name)
        once.add(translation.lower())
    return Disguise(_with_shown(source.text, shown, stand_ins), sought, frozenset(once))


def _is_clause(span: Span) -> bool:
    """Whether an element holds more than a name could stand for."""
    is_element = span.target != span.translation
    return is_element and (len(span.source.split()) > LONGEST_NAME or sum(map(is_han, span.source)) > 3 * LONGEST_NAME)


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


def restored(translation: str, disguise: Disguise) -> Masked | None:
    """The translation with its spans masked where they were found; None where one is missing, or is there twice."""
    translation = translation.replace(MASK, "")
    if not disguise.sought:
        return Masked(translation)
    longest_first = sorted({text for texts in disguise.sought for text in texts}, key=len, reverse=True)
    waiting = dict(enumerate(disguise.sought))
    between, found, last = [], [], 0
    for match in re.finditer("|".join(map(_as_pattern, longest_first)), translation, re.IGNORECASE):
        text = match[0].lower()
        number = next((number for number, texts in waiting.items() if text in texts), None)
        if number is not None:
            between.append(translation[last : match.start()])
            found.append(waiting.pop(number)[text])
            last = match.end()
        elif text in disguise.once:
            return None
    return None if waiting else Masked(MASK.join([*between, translation[last:]]), tuple(found))


def _as_pattern(sought: str) -> str:
    """The words or the number, not as a part of a longer one."""
    before = r"(?<![A-Za-z])" if sought[0].isascii() and sought[0].isalpha() else ""
    after = r"(?![A-Za-z])" if sought[-1].isascii() and sought[-1].isalpha() else ""
    before = r"(?<!\d)(?<!\d[.,:])" if sought[0].isdecimal() else before
    after = r"(?!\d)(?![.,:]\d)" if sought[-1].isdecimal() else after
    return before + re.escape(sought) + after
