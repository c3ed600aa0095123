"""How much of a score, or of a difference between two systems, is the chance of having drawn these test sentences.

Bootstrap resampling (Koehn 2004, https://aclanthology.org/W04-3250): as many sentences are drawn again and again, with
replacement, and scored. Two systems are compared on the same draws. sacreBLEU's own resampling holds every draw at
once, which for a million sentences is terabytes; this one holds one, and gives the same intervals.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any, TypedDict

import numpy as np
import sacrebleu

from marian_distill.evaluation.metrics import SacreMetric

SAMPLES = 1000
SEED = 12345
CONFIDENCE = 0.95
# Sentences at a time: sacreBLEU keeps all n-grams of those that it counts, some 20 KB a sentence.
COUNTED, SUMMED = 1_000, 20_000
# Sentences, or groups of them, that a part of a test set is resampled by.
MOST_GROUPS = 1_000
BETA = 2  # of chrF: recall counts twice as much as precision


class Comparison(TypedDict):
    """A system's score less the baseline's, its 95 % interval, and the probability of as large a one by chance."""

    difference: float
    interval: list[float]
    p_value: float


def segment_statistics(
    metric: SacreMetric, hypotheses: Sequence[str], references: Sequence[Sequence[str | None]]
) -> np.ndarray:
    """What a metric counts in each sentence, `[sentences, statistics]`: their sum gives the corpus score.

    Args:
        metric: whose signature tells of `references` afterwards.
        hypotheses: a system's translations.
        references: lists of as many references; None where a sentence has no more of them.
    """
    statistics, numbers = np.empty((0, 0), np.int32), set()
    for start in range(0, len(hypotheses), COUNTED):
        chunk = slice(start, start + COUNTED)
        # The methods that every metric of sacreBLEU defines; there is no public way to the statistics.
        chunked: Any = [one[chunk] for one in references]  # None is allowed, whatever the annotation says
        counted = np.array(metric._extract_corpus_statistics(hypotheses[chunk], chunked), np.int32)
        if start == 0:
            statistics = np.empty((len(hypotheses), counted.shape[1]), np.int32)
        statistics[chunk] = counted
        numbers.add(metric.num_refs)
    metric.num_refs = numbers.pop() if len(numbers) == 1 else -1  # as sacreBLEU says that they vary
    return statistics


def corpus_score(metric: SacreMetric, statistics: np.ndarray) -> float:
    """The score of all sentences, 0 to 100."""
    return metric._compute_score_from_stats(statistics.sum(0, dtype=np.int64).tolist()).score


def chrf_scores(statistics: np.ndarray) -> np.ndarray:
    """What sacreBLEU's chrF and chrF++ make of their statistics, `[..., 3 × orders]` → `[...]`, all at once."""
    hypothesis, reference, match = np.moveaxis(statistics.reshape(*statistics.shape[:-1], -1, 3).astype(float), -1, 0)
    counted = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(counted.sum(-1), 1)
    precision = np.divide(match, hypothesis, out=np.zeros_like(match), where=counted).sum(-1) / orders
    recall = np.divide(match, reference, out=np.zeros_like(match), where=counted).sum(-1) / orders
    below = BETA**2 * precision + recall
    return 100 * np.divide((1 + BETA**2) * precision * recall, below, out=np.zeros_like(below), where=below > 0)


def sentence_scores(statistics: np.ndarray) -> np.ndarray:
    """chrF of each sentence alone, `[sentences]`; some at a time, for a million take a GB together."""
    parts = range(0, len(statistics), SUMMED)
    return np.concatenate([chrf_scores(statistics[start : start + SUMMED]) for start in parts])


def grouped_interval(statistics: np.ndarray, samples: int = SAMPLES, seed: int = SEED) -> list[float]:
    """95 % interval of chrF over a part of a test set; of many sentences, groups of them are drawn together."""
    generator = np.random.default_rng(seed)
    groups = min(len(statistics), MOST_GROUPS)
    member = generator.permutation(len(statistics)) % groups
    sums = np.zeros((groups, statistics.shape[1]))
    np.add.at(sums, member, statistics)
    drawn = generator.multinomial(groups, np.full(groups, 1 / groups), size=samples)
    return interval_of(chrf_scores(drawn @ sums))


def resampled_scores(
    metric: SacreMetric, systems: Sequence[np.ndarray], samples: int = SAMPLES, seed: int = SEED
) -> np.ndarray:
    """Scores of each system on the same draws, `[systems, samples]`.

    Args:
        metric: the metric.
        systems: `segment_statistics` of each, over the same sentences.
        samples: draws.
        seed: the same seed gives the same draws.
    """
    generator = np.random.default_rng(seed)
    sentences = len(systems[0])
    totals = np.zeros((len(systems), samples, systems[0].shape[1]), np.int64)
    for sample in range(samples):
        drawn = np.bincount(generator.integers(sentences, size=sentences), minlength=sentences)
        for system, statistics in enumerate(systems):
            for start in range(0, sentences, SUMMED):
                part = slice(start, start + SUMMED)
                totals[system, sample] += drawn[part] @ statistics[part].astype(np.int64)
    if isinstance(metric, sacrebleu.CHRF):
        return chrf_scores(totals)
    score = metric._compute_score_from_stats
    return np.array([[score(total).score for total in system] for system in totals.tolist()])


def interval_of(scores: np.ndarray) -> list[float]:
    """Where the middle 95 % of resampled values lie."""
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(scores, [tail, 100 - tail])
    return [round(float(low), 4), round(float(high), 4)]


def paired_bootstrap(
    metric: SacreMetric, system: np.ndarray, baseline: np.ndarray, samples: int = SAMPLES, seed: int = SEED
) -> Comparison:
    """Compare two systems on the same draws (see `comparison_of`)."""
    difference = corpus_score(metric, system) - corpus_score(metric, baseline)
    return comparison_of(difference, *resampled_scores(metric, [system, baseline], samples, seed))


def comparison_of(difference: float, system: np.ndarray, baseline: np.ndarray) -> Comparison:
    """Compare two systems by their scores on the same draws, `[samples]` each, and the difference on all sentences.

    The p-value is two-sided: how often the difference of a draw lies further from the mean of all draws than the
    difference of the two systems lies from 0 (Efron & Tibshirani 1993, chapter 16). sacreBLEU's `--paired-bs` looks at
    one tail and gives up to half of it.
    """
    drawn = system - baseline
    beyond = int(np.sum(np.abs(drawn - drawn.mean()) > abs(difference)))
    return {
        "difference": round(difference, 4),
        "interval": interval_of(drawn),
        "p_value": (beyond + 1) / (len(drawn) + 1) if difference else 1.0,
    }


def share_interval(share: float, count: int) -> list[float]:
    """95 % interval of a share of `count` sentences, 0 to 1 (Wilson 1927)."""
    z = 1.959964
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return [round(max(0.0, centre - half), 4), round(min(1.0, centre + half), 4)]
