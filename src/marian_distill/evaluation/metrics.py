"""BLEU and chrF++ with their signatures, by sacreBLEU (https://aclanthology.org/W18-6319)."""

from collections.abc import Sequence
from typing import NamedTuple, NotRequired, TypedDict

import sacrebleu

from marian_distill.languages import CHRF_WORD_ORDER, Language

SacreMetric = sacrebleu.BLEU | sacrebleu.CHRF


class Score(TypedDict):
    """A corpus score from 0 to 100 and the sacreBLEU signature that says how it was computed.

    `interval` holds 95 % of what other samples of as many sentences would score (see `significance`).
    """

    score: float
    signature: str
    interval: NotRequired[list[float]]


def bleu_metric(target_language: Language) -> sacrebleu.BLEU:
    """BLEU; Chinese is split into characters (`zh`), English by the `13a` rules."""
    return sacrebleu.BLEU(tokenize="zh" if target_language == "zh" else "13a")


def bleu(hypotheses: Sequence[str], references: Sequence[str], target_language: Language) -> Score:
    """Corpus BLEU (see `bleu_metric`)."""
    return _score(bleu_metric(target_language), hypotheses, references)


class Metric(NamedTuple):
    """A character F-score: what decides which of two translations, or of two models, is better.

    Args:
        name: as tables have it; in lower case it is the key of reports.
        word_order: longest word n-grams that count beside the characters.
    """

    name: str
    word_order: int

    def corpus(self, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
        """Score of a corpus."""
        return _score(sacrebleu.CHRF(word_order=self.word_order), hypotheses, references)


def metric_for(target_language: Language) -> Metric:
    """chrF++ for English; for Chinese chrF, which counts no words (see `CHRF_WORD_ORDER`)."""
    order = CHRF_WORD_ORDER[target_language]
    return Metric("chrF" + "+" * order, order)


def chrf_plus_plus(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus chrF++: character n-grams to 6 and word n-grams to 2 (Popović 2017)."""
    return _score(sacrebleu.CHRF(word_order=2), hypotheses, references)


def reported_metrics(target_language: Language) -> dict[str, SacreMetric]:
    """What a report holds of each test set, by its key there: `bleu`, `chrf++`, and into Chinese `chrf`."""
    decisive = metric_for(target_language)
    return {
        "bleu": bleu_metric(target_language),
        "chrf++": sacrebleu.CHRF(word_order=2),
        decisive.name.lower(): sacrebleu.CHRF(word_order=decisive.word_order),
    }


def _score(metric: SacreMetric, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    if len(hypotheses) != len(references) or not hypotheses:
        raise ValueError(f"{len(hypotheses)} hypotheses, {len(references)} references: expected as many, at least one")
    result = metric.corpus_score(list(hypotheses), [list(references)])
    return {"score": round(result.score, 4), "signature": str(metric.get_signature())}
