"""Score a model folder, or somebody's translations, on test files: BLEU and chrF++ with intervals, and what it costs.

    uv run -s scripts/evaluate_model.py --model-dir outputs/quickstart/ct2-int8 --direction en-zh \\
        --test-file data/eval/money.tsv data/eval/coffee.tsv --json scores.json --output-dir translations
    uv run -s scripts/evaluate_model.py --hypotheses theirs.txt --direction en-zh --test-file data/eval/money.tsv \\
        --baseline translations/money.en-zh.txt --json theirs.json
    uv run -s scripts/evaluate_model.py --model-dir outputs/my-int8 --direction en-zh --json scores.json \\
        --test-file data/eval/money.tsv --target bleu=30,latency_ms=30,memory_mb=512

A test file is UTF-8 with the header en<TAB>zh and one sentence pair a line (data/eval/README.md has more); or FILE.en
beside FILE.zh, CSV, JSONL, Parquet. Without
--direction every direction is measured that the model says it was trained for. --baseline names another system's
translations: the differences are told with their intervals and p-values. --report writes a page that opens from the
disk, with slices, faults, sentences and pictures. Exit code 1 when a --target is missed. A
language model that translates is scored as a CTranslate2 folder.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_writer, write_json
from marian_distill.languages import DIRECTIONS
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE, MAX_DECODING_LENGTH


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    system = parser.add_mutually_exclusive_group(required=True)
    system.add_argument("--model-dir", type=Path)
    system.add_argument("--hypotheses", type=Path, nargs="+", help="translations to score, one file a test file")
    parser.add_argument("--test-file", type=Path, nargs="+", required=True)
    parser.add_argument("--direction", choices=(*DIRECTIONS, "both"), help="default: what the model says")
    parser.add_argument("--json", type=Path, required=True, help="where the report goes")
    parser.add_argument("--report", type=Path, help="the same and more as a page: one HTML file")
    parser.add_argument("--runs", type=Path, nargs="+", default=[], help="training runs whose curves the page shows")
    parser.add_argument("--output-file", type=Path, help="where the hypotheses of one test file go, a line each")
    parser.add_argument("--output-dir", type=Path, help="where those of all go: NAME.DIRECTION.txt")
    parser.add_argument("--baseline", type=Path, nargs="+", help="another system's hypotheses, one file a test file")
    parser.add_argument(
        "--beam-size",
        "--num-beams",
        type=at_least(1, MAX_BEAM_SIZE),
        default=BEAM_SIZE,
        help=f"1 is greedy, as on the phone (default: {BEAM_SIZE})",
    )
    parser.add_argument("--max-decoding-length", type=int, default=MAX_DECODING_LENGTH)
    parser.add_argument("--max-samples", "--max-examples", type=at_least(1), help="score the first so many pairs only")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--compute-type", default="default", help="CTranslate2 folders only")
    parser.add_argument("--cost", action="store_true", help="measure size, memory, latency and speed too")
    parser.add_argument("--threads", type=at_least(1, 256), default=1, help="of the engine, for --cost (default: 1)")
    parser.add_argument("--target", nargs="+", default=[], metavar="NAME=NUMBER", help="what each score must reach")
    parser.add_argument(
        "--check-with", type=Path, nargs="+", default=[], metavar="FILE",
        help="test files of later calls: looked for in the same reading of training data, if --json is in one folder",
    )  # fmt: skip
    parser.add_argument("--no-training-check", action="store_true", help="do not look for test sentences in training")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.evaluation import runs
    from marian_distill.evaluation.evaluation_sets import read_evaluation_set
    from marian_distill.evaluation.report.origin import origin_of
    from marian_distill.evaluation.report.page import write_page
    from marian_distill.evaluation.targets import costs_in, missed_targets, parse_targets
    from marian_distill.evaluation.training_text import OVERLAP_CACHE

    targets = parse_targets(arguments.target)
    tests = [read_evaluation_set(path, arguments.max_samples) for path in arguments.test_file]
    other = runs.read_translations(arguments.baseline, tests, arguments.direction, "--baseline")
    baseline = runs.score_translations(other, tests, " ".join(map(str, arguments.baseline or ())))
    baselines = runs.baselines_of(baseline)
    if arguments.model_dir:
        results = runs.evaluate_model(
            arguments.model_dir,
            tests,
            arguments.direction,
            runs.ModelOptions(
                arguments.beam_size, arguments.max_decoding_length, arguments.device, arguments.compute_type
            ),
            baselines=baselines,
            cost_threads=arguments.threads if arguments.cost or costs_in(targets) else None,
            check_training=not arguments.no_training_check,
            training_cache=arguments.json.parent / OVERLAP_CACHE,
            others=[read_evaluation_set(path) for path in arguments.check_with],
        )
    else:
        theirs = runs.read_translations(arguments.hypotheses, tests, arguments.direction, "--hypotheses")
        results = runs.score_translations(theirs, tests, " ".join(map(str, arguments.hypotheses)), baselines)
    if arguments.output_file and len(results) > 1:
        raise UserError("--output-file: holds the hypotheses of one test file in one direction; give --output-dir")
    reports = [result.report for result in results]
    origin = origin_of(results)
    write_json(arguments.json, (reports[0] if len(reports) == 1 else {"results": reports}) | {"origin": origin})
    if arguments.report:
        name = (arguments.model_dir or arguments.hypotheses[0]).resolve().name
        compared = {name: results} | ({"baseline": baseline} if baseline else {})
        write_page(arguments.report, compared, origin, arguments.runs, [arguments.json])
    for result in results:
        for path in filter(None, (arguments.output_file, result.path_in(arguments.output_dir))):
            with atomic_writer(path) as stream:
                stream.writelines(f"{hypothesis}\n" for hypothesis in result.hypotheses)
    print("\n\n".join(map(runs.described, reports)))
    if missed := [line for report in reports for line in missed_targets(report, targets)]:
        print(*(f"missed: {line}" for line in missed), sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    run_command(main)
