"""Pictures of the benchmarks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def bars(rounds: Mapping[str, Sequence[float]], label: str, path: Path) -> None:
    """A bar a way: the median of its rounds, and a dot for each."""
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.65 * len(rounds)), layout="constrained")
    axes.barh(list(rounds), [median(speeds) for speeds in rounds.values()], color="#9ec5e8")
    for place, speeds in enumerate(rounds.values()):
        axes.plot(speeds, [place] * len(speeds), "k.", markersize=4)
        axes.annotate(f" {median(speeds):,.0f}", (median(speeds), place), va="center")
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.set_xlabel(f"{label} (bar: median; dots: rounds)")
    figure.savefig(path, dpi=150)
    plt.close(figure)
