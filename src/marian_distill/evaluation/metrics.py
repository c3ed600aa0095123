"""BLEU and chrF++ with their signatures, by sacreBLEU (https://aclanthology.org/W18-6319)."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import sacrebleu

from marian_distill.errors import UserError
from marian_distill.languages import CHRF_WORD_ORDER, Language


class Score(TypedDict):
    """A corpus score from 0 to 100 and the sacreBLEU signature that says how it was computed."""

    score: float
    signature: str


def bleu(hypotheses: Sequence[str], references: Sequence[str], target_language: Language) -> Score:
    """Corpus BLEU; Chinese is split into characters (`zh`), English by the `13a` rules."""
    metric = sacrebleu.BLEU(tokenize="zh" if target_language == "zh" else "13a")
    return _score(metric, hypotheses, references)


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


def _score(metric: sacrebleu.BLEU | sacrebleu.CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    if len(hypotheses) != len(references) or not hypotheses:
        raise ValueError(f"{len(hypotheses)} hypotheses, {len(references)} references: expected as many, at least one")
    result = metric.corpus_score(list(hypotheses), [list(references)])
    return {"score": round(result.score, 4), "signature": str(metric.get_signature())}
