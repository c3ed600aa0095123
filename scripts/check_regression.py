"""Hold a model to the one before it: stop when a domain or a test set falls by more than it may.

    uv run -s scripts/check_regression.py outputs/my-run/scores --before student --after student-ft
    uv run -s scripts/check_regression.py outputs/my-run/scores --before student --after student-money-only \\
        --allow-regression coffee travel/unseen_patterns

The folder holds what scripts/evaluate_model.py and scripts/evaluate_slices.py wrote, named as for
scripts/results_table.py. Compared are chrF++ (into Chinese: chrF) of every test set and slice, and of every slice the
share of sentences with every amount kept, in points of a hundred. Exit code 2 when something fell that may not.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import between, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.evaluation.regression import compare, read_scores
from marian_distill.files import write_json


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("scores", type=Path, help="folder of score files")
    parser.add_argument("--before", required=True, help="model that the folder's file names begin with")
    parser.add_argument("--after", required=True)
    parser.add_argument("--max-drop", type=between(0, 100), default=2.0, help="points of a test set (default: 2)")
    parser.add_argument("--max-slice-drop", type=between(0, 100), default=5.0, help="points of a slice (default: 5)")
    parser.add_argument(
        "--allow-regression", nargs="+", default=[], metavar="NAME", help="a domain, slice or test set"
    )
    parser.add_argument("--json", type=Path, help="where the report goes")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    report = compare(
        read_scores(arguments.scores, arguments.before),
        read_scores(arguments.scores, arguments.after),
        arguments.max_drop,
        arguments.max_slice_drop,
        arguments.allow_regression,
    )
    print(f"{'':40} {arguments.before:>20} {arguments.after:>20} {'change':>7}")
    for name, before, after, allowed in report:
        verdict = "" if allowed is None else "allowed" if allowed else "too much"
        print(f"{name:40} {before:>20.1f} {after:>20.1f} {after - before:>+7.1f} {verdict}")
    if arguments.json:
        write_json(arguments.json, {change.name: change._asdict() for change in report})
    fallen = [f"{name} {after - before:+.1f}" for name, before, after, allowed in report if allowed is False]
    if fallen:
        raise UserError(
            f"{arguments.after} fell too far behind {arguments.before}: {', '.join(fallen)}. "
            "Mix in what was forgotten, or let it go with --allow-regression NAME"
        )
    print(f"{arguments.after} holds what {arguments.before} could", file=sys.stderr)


if __name__ == "__main__":
    run_command(main)
