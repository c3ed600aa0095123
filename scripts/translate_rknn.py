"""Translate with a bundle folder: on a Rockchip board with its NPU, or anywhere when it was made by export_onnx.py.

    python translate_rknn.py                                           a prompt; :help lists its commands
    python translate_rknn.py --text "give me a cup of latte"           the translation alone on stdout
    cat english.txt | python translate_rknn.py > chinese.txt           a line in, a line out, at once
    python translate_rknn.py --input-file a.txt --output-file b.txt    a whole file, with progress

Needs numpy, sentencepiece, and rknn-toolkit-lite2 (board) or onnxruntime. The board's side was written to RKNNLite's
documentation and has not met a board yet.
"""

import argparse
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.console import add_text_options, check_text_options, protected, run_translator
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE
from marian_distill.text.numbers import numbers_kept


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path("bundle"), help="the bundle folder (default: bundle)")
    add_text_options(parser)
    parser.add_argument(
        "--beam-size",
        "--num-beams",
        type=at_least(1, MAX_BEAM_SIZE),
        default=BEAM_SIZE,
        help=f"decoder calls a token; 1 is greedy, and quickest on a board (default: {BEAM_SIZE})",
    )
    parser.add_argument("--max-decoding-length", type=int, help="target tokens a segment (default: all that fit)")
    parser.add_argument("--threads", type=at_least(1, 256), default=1, help="of ONNX Runtime (default: 1)")
    arguments = parser.parse_args()
    check_text_options(arguments)
    return arguments


def main() -> None:
    arguments = parse_arguments()
    translator = BundleTranslator(
        arguments.model_dir,
        arguments.direction,
        arguments.beam_size,
        arguments.max_decoding_length,
        arguments.threads,
    )
    description = f"{arguments.model_dir}: {translator.compute_type}, beam {translator.beam_size}"
    run_translator(protected(translator, arguments, numbers_kept), arguments, description)


if __name__ == "__main__":
    run_command(main)
