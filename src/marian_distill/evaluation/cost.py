"""What a model costs to run, measured in a process of its own: size, load time, peak memory, latency, throughput.

The process does nothing else, so that its peak memory is the engine's: no sacreBLEU, and of a CTranslate2 folder or a
bundle no torch either.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from marian_distill.errors import UserError, run_command
from marian_distill.languages import Direction, is_han

WARM_UP, MOST_TIMED = 10, 200
BATCHED = 512


class Latency(TypedDict):
    """Milliseconds of one sentence at a time."""

    p50: float
    p95: float
    p99: float


class Cost(TypedDict):
    """What a model costs in one direction.

    `source_words_per_second` counts Chinese by the character.
    """

    size_mb: float
    compute_type: str
    threads: int
    beam_size: int
    load_seconds: float
    peak_memory_mb: float | None
    latency_ms: Latency
    timed_sentences: int
    sentences_per_second: float
    source_words_per_second: float


def measure_cost(
    model_dir: str | Path,
    direction: Direction,
    sources: Sequence[str],
    beam_size: int = 1,
    max_decoding_length: int = 96,
    device: str = "cpu",
    compute_type: str = "default",
    threads: int = 1,
) -> Cost:
    """Measure a model folder on the first of some sentences.

    Args:
        model_dir: what `load_translator` takes.
        direction: what it translates.
        sources: sentences; at most `MOST_TIMED` of them are translated one by one, `BATCHED` all at once.
        beam_size, max_decoding_length, device, compute_type, threads: see `load_translator`.

    Raises:
        UserError: the process failed, with its last line.
    """
    order = {
        "model_dir": str(model_dir),
        "direction": direction,
        "sources": list(sources[: max(MOST_TIMED, BATCHED)]),
        "options": [beam_size, max_decoding_length, device, compute_type, threads],
    }
    done = subprocess.run(
        [sys.executable, "-m", "marian_distill.evaluation.cost"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},  # torch's threads
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"{model_dir}: its cost could not be measured ({said.removeprefix('error: ')})")
    return json.loads(done.stdout.splitlines()[-1])


def size_mb(folder: str | Path) -> float:
    """Megabytes of what a model folder needs to translate: no checkpoints, logs or training state."""
    files = [path for path in Path(folder).iterdir() if path.is_file() and path.suffix not in (".md", ".log", ".pt")]
    return round(sum(path.stat().st_size for path in files) / 1e6, 2)


def source_words(text: str) -> int:
    """Words between spaces, and every Chinese character as one; punctuation is none."""
    characters = sum(map(is_han, text))
    others = "".join(" " if is_han(character) else character for character in text)
    return characters + sum(any(map(str.isalnum, word)) for word in others.split())


def _measure(order: dict[str, Any]) -> Cost:
    from marian_distill.evaluation.evaluate import load_translator
    from marian_distill.runtime.memory import peak_memory_mb

    sources, (beam_size, *_, threads) = order["sources"], order["options"]
    start = time.perf_counter()
    translator = load_translator(order["model_dir"], order["direction"], *order["options"])
    load_seconds = time.perf_counter() - start
    translator.translate(sources[:WARM_UP])
    milliseconds = []
    for source in sources[:MOST_TIMED]:
        start = time.perf_counter()
        translator.translate([source])
        milliseconds.append(1000 * (time.perf_counter() - start))
    batch = sources[:BATCHED]
    start = time.perf_counter()
    translator.translate(batch)
    seconds = time.perf_counter() - start
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(milliseconds, [50, 95, 99]))
    peak = peak_memory_mb()
    return {
        "size_mb": size_mb(order["model_dir"]),
        "compute_type": translator.compute_type,
        "threads": threads,
        "beam_size": beam_size,
        "load_seconds": round(load_seconds, 3),
        "peak_memory_mb": None if peak is None else round(peak, 1),
        "latency_ms": {"p50": p50, "p95": p95, "p99": p99},
        "timed_sentences": len(milliseconds),
        "sentences_per_second": round(len(batch) / seconds, 2),
        "source_words_per_second": round(sum(map(source_words, batch)) / seconds, 1),
    }


def main() -> None:
    """Read what to measure from stdin, print the cost as the last line."""
    print(json.dumps(_measure(json.load(sys.stdin))))


if __name__ == "__main__":
    run_command(main)
