"""Score a model on a test file, BLEU and chrF++ with their signatures: a Hugging Face or CTranslate2 folder, a bundle.

    uv run -s scripts/evaluate_model.py --model-dir outputs/quickstart/ct2-int8 --test-file data/test.tsv \\
        --direction en-zh --json outputs/quickstart/test.json

The test file is UTF-8 with the header en<TAB>zh and one sentence pair a line; or FILE.en beside FILE.zh, CSV, JSONL,
Parquet. A language model that translates is scored as a CTranslate2 folder.
"""

import argparse
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import atomic_writer, write_json
from marian_distill.languages import DIRECTIONS, languages_of
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE, MAX_DECODING_LENGTH


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--test-file", type=Path, required=True)
    parser.add_argument("--direction", choices=DIRECTIONS, required=True)
    parser.add_argument("--json", type=Path, required=True, help="where the report goes")
    parser.add_argument("--output-file", type=Path, help="where the hypotheses go, a line each")
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
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.evaluation.evaluate import evaluate, load_translator
    from marian_distill.evaluation.metrics import metric_for, read_test_file

    pairs = read_test_file(arguments.test_file)[: arguments.max_samples]
    translator = load_translator(
        arguments.model_dir,
        arguments.direction,
        arguments.beam_size,
        arguments.max_decoding_length,
        arguments.device,
        arguments.compute_type,
    )
    scores, hypotheses = evaluate(translator, pairs)
    report = {
        **scores,
        "test_file": str(arguments.test_file),
        "model_dir": str(arguments.model_dir),
        "compute_type": translator.compute_type,
        "beam_size": arguments.beam_size,
    }
    write_json(arguments.json, report)
    if arguments.output_file:
        with atomic_writer(arguments.output_file) as stream:
            stream.writelines(f"{hypothesis}\n" for hypothesis in hypotheses)

    kept, metric = report["numbers_kept"], metric_for(languages_of(report["direction"])[1])
    rows = {
        "model": f"{report['model_dir']} ({report['compute_type']}, beam {report['beam_size']})",
        "test file": f"{report['test_file']} ({report['direction']}, {report['sentences']} sentences)",
        "BLEU": f"{report['bleu']['score']:6.2f}  {report['bleu']['signature']}",
        metric.name: f"{report[metric.name.lower()]['score']:6.2f}  {report[metric.name.lower()]['signature']}",
        "numbers kept": "no numbers in the source" if kept is None else f"{kept:6.1%} of the sentences that have any",
        "speed": f"{report['sentences_per_second']:.1f} sentences a second",
    }
    for name, value in rows.items():
        print(f"{name:<13} {value}")


if __name__ == "__main__":
    run_command(main)
