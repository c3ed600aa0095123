"""Recorded inputs of graphs, from which a quantizer learns how large its activations get: real sentences, decoded."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.static import Arrays, Session, greedy

Item = TypeVar("Item")

SENTENCES = 20
STEPS = 40


class RecordingSession:
    """A session that keeps a copy of everything that it was given."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.calls: list[Arrays] = []

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs for inputs (see `Session`)."""
        self.calls.append([array.copy() for array in inputs])
        return self.session.run(inputs)


def calibration_lists(
    exact: BundleTranslator, sources: Sequence[list[int]], names: Iterable[str], folder: Path
) -> dict[str, str]:
    """Write recorded inputs of graphs as .npy files and, for each graph, the list of them that the toolkit reads.

    Args:
        exact: the bundle in ONNX Runtime.
        sources: source ids; `SENTENCES` of them are decoded, spread over all.
        names: the graphs to record.
        folder: where to write.

    Returns:
        The path of each graph's list: a line a call, the paths of its inputs in their order.
    """
    model = exact.model
    whole = {"encoder": model.encoder, "decoder": model.decoder, "projection": model.projection}
    recorders = {name: RecordingSession(session) for name, session in whole.items() if session is not None}
    model.encoder, model.decoder = recorders["encoder"], recorders["decoder"]
    model.projection = recorders.get("projection")
    for source in spread(sources, SENTENCES):
        greedy(model, source, exact.max_decoding_length)
    model.encoder, model.decoder, model.projection = whole["encoder"], whole["decoder"], whole["projection"]

    lists = {}
    for name in names:
        lines = []
        for number, inputs in enumerate(spread(recorders[name].calls, STEPS)):
            paths = [folder / f"{name}_{number}_{index}.npy" for index in range(len(inputs))]
            for path, array in zip(paths, inputs, strict=True):
                np.save(path, array, allow_pickle=False)
            lines.append(" ".join(map(str, paths)))
        lists[name] = str(folder / f"{name}.txt")
        Path(lists[name]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lists


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` items, evenly from first to last."""
    if len(items) <= count:
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]
