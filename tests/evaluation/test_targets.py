import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.targets import costs_in, missed_targets, parse_targets

REPORT = {
    "test_file": "t.tsv",
    "direction": "en-zh",
    "bleu": {"score": 31.5, "signature": "s"},
    "numbers_kept": None,
    "cost": {"latency_ms": {"p50": 12.0, "p95": 40.0}, "peak_memory_mb": 300.0, "size_mb": 20.0},
}


def test_bounds_are_read_from_one_word_or_several():
    assert parse_targets(["bleu=30,latency_ms=30", "memory_mb=512"]) == {
        "bleu": 30,
        "latency_ms": 30,
        "memory_mb": 512,
    }
    assert parse_targets([]) == {}
    assert costs_in(["bleu", "memory_mb"])
    assert not costs_in(["bleu", "exact"])


@pytest.mark.parametrize("option", ["bleu", "bleu=", "bleu=high", "speed=3", "", "bleu=nan"])
def test_what_is_no_bound_is_told(option):
    with pytest.raises(UserError, match="--target"):
        parse_targets([option])


def test_scores_must_reach_their_bound_and_costs_stay_below():
    assert missed_targets(REPORT, {"bleu": 31.5, "latency_ms": 12, "memory_mb": 512}) == []
    assert missed_targets(REPORT, {"bleu": 32, "latency_p95_ms": 30, "size_mb": 21}) == [
        "t.tsv en-zh: bleu is 31.5, wanted at least 32",
        "t.tsv en-zh: latency_p95_ms is 40, wanted at most 30",
    ]


def test_what_was_not_measured_is_missed():
    assert missed_targets(REPORT, {"chrf": 1, "numbers_kept": 0.9}) == [
        "t.tsv en-zh: chrf was not measured, wanted 1",
        "t.tsv en-zh: numbers_kept was not measured, wanted 0.9",
    ]
