"""What every command that translates does alike: one text, a prompt, a pipe or a file; what must come back does."""

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from marian_distill.command_line import at_least
from marian_distill.errors import UserError
from marian_distill.files import atomic_writer, read_json
from marian_distill.languages import DIRECTIONS
from marian_distill.runtime.attempts import Protectable
from marian_distill.runtime.prompt import Settings, interact, translations_of
from marian_distill.runtime.protection import ProtectedTranslator
from marian_distill.runtime.translator import MAX_BEAM_SIZE, Translator, translate_corpus


def add_text_options(parser: argparse.ArgumentParser) -> None:
    """Add `--direction`, `--text`, `--input-file`, `--output-file`, `--n-best` and what must come back."""
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: the first that the model was trained for")
    parser.add_argument("--text", help="translate this and end")
    parser.add_argument("--input-file", type=Path, help="UTF-8 text, one source a line")
    parser.add_argument("--output-file", type=Path, help="its translations, a line each; appears when all are done")
    parser.add_argument(
        "--n-best",
        type=at_least(1, MAX_BEAM_SIZE),
        default=1,
        help="with --text or at the prompt: so many translations, each after its score (default: 1)",
    )
    parser.add_argument(
        "--format",
        choices=("text", "html"),
        default="text",
        help="html: with --text or a file, all of it one page; tags, attributes, comments and code stay as they are",
    )
    parser.add_argument(
        "--glossary",
        type=Path,
        help="terms that are always translated alike: a line `term<TAB>translation` each, or a JSON object",
    )
    parser.add_argument(
        "--check-numbers",
        action=argparse.BooleanOptionalAction,
        help="try again where a translation's numbers differ from the source's, and say so (default: at the prompt)",
    )


def check_text_options(arguments: argparse.Namespace) -> None:
    """`UserError` when the text options contradict each other or name a file that is not there."""
    if arguments.text is not None and arguments.input_file:
        raise UserError("give --text or --input-file, not both. See --help.")
    if bool(arguments.input_file) != bool(arguments.output_file):
        raise UserError("--input-file and --output-file go together. See --help.")
    if arguments.input_file and not arguments.input_file.is_file():
        raise UserError(f"{arguments.input_file}: no such file")
    if arguments.n_best > 1 and (arguments.input_file or (arguments.text is None and not sys.stdin.isatty())):
        raise UserError("--n-best goes with --text or the prompt: a file has a line for a line. See --help.")
    if arguments.format == "html" and ((arguments.text is None and not arguments.input_file) or arguments.n_best > 1):
        raise UserError("--format html goes with --text or --input-file, and without --n-best. See --help.")


def protected(
    translator: Protectable, arguments: argparse.Namespace, numbers_kept: Callable[[str, str], bool]
) -> ProtectedTranslator:
    """The translator with the glossary and the check of amounts that the text options ask for."""
    at_the_prompt = arguments.text is None and not arguments.input_file and sys.stdin.isatty()
    check = at_the_prompt if arguments.check_numbers is None else arguments.check_numbers
    glossary = read_glossary(arguments.glossary) if arguments.glossary else None
    return ProtectedTranslator(translator, numbers_kept if check else None, glossary)


def read_glossary(path: Path) -> dict[str, str]:
    """Terms and their translations, from a JSON object or from lines of two columns with a tab between them."""
    if path.suffix == ".json":
        terms = read_json(path)
        if not isinstance(terms, dict) or not all(isinstance(one, str) for one in terms.values()):
            raise UserError(f"{path}: expected an object, term to translation")
        return terms
    terms = {}
    with path.open("rb") as stream:
        for number, line in enumerate(read_lines(stream, str(path)), start=1):
            term, tab, translation = line.partition("\t")
            if not line.strip():
                continue
            if not (tab and term.strip() and translation.strip()):
                raise UserError(f"{path}, line {number}: expected a term, a tab and its translation")
            terms[term] = translation
    return terms


def run_translator(translator: ProtectedTranslator, arguments: argparse.Namespace, description: str) -> None:
    """Translate what the text options say: a text, a file, or stdin, with a prompt where it is a terminal.

    Args:
        translator: loaded.
        arguments: with the options of `add_text_options`.
        description: told on stderr before the prompt.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")  # Windows gives a pipe an encoding that has no Chinese
    if arguments.format == "html":
        translate_page(translator, arguments)
    elif arguments.text is not None:
        settings = Settings(translator.direction, arguments.n_best)
        print(*translations_of(translator, arguments.text, settings), sep="\n")
    elif arguments.input_file:
        translate_file(translator, arguments.input_file, arguments.output_file)
    elif sys.stdin.isatty():
        print(f"{description}; :help lists what else can be typed", file=sys.stderr)
        interact(translator, arguments.n_best)
    else:
        for number, line in enumerate(read_lines(sys.stdin.buffer, "stdin"), start=1):
            print(translator.translate([line], first_line=number)[0], flush=True)


def translate_page(translator: ProtectedTranslator, arguments: argparse.Namespace) -> None:
    """HTML of `--text` or of the file, all of it at once."""
    if arguments.text is not None:
        print(translator.translate([arguments.text], format="html")[0])
        return
    with arguments.input_file.open("rb") as stream:
        page = "\n".join(read_lines(stream, str(arguments.input_file)))
    with atomic_writer(arguments.output_file) as output:
        output.write(translator.translate([page], format="html")[0] + "\n")


def translate_file(translator: Translator, input_file: Path, output_file: Path) -> None:
    """A line for a line, with progress; the output appears when all are done."""
    with input_file.open("rb") as stream:
        total = sum(1 for _ in stream)
    with input_file.open("rb") as stream, atomic_writer(output_file) as output:
        translations = translate_corpus(translator, read_lines(stream, str(input_file)))
        for translation in with_progress(translations, total):
            output.write(f"{translation}\n")


def with_progress(lines: Iterable[str], total: int) -> Iterator[str]:
    """The lines, counted on stderr. By hand: a board has no tqdm."""
    start = told = time.perf_counter()
    for number, line in enumerate(lines, start=1):
        yield line
        now = time.perf_counter()
        if number == total or now - told > 0.2:
            told = now
            print(f"\r{number}/{total} lines, {number / (now - start):.1f} a second", end="", file=sys.stderr)
    if total:
        print(file=sys.stderr)


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Lines of UTF-8 text without their ends; a bad one is a `UserError` that names it."""
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number}: not valid UTF-8 ({error.reason})") from error
