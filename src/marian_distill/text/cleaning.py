"""Cleaning parallel text: named filters that drop rows and never change one, counted by reason and by source.

Rows that are repeated on purpose are repeated after cleaning (`corpus.mix`): here a second copy is a duplicate.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np

from marian_distill.languages import is_han
from marian_distill.text.corpus import source_labels

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd]")
UNITS = re.compile(r"[!-~]+|[^\s!-~]")
# Of what the filters say: one more, whenever one of them would judge a row otherwise.
FILTERS_VERSION = 1
KEPT, DUPLICATE = "", "duplicate"


@dataclass(frozen=True)
class Limits:
    """Lengths and ratios beyond which a pair is dropped; English in words, Chinese in characters.

    A run of ASCII inside Chinese text (a name, a number, an address) counts as one character.

    Args:
        max_words: longest English text.
        max_characters: longest Chinese text.
        characters_per_word: most Chinese characters that one English word may become.
        words_per_character: most English words that one Chinese character may become.
        slack: words or characters above these ratios that are let through, so that terms (`Accessibility` 辅助功能),
            idioms and dictionary entries stay.
    """

    max_words: int = 150
    max_characters: int = 300
    characters_per_word: float = 4.0
    words_per_character: float = 2.0
    slack: int = 12


def empty(english: str, chinese: str, _limits: Limits) -> bool:
    """Nothing but white space on one side."""
    return not english.strip() or not chinese.strip()


def control_characters(english: str, chinese: str, _limits: Limits) -> bool:
    """A control character, or U+FFFD from a broken decoding, on one side."""
    return CONTROLS.search(english) is not None or CONTROLS.search(chinese) is not None


def untranslated(english: str, chinese: str, _limits: Limits) -> bool:
    """The same text on both sides."""
    return english.strip() == chinese.strip()


def no_han_in_zh(_english: str, chinese: str, _limits: Limits) -> bool:
    """No Chinese character on the Chinese side."""
    return not any(map(is_han, chinese))


def han_in_en(english: str, _chinese: str, _limits: Limits) -> bool:
    """More Chinese characters than Latin letters on the English side: a quoted character may stay."""
    return not english.isascii() and 2 * sum(map(is_han, english)) > sum(map(str.isalpha, english))


def too_long(english: str, chinese: str, limits: Limits) -> bool:
    """More words or characters than a sentence has."""
    return english_length(english) > limits.max_words or chinese_length(chinese) > limits.max_characters


def length_ratio(english: str, chinese: str, limits: Limits) -> bool:
    """One side far too long for the other: not a translation, or cut."""
    words, characters = english_length(english), chinese_length(chinese)
    return (
        characters > limits.characters_per_word * words + limits.slack
        or words > limits.words_per_character * characters + limits.slack
    )


# In this order: the first that hits is the reason that is counted.
FILTERS: tuple[Callable[[str, str, Limits], bool], ...] = (
    empty,
    control_characters,
    untranslated,
    no_han_in_zh,
    han_in_en,
    too_long,
    length_ratio,
)
REASONS = (KEPT, *(function.__name__ for function in FILTERS), DUPLICATE)


def first_reason(english: str, chinese: str, limits: Limits) -> str:
    """Name of the first filter that hits a pair; "" when none does."""
    return next((drops.__name__ for drops in FILTERS if drops(english, chinese, limits)), KEPT)


@dataclass(frozen=True)
class CleaningReport:
    """How many rows of each source were kept, and how many dropped for which reason.

    Args:
        counts: source → reason → rows; the reason "" is "kept".
    """

    counts: dict[str, dict[str, int]]

    @property
    def kept(self) -> int:
        """Rows kept."""
        return sum(reasons[KEPT] for reasons in self.counts.values())

    @property
    def dropped(self) -> dict[str, int]:
        """Rows dropped by reason, in the order of the filters."""
        return {reason: sum(reasons[reason] for reasons in self.counts.values()) for reason in REASONS[1:]}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: `{"kept", "dropped": {reason: rows}, "sources": {source: {"kept", "dropped"}}}`."""
        return {
            "kept": self.kept,
            "dropped": self.dropped,
            "sources": {
                source: {
                    "kept": reasons[KEPT],
                    "dropped": {reason: rows for reason, rows in reasons.items() if reason != KEPT and rows},
                }
                for source, reasons in self.counts.items()
            },
        }

    def table(self) -> str:
        """For people: a line a source, a column a reason that occurred, the sum at the end."""
        reasons = [reason for reason, rows in self.dropped.items() if rows]
        header = ["source", "kept", *reasons]
        rows = [[name, counts[KEPT], *(counts[r] for r in reasons)] for name, counts in self.counts.items()]
        rows.append(["total", self.kept, *(self.dropped[reason] for reason in reasons)])
        cells = [header, *([row[0], *(f"{number:,}" for number in row[1:])] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in cells
        )


def clean(
    dataset: datasets.Dataset, limits: Limits | None = None, *, num_proc: int | None = None
) -> tuple[datasets.Dataset, CleaningReport]:
    """Drop the rows that a filter hits, then all but the first of each pair.

    Args:
        dataset: string columns `en`, `zh` and `source`.
        limits: lengths and ratios; the defaults if None.
        num_proc: processes.
    """
    judged = dataset.map(
        _judge_batch,
        batched=True,
        num_proc=num_proc,
        remove_columns=dataset.column_names,
        features=datasets.Features({"reason": datasets.Value("int8"), "key": datasets.Value("int64")}),
        desc="Cleaning",
        fn_kwargs={"limits": limits or Limits(), "version": FILTERS_VERSION},
    ).with_format("numpy")
    reasons, keys = np.array(judged["reason"][:]), np.asarray(judged["key"][:])
    candidates = np.flatnonzero(reasons == REASONS.index(KEPT))
    first = candidates[np.unique(keys[candidates], return_index=True)[1]]
    reasons[candidates] = REASONS.index(DUPLICATE)
    reasons[first] = REASONS.index(KEPT)
    kept = np.flatnonzero(reasons == REASONS.index(KEPT))
    codes, names = source_labels(dataset)
    table = np.zeros((len(names), len(REASONS)), np.int64)
    np.add.at(table, (codes, reasons), 1)
    counts = {name: dict(zip(REASONS, row, strict=True)) for name, row in zip(names, table.tolist(), strict=True)}
    return (dataset if len(kept) == len(dataset) else dataset.select(kept)), CleaningReport(counts)


def english_length(text: str) -> int:
    """Words."""
    return len(text.split())


def chinese_length(text: str) -> int:
    """Characters without spaces; a run of printable ASCII is one."""
    return len(UNITS.findall(text))


def _judge_batch(batch: dict[str, list[str]], *, limits: Limits, version: int) -> dict[str, list[int]]:
    """The number of the first reason to drop each row (0: none), and a 64-bit hash of the pair.

    `version` makes the cache's fingerprint change with the filters.
    """
    pairs = list(zip(batch["en"], batch["zh"], strict=True))
    return {
        "reason": [REASONS.index(first_reason(english, chinese, limits)) for english, chinese in pairs],
        "key": [_pair_hash(english, chinese) for english, chinese in pairs],
    }


def _pair_hash(english: str, chinese: str) -> int:
    text = f"{english.strip()}\t{chinese.strip()}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)
