"""Gather the scores of many models into one table: chrF++ (chrF for Chinese) and BLEU by test, amounts kept by slice.

    uv run -s scripts/results_table.py outputs/my-run/scores --output outputs/my-run/results.md

The folder holds what scripts/evaluate_model.py and scripts/evaluate_slices.py wrote, named MODEL.PRECISION.TEST.json
and MODEL.PRECISION.slices.json. The same table as JSON goes beside --output.
"""

from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.evaluation.comparison import markdown
from marian_distill.evaluation.regression import OneSlice, SliceScores, TestScores, counted_score
from marian_distill.files import atomic_writer, write_json
from marian_distill.schema import read_shaped


def main() -> None:
    parser = command_parser(__doc__)
    parser.add_argument("scores", type=Path, help="folder of score files")
    parser.add_argument("--output", type=Path, required=True, help="Markdown file; NAME.json goes beside it")
    arguments = parser.parse_args()

    rows: dict[tuple[str, str], dict[str, str]] = {}
    signatures: dict[str, str] = {}
    for path in sorted(arguments.scores.glob("*.json"), key=lambda path: path.stat().st_mtime):
        parts = path.name.removesuffix(".json").rsplit(".", maxsplit=2)
        if len(parts) != 3:
            raise UserError(f"{path}: expected a name such as student.int8.travel.json")
        model, precision, test = parts
        row = rows.setdefault((model, precision), {})
        if test == "slices":
            row |= slice_cells(read_shaped(path, SliceScores)["slices"])
        else:
            report = read_shaped(path, TestScores)
            metric, score = counted_score(report, path)
            row[test] = f"{score['score']:.1f} / {report['bleu']['score']:.1f}"
            signatures[metric.lower()] = score["signature"]
            signatures[f"bleu {report['direction']}"] = report["bleu"]["signature"]  # Chinese is split another way
    if not rows:
        raise UserError(f"{arguments.scores}: no score files there")

    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    with atomic_writer(arguments.output) as stream:
        stream.write(
            markdown(
                [["model", "weights", *columns]]
                + [[*key, *(row.get(column, "") for column in columns)] for key, row in rows.items()]
            )
        )
        stream.write("\nTest sets: chrF++ (into Chinese: chrF) / BLEU. ")
        stream.write("Slices: the former, share of sentences with every amount kept.\n")
        stream.writelines(f"\n- {name}: `{signature}`" for name, signature in signatures.items())
        stream.write("\n")
    table = [{"model": model, "weights": precision, **row} for (model, precision), row in rows.items()]
    write_json(f"{arguments.output}.json", {"rows": table, "signatures": signatures})


def slice_cells(slices: dict[str, OneSlice]) -> dict[str, str]:
    """One cell a slice: `94.2, 99 %`."""
    return {
        name: f"{report['score']['score']:.1f}" + ("" if report["kept"] is None else f", {report['kept']:.0%}")
        for name, report in slices.items()
    }


if __name__ == "__main__":
    run_command(main)
