"""docs/results.md: kept comparisons as tables and pictures, always the same from the same figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from marian_distill.evaluation.comparison import SIGNIFICANT, markdown
from marian_distill.evaluation.cost import Cost
from marian_distill.evaluation.metrics import Score, metric_for
from marian_distill.evaluation.report.data import Names
from marian_distill.evaluation.report.figures import Point, scatter
from marian_distill.evaluation.report.origin import Origin
from marian_distill.evaluation.significance import Comparison
from marian_distill.languages import Direction, languages_of

HEAD = """# Results

Written by `uv run -s scripts/results_page.py` from the figures in [docs/results](results), which are what to change.
Scores have 95 % intervals; ★ marks a difference from the system that is named first in the command which is more than
chance (paired bootstrap, p < 0.05). Into Chinese chrF decides, into English chrF++. Bold: models of this repository.
"""

Measured = TypedDict(
    "Measured",
    {
        "direction": Direction,
        "test_file": str,
        "sentences": int,
        "bleu": Score,
        "chrf++": Score,
        "chrf": NotRequired[Score],
        "numbers_kept": float | None,
        "against_baseline": NotRequired[dict[str, Comparison]],
        "cost": NotRequired[Cost],
    },
)


class Figures(Measured):
    """A system in a task, as it is kept: `faults` are shares."""

    faults: dict[str, float]


class _Share(TypedDict):
    share: float


class _Report(Measured):
    faults: dict[str, _Share]


class ComparisonFile(TypedDict):
    """What is read of a file of scripts/compare_models.py."""

    baseline: str
    systems: dict[str, list[_Report]]
    origin: Origin


class Kept(TypedDict):
    """A comparison as docs/results keeps it: its title, what is to be said of it, the first system, all figures."""

    title: str
    about: str
    baseline: str
    systems: dict[str, list[Figures]]
    origin: Origin


def kept_figures(comparison: ComparisonFile, title: str, about: str) -> Kept:
    """What is kept of a file that scripts/compare_models.py wrote: figures, no sentences and no rows."""
    systems: dict[str, Any] = {}
    for name, reports in comparison["systems"].items():
        systems[name] = [
            {key: report[key] for key in Measured.__annotations__ if key in report}
            | {
                "test_file": Path(report["test_file"]).name,
                "faults": {fault: found["share"] for fault, found in report["faults"].items()},
            }
            for report in reports
        ]
    return Kept(
        title=title, about=about, baseline=comparison["baseline"], systems=systems, origin=comparison["origin"]
    )


def results_page(comparisons: Mapping[str, Kept]) -> tuple[str, dict[str, str]]:
    """The page, and its pictures by file name.

    Args:
        comparisons: by the names of their files, without `.json`.
    """
    parts, pictures = [HEAD], {}
    for name, kept in comparisons.items():
        parts.append(f"## {kept['title']}\n\n{kept['about']}\n")
        for first in kept["systems"][kept["baseline"]]:
            task = {
                system: report
                for system, reports in kept["systems"].items()
                for report in reports
                if (report["test_file"], report["direction"]) == (first["test_file"], first["direction"])
            }
            stem = first["test_file"].removesuffix(".tsv").removesuffix(f".{first['direction']}")
            picture = f"{name}.{stem}.svg"
            pictures[picture] = _picture(task)
            parts.append(f"### {stem}, {first['direction']}, {first['sentences']:,} sentences\n")
            parts.append(markdown(_rows(task, kept["baseline"])))
            parts.append(f"![quality of the systems on {stem}](results/{picture})\n")
        origin = kept["origin"]
        first = kept["systems"][kept["baseline"]][0]
        signatures = ", ".join(f"`{first[key]['signature']}`" for key in ("bleu", _key(first)))
        parts.append(
            f"Measured {origin['made_at'][:10]} at revision `{origin['git']}` on {origin['machine']}. {signatures}\n\n"
            f"```\n{origin['command']}\n```\n"
        )
    return "\n".join(parts), pictures


def _key(figures: Figures) -> str:
    return metric_for(languages_of(figures["direction"])[1]).name.lower()


def _rows(task: Mapping[str, Figures], baseline: str) -> list[list[str]]:
    """A table, best first."""
    key = _key(task[baseline])
    costs = any("cost" in one for one in task.values())
    head = ["", "system", metric_for(languages_of(task[baseline]["direction"])[1]).name, "BLEU", "numbers kept"]
    head += ["repetition", *(["MB", "ms a sentence, p50"] if costs else [])]
    rows = [head]
    for rank, (name, one) in enumerate(sorted(task.items(), key=lambda item: -item[1][key]["score"]), start=1):
        against = one.get("against_baseline", {}).get(key)
        star = " ★" if against and against["p_value"] < SIGNIFICANT else ""
        kept, cost = one["numbers_kept"], one.get("cost")
        row = [str(rank), f"**{name}**" if "cost" in one else name, _scored(one[key]) + star, _scored(one["bleu"])]
        row += ["" if kept is None else f"{kept:.1%}", f"{one['faults']['repeated']:.1%}"]
        if costs:
            row += [f"{cost['size_mb']:.1f}", f"{cost['latency_ms']['p50']:.1f}"] if cost else ["", ""]
        rows.append(row)
    return rows


def _scored(score: Score) -> str:
    low, high = score.get("interval", [score["score"]] * 2)
    return f"{score['score']:.1f} ({low:.1f}–{high:.1f})"


def _picture(task: Mapping[str, Figures]) -> str:
    points = []
    for name, one in task.items():
        score, cost = one[_key(one)], one.get("cost")
        low, high = score.get("interval", [score["score"]] * 2)
        points.append(Point(name, cost and cost["latency_ms"]["p50"], score["score"], low, high))
    metric = metric_for(languages_of(next(iter(task.values()))["direction"])[1]).name
    x_label = "milliseconds a sentence, median; dotted: not measured" if any(one.x for one in points) else ""
    return scatter(points, Names(x_label, ""), Names(metric, ""), standalone=True) + "\n"


def stale_files(folder: Path, page: str, pictures: Mapping[str, str], output: Path) -> Sequence[Path]:
    """What on the disk is not as it would be written, pictures of comparisons that are gone among them."""
    wanted = {output: page} | {folder / name: picture for name, picture in pictures.items()}
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return [*stale, *(path for path in sorted(folder.glob("*.svg")) if path not in wanted)]
