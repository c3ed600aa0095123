"""Export a trained model, Marian or Qwen3, to a CTranslate2 folder, and hold it against the trained one.

    uv run -s scripts/export_ct2.py outputs/quickstart/student --output-dir outputs/quickstart/ct2-int8
    uv run -s scripts/export_ct2.py outputs/student --output-dir outputs/student-ct2 --quantization float32 \\
        --parity-file data/dev.tsv --min-parity 1.0
    uv run -s scripts/export_ct2.py Helsinki-NLP/opus-mt-en-zh --output-dir outputs/opus-mt-en-zh-ct2
    uv run -s scripts/export_ct2.py outputs/mini_qwen/model --output-dir outputs/mini_qwen/ct2-int8   writes

The output folder appears whole or not at all: a model that fails a check or --min-parity leaves nothing behind.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import add_model_dir, at_least, between, command_parser
from marian_distill.errors import run_command
from marian_distill.evaluation.evaluation_sets import read_test_file
from marian_distill.export.ctranslate2 import QUANTIZATIONS, check_output, export_model
from marian_distill.export.parity import SENTENCES
from marian_distill.files import read_json_object
from marian_distill.languages import directions_of
from marian_distill.runtime.translator import BEAM_SIZE


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_model_dir(parser, "Hugging Face folder (safetensors), or a hub name", str)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument(
        "--quantization", "--dtype", default="int8", choices=QUANTIZATIONS, help="type on disk (default: int8)"
    )
    parser.add_argument("--direction", help="en-zh, zh-en or both; default: what the model's config.json declares")
    parser.add_argument(
        "--min-parity", type=between(0, 1), default=0.0, help="least share of equal translations, 0 to 1"
    )
    parser.add_argument("--parity-file", type=Path, help="TSV with the header en<TAB>zh; default: built-in sentences")
    parser.add_argument(
        "--parity-sentences", type=at_least(1), default=200, help="use at most so many of them (default: 200)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a model exported to the same folder before")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    pairs = (
        read_test_file(arguments.parity_file) if arguments.parity_file else list(zip(*SENTENCES.values(), strict=True))
    )
    check_output(arguments.output_dir, arguments.overwrite)  # before a model is fetched
    config = Path(arguments.model_dir, "config.json")
    if config.is_file() and read_json_object(config).get("model_type") == "qwen3":
        export_generator(arguments, pairs)
    else:
        export_translator(arguments, pairs)
    print(f"wrote {arguments.output_dir}")


def export_generator(arguments: argparse.Namespace, pairs: list[tuple[str, str]]) -> None:
    from marian_distill.export.language_model import export_language_model

    texts = [text for pair in pairs[: arguments.parity_sentences] for text in pair]
    export = export_language_model(
        arguments.model_dir,
        arguments.output_dir,
        arguments.quantization,
        texts,
        arguments.min_parity,
        arguments.overwrite,
    )
    print(f"parity: {export['equal_continuations']} of {export['texts']} greedy continuations of test sentences equal")
    trained, exported = export["trained_bits_per_byte"], export["exported_bits_per_byte"]
    print(f"bits per byte of them: {exported:.4f}, as trained {trained:.4f}")
    print_size(export["megabytes"], export["quantization"], export["effective_compute_type"])


def print_size(megabytes: float, quantization: str, effective: str) -> None:
    print(f"size: {megabytes:.2f} MB, {quantization} on disk")
    print(f"effective compute type on this machine: {effective}")


def export_translator(arguments: argparse.Namespace, pairs: list[tuple[str, str]]) -> None:
    from marian_distill.training.models import model_folder

    with model_folder(arguments.model_dir) as folder:
        export = export_model(
            folder,
            arguments.output_dir,
            arguments.quantization,
            pairs[: arguments.parity_sentences],
            directions_of(arguments.direction) if arguments.direction else (),
            arguments.min_parity,
            arguments.overwrite,
            arguments.model_dir,
        )
    for report in export["parity"]:
        for difference in report["differences"]:
            print(*(f"{name:>8}: {text}" for name, text in difference.items()), sep="\n", file=sys.stderr)
        print(f"parity {report['direction']}: {report['equal']} of {report['sentences']} equal ({report['rate']:.1%})")
    for report in export["beam_parity"]:
        print(f"  with a beam of {BEAM_SIZE}, {report['direction']}: {report['equal']} equal ({report['rate']:.1%})")
    print_size(export["megabytes"], export["quantization"], export["effective_compute_type"])


if __name__ == "__main__":
    run_command(main)
