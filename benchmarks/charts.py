"""Pictures of the benchmarks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import EngFormatter, NullLocator


def bars(rounds: Mapping[str, Sequence[float]], label: str, path: Path, title: str = "") -> None:
    """A bar a way: the median of its rounds, and a dot for each; the title says on which machine."""
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.65 * len(rounds)), layout="constrained")
    axes.barh(list(rounds), [median(speeds) for speeds in rounds.values()], color="#9ec5e8")
    for place, speeds in enumerate(rounds.values()):
        axes.plot(speeds, [place] * len(speeds), "k.", markersize=4)
        axes.annotate(f"  {median(speeds):,.0f}", (max(speeds), place), va="center")
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.set_title(title, fontsize="small", wrap=True)
    axes.set_xlabel(f"{label} (bar: median; dots: rounds)")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def curves(panels: Mapping[str, Sequence[tuple[float, float, float]]], path: Path, title: str = "") -> None:
    """A panel a name: points of (size, seconds, megabytes) on logarithmic axes, at least a factor of ten high."""
    rows = -(-len(panels) // 3)
    figure, grid = plt.subplots(rows, 3, figsize=(11, 3 * rows), layout="constrained", squeeze=False)
    figure.suptitle(title, fontsize="small")
    for axes, (name, points) in zip(grid.flat, panels.items(), strict=False):
        sizes, seconds, megabytes = zip(*points, strict=True)
        axes.loglog(sizes, seconds, "o-", color="tab:blue")
        axes.set_xticks(sizes, [EngFormatter(sep="")(size) for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(min(seconds) / 2, max(2 * max(seconds), 5 * min(seconds)))
        axes.set_title(name)
        axes.set_ylabel("seconds", color="tab:blue")
        memory = axes.twinx()
        memory.plot(sizes, megabytes, "s--", color="tab:orange", markersize=4)
        memory.set_ylim(bottom=0)
        memory.set_ylabel("peak MB", color="tab:orange")
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def lines(series: Mapping[str, Sequence[float]], x_label: str, y_label: str, path: Path, title: str = "") -> None:
    """A line a name over 1, 2, 3, …, on axes that begin at zero."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, values in series.items():
        axes.plot(range(1, len(values) + 1), values, label=name, linewidth=1)
    axes.set(xlabel=x_label, ylabel=y_label, ylim=(0, None))
    axes.set_title(title, fontsize="small", wrap=True)
    axes.legend()
    figure.savefig(path, dpi=150)
    plt.close(figure)
