"""Whether a stage cost what the stage before could do: the same figures of two models, side by side.

Fine-tuning on one domain takes from the others (McCloskey & Cohen 1989, "Catastrophic Interference"); an average over
all test sentences hides it, a look at each domain does not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import Score
from marian_distill.schema import read_shaped

# What is read of the files that scripts/evaluate_model.py and scripts/evaluate_slices.py write.
TestScores = TypedDict("TestScores", {"direction": str, "chrf++": Score, "bleu": Score})
OneSlice = TypedDict("OneSlice", {"chrf++": Score, "kept": float | None})


class SliceScores(TypedDict):
    """A file of scripts/evaluate_slices.py."""

    direction: str
    slices: dict[str, OneSlice]


class Change(NamedTuple):
    """One figure of two models, 0 to 100. `allowed` is None where it fell by no more than it may."""

    name: str
    before: float
    after: float
    allowed: bool | None


def read_scores(folder: Path, model: str) -> dict[str, float]:
    """Figures by name from a model's score files: `en-zh tatoeba BLEU`, `en-zh money/train kept`, 0 to 100.

    A test set counts by chrF++, Chinese by BLEU, which splits it into characters: chrF++ counts pairs of words, and
    text without spaces has next to none, so that one sentence more or less can move it by points.

    Args:
        folder: holds MODEL.PRECISION.TEST.json and MODEL.PRECISION.slices.json.
        model: the first part of their names.

    Raises:
        UserError: no file of this model.
    """
    figures: dict[str, float] = {}
    for path in sorted(folder.glob(f"{model}.*.*.json")):
        test = path.name.removesuffix(".json").rpartition(".")[2]
        if test != "slices":
            report = read_shaped(path, TestScores)
            metric = "BLEU" if report["direction"] == "en-zh" else "chrF++"
            score = report["bleu"] if metric == "BLEU" else report["chrf++"]
            figures[f"{report['direction']} {test} {metric}"] = score["score"]
            continue
        slices = read_shaped(path, SliceScores)
        direction = slices["direction"]
        for slice_name, one in slices["slices"].items():
            figures[f"{direction} {slice_name} chrF++"] = one["chrf++"]["score"]
            if one["kept"] is not None:
                figures[f"{direction} {slice_name} kept"] = 100 * one["kept"]
    if not figures:
        raise UserError(f"{folder}: no score files of {model!r}; expected names such as {model}.int8.travel.json")
    return figures


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
    what = {name: name.split(" ")[1] for name in before}  # direction, test or slice, figure
    known = {*what.values(), *(each.partition("/")[0] for each in what.values())}
    if unknown := sorted(set(allowed) - known):
        raise UserError(f"--allow-regression {unknown[0]}: expected one of {', '.join(sorted(known))}")
    changes = []
    for name, score in before.items():
        let_go = what[name] in allowed or what[name].partition("/")[0] in allowed
        fell = score - after[name] > (max_slice_drop if "/" in what[name] else max_drop)
        changes.append(Change(name, score, after[name], let_go if fell else None))
    return changes
