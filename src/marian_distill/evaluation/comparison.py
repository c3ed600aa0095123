"""Systems side by side on the same test files: scores, each held against the first system's, and costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from marian_distill.errors import UserError
from marian_distill.evaluation.evaluation_sets import EvaluationSet, read_hypotheses
from marian_distill.evaluation.metrics import metric_for
from marian_distill.evaluation.runs import (
    Baselines,
    ModelOptions,
    Result,
    Translations,
    baselines_of,
    evaluate_model,
    hypotheses_name,
    score_translations,
)
from marian_distill.languages import DIRECTIONS, Direction, directions_of, languages_of
from marian_distill.runtime.bundle import BUNDLE_FILE

SIGNIFICANT = 0.05


class System(NamedTuple):
    """A model folder, or a folder of translations (`money.en-zh.txt`) of one that is not here."""

    name: str
    folder: Path


def parse_systems(options: Sequence[str]) -> list[System]:
    """`FOLDER` or `NAME=FOLDER` of each; `UserError` for no folder, or a name that two have."""
    systems = []
    for option in options:
        name, _, folder = option.rpartition("=")
        system = System(name or Path(folder).name, Path(folder))
        if not system.folder.is_dir():
            raise UserError(f"{system.folder}: no such folder. Give a model folder or one with translations.")
        if system.name in [other.name for other in systems]:
            raise UserError(f"{option}: {system.name!r} is another system's name; give NAME={folder}")
        systems.append(system)
    return systems


def compare(
    systems: Sequence[System],
    tests: Sequence[EvaluationSet],
    direction: str | None,
    options: ModelOptions,
    cost_threads: int | None = None,
    training_cache: Path | None = None,
) -> dict[str, list[Result]]:
    """Every system's results by its name; those after the first are held against it (`against_baseline`)."""
    compared: dict[str, list[Result]] = {}
    baselines: Baselines = {}
    for system in systems:
        if any((system.folder / name).is_file() for name in ("config.json", BUNDLE_FILE, "model.bin")):
            results = evaluate_model(
                system.folder, tests, direction, options,
                baselines=baselines, cost_threads=cost_threads, training_cache=training_cache,
            )  # fmt: skip
        else:
            theirs = _translations_in(system.folder, tests, direction)
            results = score_translations(theirs, tests, str(system.folder), baselines)
        if not compared:
            baselines = baselines_of(results)
        compared[system.name] = results
    return compared


def _translations_in(folder: Path, tests: Sequence[EvaluationSet], direction: str | None) -> Translations:
    found: Translations = {}
    for test in tests:
        for one in directions_of(direction) if direction else DIRECTIONS:
            path = folder / hypotheses_name(test, one)
            if path.is_file() and test.direction in (None, one):
                found[test.path, one] = read_hypotheses(path, test)
    if not found:
        raise UserError(f"{folder}: neither a model nor translations of {tests[0].path} ({tests[0].name}.en-zh.txt)")
    return found


def rows_of(compared: Mapping[str, Sequence[Result]], direction: Direction) -> list[list[str]]:
    """A table in one direction, its head first: a row a system, a column a test file, then what it costs.

    A cell is the score that decides (chrF into Chinese, chrF++ into English), half the width of its interval, and
    BLEU; `*` where the difference from the first system is not chance (p < 0.05). [] when nothing was scored in it.
    """
    metric = metric_for(languages_of(direction)[1]).name
    names = list(
        dict.fromkeys(
            result.test.name
            for results in compared.values()
            for result in results
            if result.report["direction"] == direction
        )
    )
    if not names:
        return []
    rows = [[f"{direction}: {metric} / BLEU", *names, "MB", "peak MB", "ms p50", "sentences/s"]]
    for system, results in compared.items():
        reports = {one.test.name: one.report for one in results if one.report["direction"] == direction}
        cells = [_cell(reports[name], metric.lower()) if name in reports else "" for name in names]
        rows.append([system, *cells, *_cost_cells(next(iter(reports.values()), {}))])
    measured = [column for column in range(len(rows[0])) if any(row[column] for row in rows[1:])]
    return [[row[column] for column in measured] for row in rows]


def _cell(report: Mapping[str, Any], key: str) -> str:
    low, high = report[key]["interval"]
    against = report.get("against_baseline", {}).get(key)
    mark = "*" if against and against["p_value"] < SIGNIFICANT else ""
    return f"{report[key]['score']:.1f}{mark} ±{(high - low) / 2:.1f} / {report['bleu']['score']:.1f}"


def _cost_cells(report: Mapping[str, Any]) -> list[str]:
    cost = report.get("cost")
    if not cost:
        return [""] * 4
    return [
        f"{cost['size_mb']:.1f}",
        f"{cost['peak_memory_mb'] or 0:.0f}",
        f"{cost['latency_ms']['p50']:.1f}",
        f"{cost['sentences_per_second']:.0f}",
    ]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )


def signatures_of(compared: Mapping[str, Sequence[Result]]) -> dict[str, str]:
    """Signature by metric and direction."""
    return {
        f"{key} {result.report['direction']}": result.report[key]["signature"]
        for results in compared.values()
        for result in results
        for key in ("bleu", "chrf", "chrf++")
        if key in result.report
    }
