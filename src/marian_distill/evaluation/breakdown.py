"""A test set taken apart: a score for each slice (`rules.SOURCES`) and source length, a share for each fault."""

from collections.abc import Sequence
from math import inf
from typing import NotRequired, TypedDict

import numpy as np

from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.rules import FAULTS, SOURCES, Segment, words_in
from marian_distill.evaluation.significance import chrf_scores, grouped_interval, sentence_scores, share_interval
from marian_distill.languages import Direction, languages_of

# Classes of sources by length: what they are called, the least words and the most.
LENGTHS: dict[str, tuple[int, float]] = {
    "1": (1, 1),
    "2": (2, 2),
    "3-5": (3, 5),
    "6-10": (6, 10),
    "11-20": (11, 20),
    "21-40": (21, 40),
    "41+": (41, inf),
}
WORST = 5


class Part(TypedDict):
    """A part of a test set. `score` is the character F-score that decides (`metric_for`), of the part alone.

    `worst` are row numbers, from 0, of the lowest scores by sentence; `kept` is the share of sentences whose numbers
    are all there, where the part is about numbers.
    """

    sentences: int
    score: float
    interval: list[float]
    worst: list[int]
    kept: NotRequired[float]


class Fault(TypedDict):
    """In how many translations a fault was found, the share with its interval, row numbers of the worst."""

    sentences: int
    share: float
    interval: list[float]
    worst: list[int]


class Breakdown(TypedDict):
    """Slices and faults by the names of their rules; lengths by the classes of `LENGTHS`."""

    slices: dict[str, Part]
    lengths: dict[str, Part]
    faults: dict[str, Fault]


NUMERIC = ("amounts", "decimals", "thousands", "large", "percent", "currency", "dates", "times", "ordinals", "phones")


def break_down(
    test: EvaluationSet, direction: Direction, hypotheses: Sequence[str], statistics: np.ndarray
) -> Breakdown:
    """Take a system's result apart.

    Args:
        test: the test set.
        direction: of the translations.
        hypotheses: the translations.
        statistics: of each sentence in the metric that decides, `[sentences, statistics]` (`segment_statistics`).
    """
    source, target = languages_of(direction)
    in_slice = {name: np.zeros(len(hypotheses), bool) for name in SOURCES}
    faulty = {name: np.zeros(len(hypotheses), bool) for name in FAULTS}
    words = np.zeros(len(hypotheses), np.int32)
    sentences = zip(test.side(source), test.side(target), hypotheses, strict=True)
    for number, (texts, references, hypothesis) in enumerate(sentences):
        segment = Segment(texts[0], references, hypothesis, target)
        words[number] = words_in(segment.source)
        for rules, found in ((SOURCES, in_slice), (FAULTS, faulty)):
            for name, rule in rules.items():
                found[name][number] = rule.holds(segment)
    scores = sentence_scores(statistics)
    slices = {name: _part(rows, statistics, scores) for name, rows in in_slice.items() if rows.any()}
    for name in slices.keys() & set(NUMERIC):
        slices[name]["kept"] = round(1 - float(faulty["numbers"][in_slice[name]].mean()), 4)
    return {
        "slices": slices,
        "lengths": {
            name: _part(rows, statistics, scores)
            for name, (least, most) in LENGTHS.items()
            if (rows := (words >= least) & (words <= most)).any()
        },
        "faults": {name: _fault(rows, scores) for name, rows in faulty.items()},
    }


def _worst(rows: np.ndarray, scores: np.ndarray) -> list[int]:
    numbers = np.flatnonzero(rows)
    return numbers[np.argsort(scores[numbers], kind="stable")[:WORST]].tolist()


def _part(rows: np.ndarray, statistics: np.ndarray, scores: np.ndarray) -> Part:
    chosen = statistics[rows]
    return {
        "sentences": int(rows.sum()),
        "score": round(float(chrf_scores(chosen.sum(0, dtype=np.int64))), 4),
        "interval": grouped_interval(chosen),
        "worst": _worst(rows, scores),
    }


def _fault(rows: np.ndarray, scores: np.ndarray) -> Fault:
    share = float(rows.mean())
    return {
        "sentences": int(rows.sum()),
        "share": round(share, 4),
        "interval": share_interval(share, len(rows)),
        "worst": _worst(rows, scores),
    }
