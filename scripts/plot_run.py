"""Draw losses and scores of one or several runs in one picture, against training time or training steps.

    uv run -s scripts/plot_run.py outputs/my-run/student outputs/my-run/student-random --output curves.png
    uv run -s scripts/plot_run.py outputs/my-run/* --x updates --measures eval_loss --output curves.png

A panel for each measure that a run has: losses in nats a token, and what its evaluations scored. Time is what was
spent in training steps, evaluation left out. The points as JSON go beside --output.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.evaluation.report.curves import MEASURES, Moment, curves_of, read_log
from marian_distill.files import atomic_path, write_json

KINDS = ("png", "svg", "pdf")
COLUMNS, PANEL = 2, (7, 4.2)  # inches


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders that distill_zh_en.py wrote")
    parser.add_argument("--x", choices=("minutes", "updates"), default="minutes")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, help="default: all that a run has")
    parser.add_argument("--output", type=Path, required=True, help="the picture; its points go beside it, NAME.json")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    kind = arguments.output.suffix.removeprefix(".")
    if kind not in KINDS:
        raise UserError(f"{arguments.output}: expected a name that ends in .{', .'.join(KINDS)}")
    runs = {run.name: curves_of(read_log(run)) for run in arguments.runs}
    measures = [key for key in arguments.measures or MEASURES if any(key in curves for curves in runs.values())]
    if not measures:
        wanted = " or ".join(arguments.measures or ["anything to draw"])
        raise UserError(f"{arguments.runs[0]}: its log has no {wanted}; train with --eval-strategy steps for scores")
    points = {
        key: {name: placed(curves[key], arguments.x, name) for name, curves in runs.items() if key in curves}
        for key in measures
    }
    write_json(f"{arguments.output}.json", {"x": arguments.x, "curves": points})
    draw(points, arguments.x, arguments.output, kind)
    print(f"wrote {arguments.output}")


def placed(moments: Sequence[Moment], x: str, name: str) -> list[tuple[float, float]]:
    """(minutes or updates, value) of a curve."""
    if x == "minutes" and not moments[-1].seconds:
        raise UserError(f"{name}: it has no training times; give --x updates")
    return [(moment.seconds / 60 if x == "minutes" else moment.step, moment.value) for moment in moments]


def draw(points: dict[str, dict[str, list[tuple[float, float]]]], x: str, output: Path, kind: str) -> None:
    """A panel a measure, a colour a run."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = min(COLUMNS, len(points))
    rows = -(-len(points) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained", squeeze=False
    )
    colours = {
        name: f"C{number}" for number, name in enumerate(dict.fromkeys(n for one in points.values() for n in one))
    }
    for axes, (key, curves) in zip(grid.flat, points.items(), strict=False):
        name, _, unit = MEASURES[key]
        marker = "o-" if key.startswith("eval") else "-"
        for run, curve in curves.items():
            axes.plot(*zip(*curve, strict=True), marker, color=colours[run], markersize=3, label=run)
        axes.set_title(name)
        axes.set_xlabel("updates" if x == "updates" else "training time, minutes")
        axes.set_ylabel(unit)
        axes.grid(alpha=0.3)
        axes.legend()
    for axes in list(grid.flat)[len(points) :]:
        axes.remove()
    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=150, format=kind)


if __name__ == "__main__":
    run_command(main)
