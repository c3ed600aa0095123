"""What a bundle's translations lose against the trained model's, on sentences, as a simulator of its chip has them."""

from collections.abc import Sequence
from typing import TypedDict

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import bleu, metric_for
from marian_distill.languages import languages_of
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.bundle_translator import BundleTranslator

# Points of the metric that decides for the target language (chrF++, in Chinese chrF) that a type may lose.
CHRF_LOST_AT_MOST = {"fp16": 0.1, "w8a8": 0.5, "hybrid": 0.5, "w4a16": 1.0}


class LogitError(TypedDict):
    """Absolute differences from the float32 graph's logits, along the trained model's translations."""

    mean: float
    worst: float


class ParityReport(TypedDict):
    """parity.json.

    `token_match` is the share of sentences whose every token is the trained model's (PyTorch, greedy), and
    `token_match_ctranslate2` CTranslate2's in float32 (None for a model that it does not take). `score` is the one of
    `metric`, which decides for the target language.
    """

    target: str
    dtype: str
    cached: bool
    measured: str
    sentences: int
    token_match: float
    token_match_ctranslate2: float | None
    logit_error: LogitError
    metric: str
    score: float
    score_lost: float
    bleu: float
    bleu_lost: float


def parity_sample(exact: BundleTranslator, pairs: Sequence[tuple[str, str]]) -> tuple[list[list[str]], list[str]]:
    """Source pieces and references of those (English, Chinese) pairs whose source fits the bundle."""
    column = 0 if languages_of(exact.direction)[0] == "en" else 1
    pieces = exact.pieces.source_pieces([pair[column] for pair in pairs], exact.source_tags[exact.direction])
    most = exact.config["source_length"]
    kept = [(source, pair[1 - column]) for source, pair in zip(pieces, pairs, strict=True) if len(source) <= most]
    if not kept:
        raise UserError(f"none of {len(pairs)} parity sentences has {most} source tokens or fewer")
    sources, references = zip(*kept, strict=True)
    return list(sources), list(references)


def parity_report(
    pieces: SentencePieceTokenizer,
    direction: str,
    found: Sequence[list[str]],
    trained: Sequence[list[str]],
    ctranslate2: Sequence[list[str]] | None,
    references: Sequence[str],
    **facts: str | bool | LogitError,
) -> ParityReport:
    """Compare translations (as pieces) of the same sentences, and score them against references.

    Args:
        pieces: of the model, to make text of pieces.
        direction: of the translations.
        found, trained, ctranslate2: the bundle's, PyTorch's and, if there are any, CTranslate2's.
        references: texts.
        facts: `target`, `dtype`, `cached`, `measured` and `logit_error`.
    """
    language = languages_of(direction)[1]
    texts, trained_texts = pieces.decode_all(found), pieces.decode_all(trained)
    metric = metric_for(language)
    score, trained_score = (metric.corpus(each, references)["score"] for each in (texts, trained_texts))
    bleu_score, trained_bleu = (bleu(each, references, language)["score"] for each in (texts, trained_texts))
    return {
        **facts,
        "sentences": len(found),
        "token_match": _share_equal(found, trained),
        "token_match_ctranslate2": None if ctranslate2 is None else _share_equal(found, ctranslate2),
        "metric": metric.name,
        "score": round(score, 2),
        "score_lost": round(trained_score - score, 2),
        "bleu": round(bleu_score, 2),
        "bleu_lost": round(trained_bleu - bleu_score, 2),
    }  # pyright: ignore[reportReturnType]


def _share_equal(found: Sequence[list[str]], expected: Sequence[list[str]]) -> float:
    return round(sum(map(list.__eq__, found, expected)) / len(found), 4)


def parity_table(report: ParityReport) -> str:
    """The report as a Markdown table."""
    error, other = report["logit_error"], report["token_match_ctranslate2"]
    rows = {
        "sentences": f"{report['sentences']}",
        "the trained model's translation, token for token": f"{report['token_match']:.1%}",
        "CTranslate2's (float32), token for token": "–" if other is None else f"{other:.1%}",
        "logit error, mean / worst": f"{error['mean']:.3f} / {error['worst']:.2f}",
        f"{report['metric']} (lost)": f"{report['score']:.2f} ({report['score_lost']:+.2f})",
        "BLEU (lost)": f"{report['bleu']:.2f} ({report['bleu_lost']:+.2f})",
    }
    head = f"| {report['target']} {report['dtype']}, {report['measured']} | |\n|---|---|\n"
    return head + "".join(f"| {name} | {value} |\n" for name, value in rows.items())
