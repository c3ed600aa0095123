"""Export a trained model, Marian or liquid, as static ONNX graphs, held against the trained one in ONNX Runtime.

    uv run -s scripts/export_onnx.py outputs/quickstart/student --output-dir outputs/quickstart/onnx
    uv run -s scripts/export_onnx.py outputs/student --output-dir outputs/student-onnx --dtype int8 --kv-cache
    uv run -s scripts/translate_rknn.py --model-dir outputs/student-onnx --text "give me a cup of latte"

The folder is described in docs/rknn_bundle.md; it appears whole or not at all.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import add_model_dir, at_least, between, command_parser
from marian_distill.errors import run_command

DTYPES = ("fp32", "int8")


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_model_dir(parser, "Hugging Face folder of a Marian or a liquid model")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument(
        "--dtype", "--quantization", default="fp32", choices=DTYPES, help="int8: weights alone (default: fp32)"
    )
    parser.add_argument("--source-length", type=at_least(12), default=64, help="source tokens at most (default: 64)")
    parser.add_argument("--target-length", type=at_least(12), default=64, help="target tokens at most (default: 64)")
    parser.add_argument(
        "--kv-cache",
        action="store_true",
        help="the decoder takes keys and values of earlier tokens; a liquid one keeps its state either way",
    )
    parser.add_argument("--projection-apart", action="store_true", help="the vocabulary projection as a third graph")
    parser.add_argument(
        "--min-parity", type=between(0, 1), default=0.0, help="least share of equal translations, 0 to 1"
    )
    parser.add_argument("--parity-file", type=Path, help="TSV with the header en<TAB>zh; default: built-in sentences")
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle exported to the same folder before")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.evaluation.evaluation_sets import read_test_file
    from marian_distill.export.onnx import export_onnx
    from marian_distill.export.parity import SENTENCES
    from marian_distill.runtime.translator import BEAM_SIZE

    pairs = (
        read_test_file(arguments.parity_file) if arguments.parity_file else list(zip(*SENTENCES.values(), strict=True))
    )
    bundle, report, beam = export_onnx(
        arguments.model_dir,
        arguments.output_dir,
        arguments.dtype,
        arguments.source_length,
        arguments.target_length,
        arguments.kv_cache,
        arguments.projection_apart,
        pairs,
        arguments.min_parity,
        arguments.overwrite,
    )
    for difference in report["differences"]:
        print(*(f"{name:>8}: {text}" for name, text in difference.items()), sep="\n", file=sys.stderr)
    print(f"parity {report['direction']}: {report['equal']} of {report['sentences']} equal ({report['rate']:.1%})")
    print(f"  with a beam of {BEAM_SIZE}: {beam['equal']} equal ({beam['rate']:.1%})")
    for name, facts in bundle["files"].items():
        print(f"{facts['bytes'] / 1e6:8.2f} MB  {name}")
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)
