import random

import numpy as np
import pytest
import sacrebleu

from marian_distill.evaluation.metrics import reported_metrics
from marian_distill.evaluation.significance import (
    chrf_scores,
    corpus_score,
    grouped_interval,
    interval_of,
    paired_bootstrap,
    resampled_scores,
    segment_statistics,
    share_interval,
)

WORDS = ["the", "train", "to", "Suzhou", "leaves", "from", "platform", "nine", "at", "half", "past", "four", "today"]


def corpus(sentences=80, wrong=0.2, seed=1):
    """References, and translations in which so many words are missing."""
    rng = random.Random(seed)
    references = [" ".join(rng.sample(WORDS, rng.randrange(5, 12))) + "." for _ in range(sentences)]
    hypotheses = [" ".join(word for word in text.split() if rng.random() > wrong) for text in references]
    return references, hypotheses


@pytest.mark.parametrize("key", ["bleu", "chrf++"])
def test_scores_and_intervals_are_sacrebleus(key):
    references, hypotheses = corpus()
    metric = reported_metrics("en")[key]
    statistics = segment_statistics(metric, hypotheses, [references])
    theirs = reported_metrics("en")[key].corpus_score(hypotheses, [references], n_bootstrap=1000)
    assert corpus_score(metric, statistics) == pytest.approx(theirs.score)
    low, high = interval_of(resampled_scores(metric, [statistics])[0])
    assert low < theirs.score < high
    assert (low, high) == pytest.approx((theirs._mean - theirs._ci, theirs._mean + theirs._ci), abs=0.6)


def test_a_large_corpus_is_counted_in_parts(monkeypatch):
    references, hypotheses = corpus()
    metric = reported_metrics("en")["bleu"]
    whole = segment_statistics(metric, hypotheses, [references])
    scores = resampled_scores(metric, [whole], 20)
    monkeypatch.setattr("marian_distill.evaluation.significance.COUNTED", 7)
    monkeypatch.setattr("marian_distill.evaluation.significance.SUMMED", 9)
    assert np.array_equal(segment_statistics(metric, hypotheses, [references]), whole)
    assert np.array_equal(resampled_scores(metric, [whole], 20), scores)


def test_chrf_of_many_sums_at_once_is_sacrebleus():
    references, hypotheses = corpus()
    hypotheses[:2] = ["", "x"]
    for metric in (reported_metrics("en")["chrf++"], reported_metrics("zh")["chrf"]):
        statistics = segment_statistics(metric, hypotheses, [references])
        one_by_one = [metric._compute_score_from_stats(row).score for row in statistics.tolist()]
        assert chrf_scores(statistics) == pytest.approx(one_by_one)
        assert chrf_scores(statistics.sum(0)) == pytest.approx(corpus_score(metric, statistics))


def test_groups_of_sentences_give_much_the_same_interval(monkeypatch):
    references, hypotheses = corpus(sentences=400)
    metric = reported_metrics("en")["chrf++"]
    statistics = segment_statistics(metric, hypotheses, [references])
    whole = interval_of(resampled_scores(metric, [statistics])[0])
    assert grouped_interval(statistics) == pytest.approx(whole, abs=0.3)
    monkeypatch.setattr("marian_distill.evaluation.significance.MOST_GROUPS", 100)
    assert grouped_interval(statistics) == pytest.approx(whole, abs=0.6)


def test_the_same_seed_gives_the_same_draws():
    references, hypotheses = corpus()
    metric = reported_metrics("en")["chrf++"]
    statistics = segment_statistics(metric, hypotheses, [references])
    once = resampled_scores(metric, [statistics], 50)
    assert np.array_equal(once, resampled_scores(metric, [statistics], 50))
    assert not np.array_equal(once, resampled_scores(metric, [statistics], 50, seed=2))


def test_a_real_difference_is_told_from_chance():
    references, good = corpus(wrong=0.1)
    _, bad = corpus(wrong=0.4)
    _, alike = corpus(wrong=0.1, seed=1)
    metric = reported_metrics("en")["bleu"]
    better, worse = (segment_statistics(metric, texts, [references]) for texts in (good, bad))
    found = paired_bootstrap(metric, better, worse)
    assert found["p_value"] < 0.01
    assert 0 < found["interval"][0] < found["difference"] < found["interval"][1]
    assert paired_bootstrap(metric, worse, better)["difference"] == pytest.approx(-found["difference"])
    same = paired_bootstrap(metric, better, segment_statistics(metric, alike, [references]))
    assert same == {"difference": 0.0, "interval": [0.0, 0.0], "p_value": 1.0}


def test_one_changed_sentence_of_eighty_is_chance():
    references, hypotheses = corpus()
    other = [*hypotheses[:-1], references[-1]]
    metric = reported_metrics("en")["bleu"]
    found = paired_bootstrap(
        metric, segment_statistics(metric, other, [references]), segment_statistics(metric, hypotheses, [references])
    )
    assert found["difference"] > 0
    assert found["p_value"] > 0.05


def test_any_of_several_references_counts():
    metric = reported_metrics("zh")["chrf"]
    statistics = segment_statistics(metric, ["安全", "电梯"], [["保险箱", "电梯"], ["安全", None]])
    assert corpus_score(metric, statistics) == pytest.approx(100)
    assert "nrefs:var" in str(metric.get_signature())
    assert isinstance(metric, sacrebleu.CHRF)


def test_the_interval_of_a_share():
    """Against the table of Newcombe 1998: 81 of 263 is 0.2553 to 0.3662."""
    assert share_interval(81 / 263, 263) == [0.2553, 0.3662]
    assert share_interval(1.0, 10)[1] == 1.0
    assert share_interval(0.0, 10)[0] == 0.0
