"""Translate with an exported CTranslate2 folder: neither torch nor transformers is needed.

    uv run -s scripts/translate_ct2.py                                       a prompt; Ctrl-D ends, :zh-en turns round
    uv run -s scripts/translate_ct2.py --text "give me a cup of latte"       the translation alone on stdout
    cat english.txt | uv run -s scripts/translate_ct2.py > chinese.txt       a line in, a line out, at once
    uv run -s scripts/translate_ct2.py --input-file a.txt --output-file b.txt      in batches, with progress

Long lines are split into sentences and put together again; a translation that is cut is told on stderr.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_writer
from marian_distill.languages import DIRECTIONS
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.translator import MAX_DECODING_LENGTH, translate_corpus


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path("outputs/quickstart/ct2-int8"))
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: the first that the model was trained for")
    parser.add_argument("--text", help="translate this and end")
    parser.add_argument("--input-file", type=Path, help="UTF-8 text, one source a line")
    parser.add_argument("--output-file", type=Path, help="its translations, a line each; appears when all are done")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"))
    parser.add_argument(
        "--compute-type", default="default", help="int8, int8_float32, float32, … (default: as on disk)"
    )
    parser.add_argument("--beam-size", type=int, default=4, help="1 is greedy, as on the phone (default: 4)")
    parser.add_argument("--max-decoding-length", type=int, default=MAX_DECODING_LENGTH, help="target tokens a segment")
    parser.add_argument("--threads", type=at_least(0), default=0, help="default: one a core")
    arguments = parser.parse_args()
    if arguments.text is not None and arguments.input_file:
        parser.error("give --text or --input-file, not both")
    if bool(arguments.input_file) != bool(arguments.output_file):
        parser.error("--input-file and --output-file go together")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if arguments.input_file and not arguments.input_file.is_file():
        raise UserError(f"{arguments.input_file}: no such file")
    # A file: each thread translates batches of its own. A sentence at a time: all threads share its products.
    threads = arguments.threads or os.cpu_count() or 1
    side_by_side = threads if arguments.input_file and arguments.device == "cpu" else 1
    translator = CTranslate2Translator(
        arguments.model_dir,
        arguments.direction,
        arguments.device,
        arguments.compute_type,
        arguments.beam_size,
        arguments.max_decoding_length,
        inter_threads=side_by_side,
        intra_threads=threads // side_by_side,
    )
    if arguments.text is not None:
        print(translator.translate([arguments.text])[0])
    elif arguments.input_file:
        translate_file(translator, arguments.input_file, arguments.output_file)
    elif sys.stdin.isatty():
        print(f"{arguments.model_dir}: {translator.compute_type}, beam {translator.beam_size}", file=sys.stderr)
        interact(translator)
    else:
        for number, line in enumerate(read_lines(sys.stdin.buffer, "stdin"), start=1):
            print(translator.translate([line], first_line=number)[0], flush=True)


def translate_file(translator: CTranslate2Translator, input_file: Path, output_file: Path) -> None:
    from tqdm import tqdm

    with input_file.open("rb") as stream:
        total = sum(1 for _ in stream)
    with input_file.open("rb") as stream, atomic_writer(output_file) as output:
        translations = translate_corpus(translator, read_lines(stream, str(input_file)))
        for translation in tqdm(translations, total=total, unit="line"):
            output.write(f"{translation}\n")


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number}: not valid UTF-8 ({error.reason})") from error


def interact(translator: CTranslate2Translator) -> None:
    import readline

    history = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "distill-zh-en" / "history"
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    try:
        while True:
            line = input(f"{translator.direction}> ").strip()
            if line.startswith(":"):
                try:
                    translator.set_direction(line[1:])
                except UserError as error:
                    print(error, file=sys.stderr)
            elif line:
                print(translator.translate([line])[0])
    except EOFError:
        print()
    finally:
        with contextlib.suppress(OSError):
            history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history)


if __name__ == "__main__":
    run_command(main)
