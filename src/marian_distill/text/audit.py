"""Suspect pairs of a parallel corpus, with reasons and a score, for a person to look at: nothing is dropped here.

A hint is a sign that a pair may be wrong, with a weight between 0 and 1 that says how strong a sign it is. A pair's
score is 1 − Π (1 − weight): hints add up and never pass 1.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from marian_distill.edited import unedited_writer
from marian_distill.languages import is_han
from marian_distill.text.cleaning import Limits, chinese_length, han_in_en, length_ratio, no_han_in_zh, untranslated
from marian_distill.text.numbers import numbers_kept

# Characters and phrases that written Mandarin does without. Cantonese: Bauer & Matthews 2017, "Cantonese".
CANTONESE = re.compile("[係唔嘅咗喺冇嚟嗰咁啲佢哋乜嘢諗睇嘥囉喎]|唔該|點解|边个|邊個")
# Particles of classical Chinese where modern text has 的, 他, 吗, 了, 说: two different ones are a sign, one is not.
CLASSICAL = re.compile("[之乎者也矣焉哉兮曰吾汝尔爾其]")
CLASSICAL_KINDS = 3
WORD = re.compile(r"[^\W\d_]+")
# The commonest function words of English, then of French, Spanish, German, Italian, Portuguese, Dutch.
ENGLISH_WORDS, *EUROPEAN_WORDS = (
    frozenset(words.split())
    for words in (
        "the a an of to and in is are was it that for on with you i he we they this be not",
        "le la les des du une un est et que qui dans pour pas sur avec il je vous nous au ce de",
        "el la los las una un es y que en para por con del se al no lo su de",
        "der das und ist nicht ein eine den dem mit auf für von zu sie ich wir es im",
        "il la gli una un di che per con non è del della sono si le",
        "o os uma um que em para com não do da dos das por é de",
        "het een van en dat niet op te zijn met voor ik je de",
    )
)
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
COLUMNS = ("score", "hints", "row", "source", "en", "zh", "new_en", "new_zh", "drop")  # the last three: for a person


def too_short(english: str, chinese: str) -> bool:
    """A single character on either side: a menu key, a stray letter."""
    return len(english.strip()) < 2 or chinese_length(chinese.strip()) < 1 or len(chinese.strip()) < 2


def copied_words(english: str, chinese: str) -> bool:
    """Most of the Chinese side is English words of the other side."""
    words = LATIN_WORD.findall(chinese)
    han = sum(map(is_han, chinese))
    theirs = {word.lower() for word in LATIN_WORD.findall(english)}
    return len(words) >= 3 and 2 * len(words) > han and sum(word.lower() in theirs for word in words) >= 3


def wrong_language(english: str, chinese: str) -> bool:
    """Another script on one side (kana, Hangul, Cyrillic, Arabic, Thai), or a European language for the English."""
    return _other_script(english) or _other_script(chinese) or _other_european(english)


def _other_script(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    foreign = sum(not (character < "\u0250" or is_han(character)) for character in letters)
    return foreign > 0.3 * len(letters)


def _other_european(english: str) -> bool:
    """Three function words or more of one of the other languages, and fewer of English: names have them too."""
    words = WORD.findall(english.lower())
    ours = sum(word in ENGLISH_WORDS for word in words)
    return any(sum(word in theirs for word in words) >= max(3, ours + 1) for theirs in EUROPEAN_WORDS)


def number_mismatch(english: str, chinese: str) -> bool:
    """A number that stands on one side alone (`numbers_kept`)."""
    return not numbers_kept(english, chinese)


def cantonese(_english: str, chinese: str) -> bool:
    """A character that only Cantonese is written with."""
    return CANTONESE.search(chinese) is not None


def classical(_english: str, chinese: str) -> bool:
    """Three kinds of classical particles in one text, or two in a short one without 的, 了, 是."""
    kinds = set(CLASSICAL.findall(chinese))
    modern = any(particle in chinese for particle in "的了是们")
    return len(kinds) >= CLASSICAL_KINDS + modern or (
        len(kinds) == CLASSICAL_KINDS - 1 and len(chinese) < 20 and not modern
    )


def no_chinese(english: str, chinese: str) -> bool:
    """No Chinese character on the Chinese side."""
    return no_han_in_zh(english, chinese, Limits())


def untranslated_copy(english: str, chinese: str) -> bool:
    """The same text on both sides."""
    return untranslated(english, chinese, Limits())


def chinese_as_english(english: str, chinese: str) -> bool:
    """Mostly Chinese on the English side."""
    return han_in_en(english, chinese, Limits())


def unequal_lengths(english: str, chinese: str) -> bool:
    """One side far too long for the other, by stricter limits than cleaning has."""
    return length_ratio(english, chinese, Limits(characters_per_word=3.0, words_per_character=1.2, slack=6))


HINTS: dict[Callable[[str, str], bool], float] = {
    untranslated_copy: 1.0,
    no_chinese: 0.9,
    chinese_as_english: 0.9,
    wrong_language: 0.8,
    copied_words: 0.6,
    number_mismatch: 0.6,
    unequal_lengths: 0.5,
    too_short: 0.4,
    cantonese: 0.7,
    classical: 0.5,
}


@dataclass(frozen=True)
class Suspect:
    """A pair with at least one hint.

    Args:
        row: its place in the corpus, from 1.
        source: its label.
        hints: names of `HINTS`, strongest first.
        score: 0 to 1.
    """

    row: int
    source: str
    en: str
    zh: str
    hints: tuple[str, ...]
    score: float


def audit(rows: Iterable[tuple[str, str, str]]) -> Iterator[Suspect]:
    """The suspects among rows of (English, Chinese, label)."""
    for number, (english, chinese, source) in enumerate(rows, start=1):
        hit = {hint.__name__: weight for hint, weight in HINTS.items() if hint(english, chinese)}
        if hit:
            hints = tuple(sorted(hit, key=hit.__getitem__, reverse=True))
            yield Suspect(number, source, english, chinese, hints, round(1 - prod(1 - w for w in hit.values()), 3))


def write_suspects(path: Path, suspects: Iterable[Suspect], report: dict[str, Any]) -> None:
    """A CSV that `corrections.read_corrections` reads once a person has filled in its last columns, and its report."""
    with unedited_writer(path, report) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in suspects:
            writer.writerow([one.score, " ".join(one.hints), one.row, one.source, one.en, one.zh, "", "", ""])
