"""Earlier results that lie beside a new one: the same test set and direction, over time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import metric_for
from marian_distill.files import read_json
from marian_distill.languages import DIRECTIONS, languages_of


class Earlier(TypedDict):
    """A result in a file: when it was made, of which system, its score in the metric that decides."""

    file: str
    made_at: str
    system: str
    score: float
    interval: list[float]


def history_in(folder: Path, skip: Sequence[Path] = ()) -> dict[str, list[Earlier]]:
    """Results of scripts/evaluate_model.py and scripts/compare_models.py in a folder's *.json, the oldest first.

    Args:
        folder: where to look, not below it.
        skip: files that are not earlier ones.

    Returns:
        By task, `TEST_FILE_NAME en-zh`. What is no such file, or an unreadable one, is passed over: other programs
        may write there too.
    """
    found: dict[str, list[Earlier]] = {}
    for path in sorted(folder.glob("*.json")):
        if path.resolve() in {one.resolve() for one in skip}:
            continue
        try:
            value = read_json(path)
        except UserError:
            continue
        for system, report in _reports(value):
            if earlier := _earlier(path, system, report, value):
                found.setdefault(task_key(report["test_file"], report["direction"]), []).append(earlier)
    return {task: sorted(entries, key=lambda one: one["made_at"]) for task, entries in found.items()}


def task_key(test_file: str, direction: str) -> str:
    """What a test set in a direction is called, wherever the file lies."""
    return f"{Path(test_file).name} {direction}"


def _reports(value: Any) -> list[tuple[str, Any]]:
    """The reports of a file of either script, with the system's name where the file gives it."""
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("systems"), dict):
        return [(name, one) for name, many in value["systems"].items() if isinstance(many, list) for one in many]
    results = value.get("results", [value])
    return [("", one) for one in results] if isinstance(results, list) else []


def _earlier(path: Path, system: str, report: Any, value: Mapping[str, Any]) -> Earlier | None:
    if not isinstance(report, dict) or report.get("direction") not in DIRECTIONS:
        return None
    score = report.get(metric_for(languages_of(report["direction"])[1]).name.lower())
    if not isinstance(report.get("test_file"), str) or not isinstance(score, dict):
        return None
    number, interval = score.get("score"), score.get("interval")
    if not isinstance(number, int | float):
        return None
    known = isinstance(interval, list) and len(interval) == 2 and all(isinstance(one, int | float) for one in interval)
    origin = value.get("origin")
    made_at = origin.get("made_at") if isinstance(origin, dict) else None
    if not isinstance(made_at, str):
        made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return {
        "file": path.name,
        "made_at": made_at,
        "system": str(system or report.get("model_dir") or report.get("hypotheses") or path.stem),
        "score": float(number),
        "interval": [float(one) for one in interval] if known and interval else [float(number), float(number)],
    }
