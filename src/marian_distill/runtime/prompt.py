"""The prompt of the commands that translate: a line in, its translation out, until Ctrl-D.

The line editor is Python's `readline` where there is one; a Windows terminal edits lines by itself.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from marian_distill.errors import UserError
from marian_distill.languages import DIRECTIONS, Direction, Language, is_han, languages_of
from marian_distill.runtime.translator import Translator

HELP = """\
TEXT           translate it
:en-zh :zh-en  translate in that direction from now on, where the model can
:best N        show the N best translations of each line; :best 1 shows one again
:help          this list
:q exit quit   leave, as Ctrl-D does; Ctrl-C only clears the line"""
NAMES: dict[Language, str] = {"en": "English", "zh": "Chinese"}


class PromptTranslator(Translator, Protocol):
    """A translator that can be turned round, and tells more translations than one."""

    def set_direction(self, direction: str | None) -> None:
        """Translate in another direction from now on; `UserError` when the model does not do it."""
        ...

    def translate_n_best(self, texts: Sequence[str], count: int) -> list[list[tuple[str, float]]]:
        """For each text its best translations with their mean log-probabilities a token, best first."""
        ...


def interact(translator: PromptTranslator, n_best: int = 1) -> None:
    """Ask for lines and translate them until Ctrl-D, `:q`, `exit` or `quit`.

    Args:
        translator: loaded.
        n_best: translations shown of each line, until `:best` says otherwise.
    """
    with line_history(), clearing_interrupts():
        while True:
            try:
                line = input(f"{translator.direction}> ").strip()
                if line in (":q", ":quit", ":exit", "exit", "quit"):
                    return
                if line.startswith(":"):
                    n_best = obey(translator, line[1:], n_best)
                elif line:
                    turn_round(translator, line)
                    print(*translations_of(translator, line, n_best), sep="\n")
            except KeyboardInterrupt:
                print()
            except EOFError:
                print()
                return
            except UserError as error:
                print(error, file=sys.stderr)


def obey(translator: PromptTranslator, command: str, n_best: int) -> int:
    """Do what a command (without its colon) says; how many translations to show from now on."""
    name, _, value = command.partition(" ")
    if name == "help":
        print(HELP)
    elif name in DIRECTIONS:
        translator.set_direction(name)
    elif name == "best" and value.strip().isdecimal():
        translator.translate_n_best([], int(value))  # refuses what the beam is too narrow for
        return int(value)
    else:
        raise UserError(f":{command}: no such command; :help lists them")
    return n_best


def turn_round(translator: PromptTranslator, line: str) -> None:
    """Where a line is in the target language: turn the translator round if it can be, and say so either way."""
    source, target = languages_of(translator.direction)
    if language_of(line) != target:
        return
    reverse: Direction = "zh-en" if target == "zh" else "en-zh"
    try:
        translator.set_direction(reverse)
    except UserError:
        print(f"(this looks like {NAMES[target]}; the model translates from {NAMES[source]})", file=sys.stderr)
    else:
        print(f"(this looks like {NAMES[target]}: {reverse} from now on)", file=sys.stderr)


def language_of(text: str) -> Language | None:
    """Chinese where Han characters are at least half as many as Latin letters, English without any; else not sure.

    A Han character is about as much as two or three letters. Without a word of two letters it may be either.
    """
    han = sum(map(is_han, text))
    latin = sum(character.isascii() and character.isalpha() for character in text)
    if han and 2 * han >= latin:
        return "zh"
    return "en" if not han and latin >= 4 and " " in text else None


def translations_of(translator: PromptTranslator, text: str, n_best: int) -> list[str]:
    """What is shown of a text: its translation, or `n_best` of them, each after its mean log-probability a token."""
    if n_best == 1:
        return translator.translate([text])
    return [f"{score:6.2f}  {translation}" for translation, score in translator.translate_n_best([text], n_best)[0]]


@contextlib.contextmanager
def line_history() -> Iterator[None]:
    """Lines that are typed are remembered from one time to the next, where Python has `readline`."""
    try:
        import readline
    except ImportError:  # Windows
        yield
        return
    history = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "distill-zh-en" / "history"
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history)


@contextlib.contextmanager
def clearing_interrupts() -> Iterator[None]:
    """Ctrl-C is the prompt's own while the block runs: it ends what is being typed or translated, not the program."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
