"""Score translations of a test set, whoever made them: every figure with its interval, and against another system."""

from collections.abc import Sequence
from typing import Any

from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.metrics import Score, reported_metrics
from marian_distill.evaluation.significance import (
    CONFIDENCE,
    SAMPLES,
    SEED,
    Comparison,
    corpus_score,
    interval_of,
    paired_bootstrap,
    resampled_scores,
    segment_statistics,
    share_interval,
)
from marian_distill.evaluation.slices import numbers_kept_share
from marian_distill.languages import Direction, languages_of
from marian_distill.text.numbers import NUMBER
from marian_distill.text.overlap import normalised


def score(
    test: EvaluationSet,
    direction: Direction,
    hypotheses: Sequence[str],
    baseline: Sequence[str] | None = None,
    samples: int = SAMPLES,
) -> dict[str, Any]:
    """The report of one test set in one direction, for JSON.

    Args:
        test: sources and references.
        direction: which side is the source.
        hypotheses: translations, one a row of the test set.
        baseline: another system's.
        samples: of the bootstrap; 0 leaves intervals and the comparison out.

    Returns:
        `direction`, `sentences`, `test_file`, `bleu`, `chrf++`, for Chinese `chrf` (`Score`), `numbers_kept` (the
        share of sentences with numbers whose translation has the same ones by value, None when no sentence has one)
        and `exact` (the share that equals a reference but for case, punctuation and spaces), each with its interval;
        `against_baseline`, by metric; `bootstrap`, which tells how intervals came about.
    """
    test.check_direction(direction)
    references = test.references(direction)
    report: dict[str, Any] = {"direction": direction, "sentences": len(test.rows), "test_file": str(test.path)}
    against: dict[str, Comparison] = {}
    for key, metric in reported_metrics(languages_of(direction)[1]).items():
        statistics = segment_statistics(metric, hypotheses, references)
        found = Score(score=round(corpus_score(metric, statistics), 4), signature=str(metric.get_signature()))
        if samples:
            found["interval"] = interval_of(resampled_scores(metric, [statistics], samples)[0])
        report[key] = found
        if baseline is not None and samples:
            theirs = segment_statistics(metric, baseline, references)
            against[key] = paired_bootstrap(metric, statistics, theirs, samples)

    sources = test.sources(direction)
    with_numbers = sum(NUMBER.search(source) is not None for source in sources)
    kept = numbers_kept_share(sources, hypotheses)
    accepted = (set(map(normalised, texts)) for texts in test.side(languages_of(direction)[1]))
    exact = sum(normalised(text) in wanted for text, wanted in zip(hypotheses, accepted, strict=True)) / len(sources)
    report |= {
        "numbers_kept": kept,
        "numbers_kept_interval": None if kept is None else share_interval(kept, with_numbers),
        "exact": round(exact, 4),
        "exact_interval": share_interval(exact, len(sources)),
    }
    if samples:
        report["bootstrap"] = {"samples": samples, "seed": SEED, "confidence": CONFIDENCE}
    if against:
        report["against_baseline"] = against
    return report
