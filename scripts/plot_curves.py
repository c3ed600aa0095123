"""Draw the evaluation loss of several runs against their training time, or against their updates.

    uv run -s scripts/plot_curves.py outputs/my-run/student outputs/my-run/student-random --output curves.png
    uv run -s scripts/plot_curves.py outputs/my-run/* --x updates --output curves.png

Time is what was spent in training steps, evaluation left out. The points as JSON go beside --output.
"""

import argparse
from pathlib import Path
from typing import NotRequired, TypedDict

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_path, write_json
from marian_distill.schema import read_shaped

KINDS = ("png", "svg", "pdf")


class LogEntry(TypedDict):
    step: int
    training_seconds: NotRequired[float]
    eval_loss: NotRequired[float]


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders that distill_zh_en.py wrote")
    parser.add_argument("--x", choices=("minutes", "updates"), default="minutes")
    parser.add_argument("--output", type=Path, required=True, help="the picture; its points go beside it, NAME.json")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    kind = arguments.output.suffix.removeprefix(".")
    if kind not in KINDS:
        raise UserError(f"{arguments.output}: expected a name that ends in .{', .'.join(KINDS)}")
    curves = {run.name: points(run, arguments.x) for run in arguments.runs}
    write_json(f"{arguments.output}.json", {"x": arguments.x, "y": "eval_loss", "curves": curves})

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, curve in curves.items():
        axes.plot(*zip(*curve, strict=True), "o-", markersize=3, label=name)
    axes.set_xlabel("updates" if arguments.x == "updates" else "training time, minutes")
    axes.set_ylabel("cross-entropy of the evaluation text, nats a token")
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_path(arguments.output) as temporary:
        figure.savefig(temporary, dpi=150, format=kind)
    print(f"wrote {arguments.output}")


def points(run: Path, x: str) -> list[tuple[float, float]]:
    """(minutes or updates, evaluation loss) of one run, in its order."""
    path = run / "log.json"
    if not path.is_file():
        raise UserError(f"{path}: no such file; give folders that distill_zh_en.py has finished")
    seconds, found = 0.0, []
    for entry in read_shaped(path, list[LogEntry]):
        seconds = entry.get("training_seconds", seconds)
        if "eval_loss" in entry:
            found.append((seconds / 60 if x == "minutes" else entry["step"], entry["eval_loss"]))
    if not found:
        raise UserError(f"{path}: no evaluation there; train with --eval-strategy steps")
    if x == "minutes" and not seconds:
        raise UserError(f"{path}: it has no training times; give --x updates")
    return found


if __name__ == "__main__":
    run_command(main)
