"""What a language model's folder is worth: bits per byte of a text, size, tokens a second, memory."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from marian_distill.runtime.generation import Cost, Sampling, TokenGenerator, stream_text

BATCH = 64  # rows that are scored at once


class Measures(TypedDict):
    """One engine on one text."""

    model: str
    compute_type: str
    megabytes: float  # of the weights
    perplexity: float  # a token
    bits_per_byte: float
    tokens: int
    tokens_per_second: float | None  # greedy, one text at a time
    first_token_ms: float | None
    scored_tokens_per_second: float


def measure(generator: TokenGenerator, name: str, megabytes: float, texts: Sequence[str]) -> Measures:
    """Score texts, then go on from the beginning of some of them.

    Args:
        generator: loaded.
        name: for the report.
        megabytes: of its weights.
        texts: samples that the model was not trained on.
    """
    start = time.perf_counter()
    nats, tokens = summed_nats(generator, texts)
    seconds = time.perf_counter() - start
    greedy = Sampling(temperature=0.0, max_new_tokens=min(64, generator.context // 2))
    prompts = [text[: max(1, len(text) // 4)] for text in texts[:9]]
    list(stream_text(generator, prompts[0], greedy))  # kernels are chosen once
    cost = Cost()
    for prompt in prompts[1:]:
        list(stream_text(generator, prompt, greedy, cost))
    report = cost.report()
    size = sum(len(text.encode()) + 1 for text in texts)
    return Measures(
        model=name,
        compute_type=generator.compute_type,
        megabytes=round(megabytes, 2),
        perplexity=round(math.exp(nats / tokens), 3),
        bits_per_byte=round(nats / math.log(2) / size, 4),
        tokens=tokens,
        tokens_per_second=report["tokens_per_second"],
        first_token_ms=report["first_token_ms"],
        scored_tokens_per_second=round(tokens / seconds, 1),
    )


def summed_nats(generator: TokenGenerator, texts: Sequence[str]) -> tuple[float, int]:
    """What the texts and their ends cost, in nats, and how many tokens they are; long ones are cut at the context."""
    tokenizer, most = generator.tokenizer, generator.context
    rows = []
    for ids in tokenizer.encode(texts):
        whole = [tokenizer.start_id, *ids, tokenizer.end_id]
        rows += [whole[start : start + most + 1] for start in range(0, len(whole) - 1, most)]
    found = [generator.log_probabilities(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)]
    return -sum(sum(row) for batch in found for row in batch), sum(len(row) - 1 for row in rows)


def bits_per_byte(generator: TokenGenerator, texts: Sequence[str]) -> float:
    """Bits that the model needs for a byte of these texts, their ends (a byte each) included."""
    nats, _ = summed_nats(generator, texts)
    return nats / math.log(2) / sum(len(text.encode()) + 1 for text in texts)


def weight_megabytes(model_dir: str | Path) -> float:
    """Size of a folder's weights: model.bin, or safetensors."""
    folder = Path(model_dir)
    files = [path for pattern in ("model.bin", "model*.safetensors") for path in folder.glob(pattern)]
    return sum(path.stat().st_size for path in files) / 1e6
