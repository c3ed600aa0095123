"""Translate with an exported CTranslate2 folder: neither torch nor transformers is needed.

    uv run -s scripts/translate_ct2.py                                       a prompt; :help lists its commands
    uv run -s scripts/translate_ct2.py --text "give me a cup of latte"       the translation alone on stdout
    cat english.txt | uv run -s scripts/translate_ct2.py > chinese.txt       a line in, a line out, at once
    uv run -s scripts/translate_ct2.py --input-file a.txt --output-file b.txt      in batches, with progress
    uv run -s scripts/translate_ct2.py --input-file a.html --output-file b.html --format html --glossary terms.tsv

Long lines are split into sentences and put together again; a translation that is cut is told on stderr. Placeholders,
addresses, code, tags and terms of the glossary come back as they must (docs/protection.md). To install no more than
this needs (no torch), put --no-default-groups after `uv run`.
"""

import os
from pathlib import Path
from typing import Any

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.runtime.console import add_text_options, check_text_options, protected, run_translator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE, MAX_DECODING_LENGTH, MAX_THREADS
from marian_distill.text.numbers import numbers_kept

QUICKSTART = Path("outputs/quickstart/ct2-int8")


def translator_class(model_dir: Path) -> Any:
    """Of a language model's folder another one, whose tokenizer (`--extra generate`) is imported for it alone."""
    if not (model_dir / "tokenizer.json").is_file():
        return CTranslate2Translator
    from marian_distill.runtime.prompted_translator import PromptedTranslator

    return PromptedTranslator


def main() -> None:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, default=QUICKSTART, help=f"default: {QUICKSTART}")
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
    arguments = parser.parse_args()
    check_text_options(arguments)
    if arguments.model_dir == QUICKSTART and not QUICKSTART.exists():
        raise UserError(
            f"{QUICKSTART}: not made yet. `uv run snakemake -s recipes/quickstart/Snakefile --cores all` trains it in "
            "minutes; or give another model with --model-dir."
        )
    # A file: each thread translates batches of its own. A sentence at a time: all threads share its products.
    threads = arguments.threads or os.cpu_count() or 1
    side_by_side = threads if arguments.input_file and arguments.device == "cpu" else 1
    translator = translator_class(arguments.model_dir)(
        arguments.model_dir,
        arguments.direction,
        arguments.device,
        arguments.compute_type,
        arguments.beam_size,
        arguments.max_decoding_length,
        inter_threads=side_by_side,
        intra_threads=threads // side_by_side,
    )
    description = f"{arguments.model_dir}: {translator.compute_type}, beam {translator.beam_size}"
    run_translator(protected(translator, arguments, numbers_kept), arguments, description)


if __name__ == "__main__":
    run_command(main)
