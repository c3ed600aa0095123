"""How fast a bundle is where this runs: a call of each graph, a whole sentence, memory. For boards above all."""

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from marian_distill.languages import Language, languages_of
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.memory import peak_memory_mb
from marian_distill.runtime.static import Arrays, Session

SENTENCES: dict[Language, tuple[str, ...]] = {
    "en": (
        "Good morning.",
        "give me a cup of latte",
        "The total is 19.99 USD.",
        "Where is the nearest station?",
        "Could I have two iced coffees to go, please?",
        "Tom is going to Beijing on 2026-04-20.",
        "My flight was delayed by three hours.",
        "We need a table for four by the window, if there is one.",
    ),
    "zh": (
        "早上好。",
        "给我一杯拿铁",
        "总额为19.99美元。",
        "最近的车站在哪里？",
        "请给我两杯冰咖啡，带走。",
        "汤姆2026-04-20去北京。",
        "我的航班晚点了三个小时。",
        "我们要一张四个人的桌子，最好靠窗。",
    ),
}


class TimedSession:
    """A session that notes how long each call took, in milliseconds."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.milliseconds: list[float] = []

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs for inputs (see `Session`)."""
        start = time.perf_counter()
        outputs = self.session.run(inputs)
        self.milliseconds.append(1000 * (time.perf_counter() - start))
        return outputs


def benchmark(
    folder: str | Path, texts: Sequence[str], repeats: int, beam_size: int = 1, threads: int = 1
) -> dict[str, Any]:
    """Translate texts one by one and report times in milliseconds and peak resident memory in MB.

    Args:
        folder: a bundle.
        texts: sources; `SENTENCES` of the bundle's direction when empty.
        repeats: how often all of them are translated, after one round that does not count.
        beam_size, threads: see `BundleTranslator`.
    """
    start = time.perf_counter()
    translator = BundleTranslator(folder, beam_size=beam_size, threads=threads)
    load_seconds = time.perf_counter() - start
    model = translator.model
    timed = {"encoder": TimedSession(model.encoder), "decoder": TimedSession(model.decoder)}
    model.encoder, model.decoder = timed["encoder"], timed["decoder"]
    if model.projection is not None:
        model.projection = timed["projection"] = TimedSession(model.projection)

    texts = texts or SENTENCES[languages_of(translator.direction)[0]]
    translator.translate(texts)
    for session in timed.values():
        session.milliseconds.clear()
    sentences = []
    for _ in range(repeats):
        for text in texts:
            start = time.perf_counter()
            translator.translate([text])
            sentences.append(1000 * (time.perf_counter() - start))
    config = translator.config
    peak = peak_memory_mb()
    return {
        "target": config["target"],
        "dtype": config["dtype"],
        "cached": config["cached"],
        "toolkit": config["toolkit"],
        "machine": f"{platform.machine()} {platform.release()}, Python {platform.python_version()}",
        "beam_size": beam_size,
        "sentences": len(sentences),
        "decoder_calls_a_sentence": round(len(timed["decoder"].milliseconds) / len(sentences), 2),
        "load_seconds": round(load_seconds, 3),
        **{f"{name}_ms": spread_of(session.milliseconds) for name, session in timed.items()},
        "sentence_ms": spread_of(sentences),
        "peak_memory_mb": None if peak is None else round(peak, 1),
    }


def spread_of(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and mean."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "mean": round(float(np.mean(values)), 3)}
