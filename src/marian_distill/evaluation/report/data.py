"""What the page shows, as plain data: gathered here, drawn by page.js and `figures`.

A task is a test set in a direction; a system has a result in each task that it was scored in. Rows of a test set are
named by their numbers, from 0, and their texts stand once in a task, for all lists of sentences.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

import numpy as np

from marian_distill.evaluation.breakdown import Fault, Part
from marian_distill.evaluation.cost import Cost
from marian_distill.evaluation.metrics import metric_for
from marian_distill.evaluation.rules import FAULTS, SOURCES
from marian_distill.evaluation.runs import Result
from marian_distill.evaluation.significance import Comparison, sentence_scores
from marian_distill.languages import Direction, languages_of

# Sentences of a list. A longer text is cut: nobody reads it on a page.
LISTED, LONGEST_TEXT = 30, 600

Compared = Mapping[str, Sequence[Result]]


class SystemResult(TypedDict):
    """A system in a task. Scores are figures by metric, `against` the differences from other systems by name."""

    scores: dict[str, float]
    intervals: dict[str, list[float]]
    kept: list[float] | None
    exact: list[float]
    against: dict[str, dict[str, Comparison]]
    slices: dict[str, Part]
    lengths: dict[str, Part]
    faults: dict[str, Fault]
    worst: list[int]
    different: dict[str, list[int]]
    cost: NotRequired[Cost]
    speed: NotRequired[float]
    seen: NotRequired[str]


class Row(TypedDict):
    """A sentence: source, references, and by system its translation and the score of the sentence alone."""

    source: str
    references: list[str]
    texts: dict[str, str]
    scores: dict[str, float]


class Task(TypedDict):
    """A test set in a direction: what all systems make of it."""

    name: str
    test_file: str
    direction: Direction
    sentences: int
    metric: str
    signatures: dict[str, str]
    systems: dict[str, SystemResult]
    rows: dict[str, Row]


class Names(NamedTuple):
    """A text of the page in both of its languages."""

    english: str
    chinese: str


def gather_tasks(compared: Compared, listed: int = LISTED) -> list[Task]:
    """Every task that a system was scored in, in the order of the test sets.

    Args:
        compared: each system's results by its name; the first is the one that the report is about.
        listed: sentences of each list.
    """
    by_task: dict[tuple[str, Direction], dict[str, Result]] = {}
    for system, results in compared.items():
        for result in results:
            by_task.setdefault((str(result.test.path), result.direction), {})[system] = result
    return [_task(results, listed) for results in by_task.values()]


def _task(results: Mapping[str, Result], listed: int) -> Task:
    first = next(iter(results.values()))
    metric = metric_for(languages_of(first.direction)[1]).name
    scores = {name: sentence_scores(result.scored.statistics) for name, result in results.items()}
    systems = {name: _system(name, results, scores, listed) for name in results}
    wanted = sorted({row for one in systems.values() for row in _rows_of(one)})
    source, target = languages_of(first.direction)
    sources, references = first.test.side(source), first.test.side(target)
    shown = _shown_in(systems)
    return {
        "name": first.test.name,
        "test_file": str(first.test.path),
        "direction": first.direction,
        "sentences": len(first.test.rows),
        "metric": metric,
        "signatures": {key: first.report[key]["signature"] for key in first.scored.draws},
        "systems": systems,
        "rows": {
            str(row): {
                "source": _cut(sources[row][0]),
                "references": list(map(_cut, references[row])),
                "texts": {name: _cut(results[name].hypotheses[row]) for name in results if row in shown[name]},
                "scores": {name: round(float(scores[name][row]), 1) for name in results if row in shown[name]},
            }
            for row in wanted
        },
    }


def _system(name: str, results: Mapping[str, Result], scores: Mapping[str, np.ndarray], listed: int) -> SystemResult:
    result, report = results[name], results[name].report
    first, others = next(iter(results)), [other for other in results if other != name]
    kept, exact = report["numbers_kept"], report["exact"]
    found: SystemResult = {
        "scores": {key: report[key]["score"] for key in result.scored.draws},
        "intervals": {key: report[key]["interval"] for key in result.scored.draws},
        "kept": None if kept is None else [kept, *report["numbers_kept_interval"]],
        "exact": [exact, *report["exact_interval"]],
        "against": {other: result.scored.against(results[other].scored) for other in others},
        "slices": report["slices"],
        "lengths": report["lengths"],
        "faults": report["faults"],
        "worst": np.argsort(scores[name], kind="stable")[:listed].tolist(),
        # Of what differs from the system that the report is about; of that one, from every other.
        "different": {
            other: _most_different(result, results[other], scores[name] - scores[other], listed)
            for other in others
            if first in (name, other)
        },
    }
    if "cost" in report:
        found["cost"] = report["cost"]
    if "sentences_per_second" in report:
        found["speed"] = report["sentences_per_second"]
    if seen := report.get("training_overlap"):
        found["seen"] = f"{seen['pairs']} / {seen['sentences']}"
    return found


def _most_different(ours: Result, theirs: Result, gained: np.ndarray, listed: int) -> list[int]:
    order = np.argsort(-np.abs(gained), kind="stable")[:listed].tolist()
    return [row for row in order if ours.hypotheses[row] != theirs.hypotheses[row]]


def _rows_of(system: SystemResult) -> set[int]:
    parts: list[Any] = [*system["slices"].values(), *system["lengths"].values(), *system["faults"].values()]
    lists = [system["worst"], *system["different"].values(), *(part["worst"] for part in parts)]
    return {row for rows in lists for row in rows}


def _shown_in(systems: Mapping[str, SystemResult]) -> dict[str, set[int]]:
    """The rows that each system's translation is shown of: its own, those beside which it stands, the first's all."""
    shown = {name: _rows_of(system) for name, system in systems.items()}
    everything = set().union(*shown.values())
    first = next(iter(systems))
    for system in systems.values():
        for other, rows in system["different"].items():
            shown[other] |= set(rows)
    return shown | {first: everything}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def rule_names() -> dict[str, Names]:
    """What the page calls slices and faults."""
    return {name: Names(rule.english, rule.chinese) for name, rule in {**SOURCES, **FAULTS}.items()}
