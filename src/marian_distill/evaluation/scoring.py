"""Score translations of a test set, whoever made them: every figure with its interval, and against another system."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from marian_distill.evaluation.breakdown import break_down
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.metrics import Score, metric_for, reported_metrics
from marian_distill.evaluation.significance import (
    CONFIDENCE,
    SAMPLES,
    SEED,
    Comparison,
    comparison_of,
    corpus_score,
    interval_of,
    resampled_scores,
    segment_statistics,
    share_interval,
)
from marian_distill.evaluation.slices import numbers_kept_share
from marian_distill.languages import Direction, languages_of
from marian_distill.text.numbers import NUMBER
from marian_distill.text.overlap import normalised


class Scored(NamedTuple):
    """The score of a system, and what it takes to compare it.

    Args:
        report: for JSON (see `score`).
        statistics: of each sentence in the metric that decides, `[sentences, statistics]`.
        draws: by metric, the scores of the bootstrap's samples; those of two systems are on the same ones.
    """

    report: dict[str, Any]
    statistics: np.ndarray
    draws: dict[str, np.ndarray]

    def against(self, baseline: "Scored") -> dict[str, Comparison]:
        """The differences from another system's scores, by metric."""
        return {
            key: comparison_of(self.report[key]["score"] - baseline.report[key]["score"], drawn, baseline.draws[key])
            for key, drawn in self.draws.items()
        }


def score(
    test: EvaluationSet,
    direction: Direction,
    hypotheses: Sequence[str],
    baseline: Scored | None = None,
    samples: int = SAMPLES,
) -> Scored:
    """Score translations of one test set in one direction.

    Args:
        test: sources and references.
        direction: which side is the source.
        hypotheses: translations, one a row of the test set.
        baseline: another system on the same test set, with as many samples.
        samples: of the bootstrap; 0 leaves intervals, the comparison and the breakdown out.

    Returns:
        A report with `direction`, `sentences`, `test_file`, `bleu`, `chrf++`, for Chinese `chrf` (`Score`),
        `numbers_kept` (the share of sentences with numbers whose translation has the same ones by value, None when no
        sentence has one) and `exact` (the share that equals a reference but for case, punctuation and spaces), each
        with its interval; `slices`, `lengths` and `faults` (`Breakdown`); `against_baseline`, by metric; `bootstrap`,
        which tells how intervals came about.
    """
    test.check_direction(direction)
    target = languages_of(direction)[1]
    decisive = metric_for(target).name.lower()
    references = test.references(direction)
    report: dict[str, Any] = {"direction": direction, "sentences": len(test.rows), "test_file": str(test.path)}
    draws: dict[str, np.ndarray] = {}
    kept_statistics = np.empty((0, 0))
    for key, metric in reported_metrics(target).items():
        statistics = segment_statistics(metric, hypotheses, references)
        found = Score(score=round(corpus_score(metric, statistics), 4), signature=str(metric.get_signature()))
        if samples:
            draws[key] = resampled_scores(metric, [statistics], samples)[0]
            found["interval"] = interval_of(draws[key])
        report[key] = found
        if key == decisive:
            kept_statistics = statistics

    sources = test.sources(direction)
    with_numbers = sum(NUMBER.search(source) is not None for source in sources)
    kept = numbers_kept_share(sources, hypotheses)
    accepted = (set(map(normalised, texts)) for texts in test.side(target))
    exact = sum(normalised(text) in wanted for text, wanted in zip(hypotheses, accepted, strict=True)) / len(sources)
    report |= {
        "numbers_kept": kept,
        "numbers_kept_interval": None if kept is None else share_interval(kept, with_numbers),
        "exact": round(exact, 4),
        "exact_interval": share_interval(exact, len(sources)),
    }
    if samples:
        report["bootstrap"] = {"samples": samples, "seed": SEED, "confidence": CONFIDENCE}
        report |= break_down(test, direction, hypotheses, kept_statistics)
    scored = Scored(report, kept_statistics, draws)
    if baseline is not None:
        report["against_baseline"] = scored.against(baseline)
    return scored
