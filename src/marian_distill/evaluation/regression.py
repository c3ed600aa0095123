"""Whether a stage cost what the stage before could do: the same figures of two models, side by side.

Fine-tuning on one domain takes from the others (McCloskey & Cohen 1989, "Catastrophic Interference"); an average over
all test sentences hides it, a look at each domain does not.
"""

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import Score, metric_for
from marian_distill.languages import Direction, languages_of
from marian_distill.schema import read_shaped

# What is read of a file of scripts/evaluate_model.py. Into Chinese it has chrF too.
TestScores = TypedDict(
    "TestScores",
    {
        "direction": Direction,
        "beam_size": NotRequired[int],
        "bleu": Score,
        "chrf++": Score,
        "chrf": NotRequired[Score],
    },
)


class OneSlice(TypedDict):
    """A slice of a file of scripts/evaluate_slices.py."""

    metric: str
    score: Score
    kept: float | None


class SliceScores(TypedDict):
    """A file of scripts/evaluate_slices.py."""

    direction: Direction
    beam_size: NotRequired[int]
    slices: dict[str, OneSlice]


class Change(NamedTuple):
    """One figure of two models, 0 to 100. `allowed` is None where it fell by no more than it may."""

    name: str
    before: float
    after: float
    allowed: bool | None


def read_scores(folder: Path, model: str) -> dict[str, float]:
    """Figures by name from a model's score files, 0 to 100: `en-zh int8 news chrF`, `en-zh int8 money/train kept`.

    A test set or slice counts by the metric of its target language (`metric_for`). A beam of more than one is named
    with the precision, `int8,beam=4`: what was measured in another way is another figure.

    Args:
        folder: holds MODEL.PRECISION.TEST.json and MODEL.PRECISION.slices.json; PRECISION may begin with a direction
            (`en-zh-int8`).
        model: the first part of their names.

    Raises:
        UserError: no file of this model, or two that measured the same.
    """
    figures: dict[str, float] = {}
    for path in sorted(folder.glob(f"{glob.escape(model)}.*.*.json")):
        precision, _, test = path.name.removeprefix(f"{model}.").removesuffix(".json").partition(".")
        found = {}
        if test != "slices":
            report = read_shaped(path, TestScores)
            metric, score = counted_score(report, path)
            found[f"{test} {metric}"] = score["score"]
        else:
            report = read_shaped(path, SliceScores)
            for name, one in report["slices"].items():
                found[f"{name} {one['metric']}"] = one["score"]["score"]
                if one["kept"] is not None:
                    found[f"{name} kept"] = 100 * one["kept"]
        direction, beam = report["direction"], report.get("beam_size", 1)
        measured = precision.removeprefix(f"{direction}-") + (f",beam={beam}" if beam > 1 else "")
        for name, score in found.items():
            figure = f"{direction} {measured} {name}"
            if figure in figures:
                raise UserError(f"{path}: {figure} stands in another file too; remove one of them")
            figures[figure] = score
    if not figures:
        raise UserError(f"{folder}: no score files of {model!r}; expected names such as {model}.int8.travel.json")
    return figures


def counted_score(report: TestScores, path: Path) -> tuple[str, Score]:
    """The metric by which a test set in this target language counts (`metric_for`), and the score in it.

    Raises:
        UserError: the file, named by `path`, has none in it.
    """
    metric = metric_for(languages_of(report["direction"])[1]).name
    score = report["chrf++"] if metric == "chrF++" else report.get("chrf")
    if score is None:
        raise UserError(f"{path}: has no {metric}. Score the model again with scripts/evaluate_model.py.")
    return metric, score


def compare(
    before: Mapping[str, float],
    after: Mapping[str, float],
    max_drop: float,
    max_slice_drop: float,
    allowed: Sequence[str] = (),
) -> list[Change]:
    """Every figure that both have, in the order of `before`.

    Args:
        before, after: figures by name (see `read_scores`).
        max_drop: points that a test set may fall.
        max_slice_drop: points that a slice may fall: it has fewer and shorter sentences, and chance moves it more.
        allowed: what may fall further: a test set (`tatoeba`), a domain (`money`) or a slice (`money/train`).

    Raises:
        UserError: a figure that only one of them has, or a name in `allowed` that no figure has.
    """
    if before.keys() != after.keys():
        name = min(before.keys() ^ after.keys())
        raise UserError(f"{name}: only one of the two models was scored on it; score both on the same sets")
    what = {name: name.split(" ")[2] for name in before}  # direction, precision, test or slice, figure
    known = {*what.values(), *(each.partition("/")[0] for each in what.values())}
    if unknown := sorted(set(allowed) - known):
        raise UserError(f"--allow-regression {unknown[0]}: expected one of {', '.join(sorted(known))}")
    changes = []
    for name, score in before.items():
        let_go = what[name] in allowed or what[name].partition("/")[0] in allowed
        fell = score - after[name] > (max_slice_drop if "/" in what[name] else max_drop)
        changes.append(Change(name, score, after[name], let_go if fell else None))
    return changes
