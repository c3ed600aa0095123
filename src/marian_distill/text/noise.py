"""Untidy sources, as people type: typos, another case, no final punctuation, the other script's punctuation marks.

A student that saw only tidy text stumbles over such input; the target stays tidy (Belinkov & Bisk 2018, "Synthetic and
Natural Noise Both Break Neural Machine Translation", https://arxiv.org/abs/1711.02173). Digits are never touched.
"""

import random
import re
from collections.abc import Callable

from marian_distill.languages import Language

_WORD = re.compile(r"[A-Za-z]{4,}")
_FINAL = re.compile(r"\s*[.!?。！？]+\s*$")
# Marks that end or part clauses. A mark between digits is part of a number, or would become one, and stays.
_ASCII_MARK = re.compile(r"(?<!\d)[,;:!?](?=\s|$)|(?<=\d)[,;!?](?=\s|$)")
_FULL_WIDTH_MARK = re.compile(r"(?<!\d)[，；：！？。]|[，；：！？。](?!\d)")
_FULL_WIDTH = dict(zip(",;:!?.", "，；：！？。", strict=True))
_ASCII = {full: mark for mark, full in _FULL_WIDTH.items()}


def untidy(text: str, language: Language, draw: random.Random) -> str:
    """The text with one kind of untidiness, chosen by `draw` among those of its language."""
    return draw.choice(_KINDS[language])(text, draw)


def _typo(text: str, draw: random.Random) -> str:
    """One word of four letters or more with two neighbours swapped, a letter left out, or one doubled."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = draw.choice(words)
    at = draw.randrange(word.start() + 1, word.end() - 1)  # the first letter is seldom wrong
    middle = draw.choice((text[at + 1] + text[at], text[at + 1], text[at] * 2 + text[at + 1]))
    return text[:at] + middle + text[at + 2 :]


def _without_final_mark(text: str, _: random.Random) -> str:
    return _FINAL.sub("", text) or text


def _lower(text: str, _: random.Random) -> str:
    return text.lower()


def _upper(text: str, _: random.Random) -> str:
    return text.upper()


def _title(text: str, _: random.Random) -> str:
    return re.sub(r"(?<![A-Za-z'’])[a-z]", lambda letter: letter.group().upper(), text)


def _full_width_marks(text: str, _: random.Random) -> str:
    return _ASCII_MARK.sub(lambda mark: _FULL_WIDTH[mark.group()], text)


def _ascii_marks(text: str, _: random.Random) -> str:
    return _FULL_WIDTH_MARK.sub(lambda mark: _ASCII[mark.group()], text)


_KINDS: dict[Language, tuple[Callable[[str, random.Random], str], ...]] = {
    "en": (_typo, _typo, _lower, _lower, _upper, _title, _without_final_mark, _full_width_marks),
    "zh": (_without_final_mark, _without_final_mark, _ascii_marks),
}
