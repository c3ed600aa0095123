"""Whether numbers, dates and codes come through unharmed, and how well each domain and each held-out split does."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from marian_distill.augment.grammar import Example, amounts_kept
from marian_distill.evaluation.metrics import Score, metric_for
from marian_distill.languages import languages_of
from marian_distill.runtime.translator import Translator
from marian_distill.text.numbers import NUMBER, numbers_kept


class SliceReport(TypedDict):
    """One slice.

    `metric` is the name of what decides for the target language, `score` what it says; of the sentences with something
    to keep (`to_keep`), `kept` is the share that kept it all.
    """

    sentences: int
    metric: str
    score: Score
    to_keep: int
    kept: float | None


def numbers_kept_share(sources: Sequence[str], hypotheses: Sequence[str]) -> float | None:
    """Share of the sources with numbers whose hypothesis has the same, 0 to 1; None when no source has a number."""
    verdicts = [
        numbers_kept(source, hypothesis)
        for source, hypothesis in zip(sources, hypotheses, strict=True)
        if NUMBER.search(source)
    ]
    return round(sum(verdicts) / len(verdicts), 4) if verdicts else None


def evaluate_slices(translator: Translator, slices: Mapping[str, Sequence[Example]]) -> dict[str, SliceReport]:
    """Translate and score each slice in the translator's direction.

    Args:
        translator: the model under test.
        slices: slice name → examples with references and the strings that must survive.
    """
    source_language, target_language = languages_of(translator.direction)
    metric = metric_for(target_language)
    reports: dict[str, SliceReport] = {}
    for name, examples in slices.items():
        sources = [example.en if source_language == "en" else example.zh for example in examples]
        references = [example.zh if target_language == "zh" else example.en for example in examples]
        hypotheses = translator.translate(sources)
        verdicts = [
            amounts_kept(example, hypothesis, target_language)
            for example, hypothesis in zip(examples, hypotheses, strict=True)
            if (example.keep_in_zh if target_language == "zh" else example.keep_in_en)
        ]
        reports[name] = {
            "sentences": len(examples),
            "metric": metric.name,
            "score": metric.corpus(hypotheses, references),
            "to_keep": len(verdicts),
            "kept": round(sum(verdicts) / len(verdicts), 4) if verdicts else None,
        }
    return reports
