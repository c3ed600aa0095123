"""The command that translates with a CTranslate2 folder: a prompt, a text, a pipe or a file; no server."""

import argparse
import os
from pathlib import Path
from typing import Any

from marian_distill.command_line import at_least
from marian_distill.errors import UserError
from marian_distill.runtime.console import add_text_options, check_text_options, protected, run_translator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE, MAX_DECODING_LENGTH, MAX_THREADS
from marian_distill.serving.models import AT_HAND, find_folders
from marian_distill.text.numbers import numbers_kept

QUICKSTART = Path("outputs/quickstart/ct2-int8")


def translator_class(model_dir: Path) -> Any:
    """Of a language model's folder another one, whose tokenizer (`--extra generate`) is imported for it alone."""
    if not (model_dir / "tokenizer.json").is_file():
        return CTranslate2Translator
    from marian_distill.runtime.prompted_translator import PromptedTranslator

    return PromptedTranslator


def add_translating_options(parser: argparse.ArgumentParser) -> None:
    """Add the model, what is translated, and how."""
    parser.add_argument(
        "--model-dir", type=Path, help=f"default: {QUICKSTART}, or else the first of {' and '.join(AT_HAND)}"
    )
    add_text_options(parser)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"))
    parser.add_argument(
        "--compute-type", default="default", help="int8, int8_float32, float32, … (default: as on disk)"
    )
    parser.add_argument(
        "--beam-size",
        "--num-beams",
        type=at_least(1, MAX_BEAM_SIZE),
        default=BEAM_SIZE,
        help=f"1 is greedy, as on the phone (default: {BEAM_SIZE})",
    )
    parser.add_argument("--max-decoding-length", type=int, default=MAX_DECODING_LENGTH, help="target tokens a segment")
    parser.add_argument("--threads", type=at_least(0, MAX_THREADS), default=0, help="default: one a core")


def translate(arguments: argparse.Namespace) -> None:
    """Translate a text, a file, or what is typed."""
    check_text_options(arguments)
    model_dir = arguments.model_dir or folder_at_hand()
    # A file: each thread translates batches of its own. A sentence at a time: all threads share its products.
    threads = arguments.threads or os.cpu_count() or 1
    side_by_side = threads if arguments.input_file and arguments.device == "cpu" else 1
    translator = translator_class(model_dir)(
        model_dir,
        arguments.direction,
        arguments.device,
        arguments.compute_type,
        arguments.beam_size,
        arguments.max_decoding_length,
        inter_threads=side_by_side,
        intra_threads=threads // side_by_side,
    )
    description = f"{model_dir}: {translator.compute_type}, beam {translator.beam_size}"
    run_translator(protected(translator, arguments, numbers_kept), arguments, description)


def folder_at_hand() -> Path:
    """The quickstart's model, or else one that comes with the repository."""
    found = [QUICKSTART] if QUICKSTART.exists() else find_folders(Path())
    if not found:
        raise UserError(
            f"{QUICKSTART}: not made yet. `uv run snakemake -s recipes/quickstart/Snakefile --cores all` trains it in "
            "minutes; or give another model with --model-dir."
        )
    return found[0]
