"""Compare systems on the same test files: scores with intervals, which differences are more than chance, and costs.

    uv run -s scripts/compare_models.py outputs/my-run/student-ct2-int8 outputs/my-run/student-ft-ct2-int8 \\
        --test-file data/eval/money.tsv data/eval/coffee.tsv --direction en-zh --output comparison.md --cost
    uv run -s scripts/compare_models.py ours=outputs/my-int8 theirs=translations/theirs \\
        --test-file data/eval/money.tsv --direction zh-en --output comparison.md --report comparison.html

A system is a model folder, or a folder of translations named TEST.DIRECTION.txt, as scripts/evaluate_model.py
--output-dir writes them; NAME= gives it another name than its folder's. The others are held against the first, on the
same bootstrap samples. The same figures, with all of each report, go as JSON beside --output; --report writes a page
with pictures, slices and sentences that opens from the disk.
"""

import argparse
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import atomic_writer, write_json
from marian_distill.languages import DIRECTIONS
from marian_distill.runtime.translator import MAX_BEAM_SIZE


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("systems", nargs="+", metavar="[NAME=]FOLDER", help="the first is the baseline")
    parser.add_argument("--test-file", type=Path, nargs="+", required=True)
    parser.add_argument("--direction", choices=(*DIRECTIONS, "both"), help="default: what each system says")
    parser.add_argument("--output", type=Path, required=True, help="Markdown file; NAME.json goes beside it")
    parser.add_argument("--report", type=Path, help="the same and more as a page: one HTML file")
    parser.add_argument("--runs", type=Path, nargs="+", default=[], help="training runs whose curves the page shows")
    parser.add_argument(
        "--beam-size", "--num-beams", type=at_least(1, MAX_BEAM_SIZE), default=1, help="default: 1, as on the phone"
    )
    parser.add_argument("--max-samples", type=at_least(1), help="score the first so many pairs only")
    parser.add_argument("--cost", action="store_true", help="measure size, memory, latency and speed of models too")
    parser.add_argument("--threads", type=at_least(1, 256), default=1, help="of the engine, for --cost (default: 1)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.evaluation import comparison
    from marian_distill.evaluation.evaluation_sets import read_evaluation_set
    from marian_distill.evaluation.report.origin import origin_of
    from marian_distill.evaluation.report.page import write_page
    from marian_distill.evaluation.runs import ModelOptions
    from marian_distill.evaluation.training_text import OVERLAP_CACHE

    systems = comparison.parse_systems(arguments.systems)
    tests = [read_evaluation_set(path, arguments.max_samples) for path in arguments.test_file]
    options = ModelOptions(arguments.beam_size)
    threads = arguments.threads if arguments.cost else None
    training_cache = arguments.output.parent / OVERLAP_CACHE
    compared = comparison.compare(systems, tests, arguments.direction, options, threads, training_cache)
    tables = list(filter(None, (comparison.rows_of(compared, direction) for direction in DIRECTIONS)))
    signatures = comparison.signatures_of(compared)
    with atomic_writer(arguments.output) as stream:
        stream.write("\n".join(map(comparison.markdown, tables)))
        stream.write(f"\n±: half of the 95 % interval. *: differs from {systems[0].name}, p < 0.05.\n")
        stream.writelines(f"\n- {name}: `{signature}`" for name, signature in signatures.items())
        stream.write("\n")
    reports = {name: [result.report for result in results] for name, results in compared.items()}
    origin = origin_of([result for results in compared.values() for result in results])
    write_json(f"{arguments.output}.json", {"baseline": systems[0].name, "systems": reports, "origin": origin})
    if arguments.report:
        write_page(arguments.report, compared, origin, arguments.runs, [Path(f"{arguments.output}.json")])
    print("\n\n".join(map(comparison.aligned, tables)))


if __name__ == "__main__":
    run_command(main)
