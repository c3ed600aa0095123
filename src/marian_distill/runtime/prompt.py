"""The prompt of the commands that translate: a line in, its translation out, until Ctrl-D.

The line editor is Python's `readline` where there is one; a Windows terminal edits lines by itself.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from marian_distill.errors import UserError
from marian_distill.languages import DIRECTIONS, Direction, Language, is_han, languages_of
from marian_distill.runtime.translator import Translator, checked_direction

HELP = """\
TEXT           translate it
:en-zh :zh-en  translate in that direction from now on, where the model can
:best N        show the N best translations of each line; :best 1 shows one again
:help          this list
:q exit quit   leave, as Ctrl-D does; Ctrl-C only clears the line"""
NAMES: dict[Language, str] = {"en": "English", "zh": "Chinese"}


class PromptTranslator(Translator, Protocol):
    """A translator that tells more translations than one."""

    def translate_n_best(
        self, texts: Sequence[str], count: int, *, direction: str | None = None
    ) -> list[list[tuple[str, float]]]:
        """For each text its best translations with their mean log-probabilities a token, best first."""
        ...


@dataclass
class Settings:
    """What a prompt does with the next line: its direction, and how many translations it shows."""

    direction: Direction
    n_best: int = 1


def interact(translator: PromptTranslator, n_best: int = 1) -> None:
    """Ask for lines and translate them until Ctrl-D, `:q`, `exit` or `quit`.

    Args:
        translator: loaded.
        n_best: translations shown of each line, until `:best` says otherwise.
    """
    settings = Settings(translator.direction, n_best)

    def answer(line: str) -> None:
        if text := line.strip():
            turn_round(translator, text, settings)
            print(*translations_of(translator, text, settings), sep="\n")

    ask(lambda: f"{settings.direction}> ", lambda command: obey(translator, command, settings), answer)


def ask(prompt: Callable[[], str], obey: Callable[[str], None], answer: Callable[[str], None]) -> None:
    """Ask for lines until Ctrl-D, `:q`, `exit` or `quit`; Ctrl-C ends a line, and a `UserError` is told.

    Args:
        prompt: what stands before the next line.
        obey: called with a command, without its colon.
        answer: called with any other line, as it was typed.
    """
    with line_history(), clearing_interrupts():
        while True:
            try:
                line = input(prompt())
                command = line.strip()
                if command in (":q", ":quit", ":exit", "exit", "quit"):
                    return
                if command.startswith(":"):
                    obey(command[1:].strip())
                else:
                    answer(line)
            except KeyboardInterrupt:
                print()
            except EOFError:
                print()
                return
            except UserError as error:
                print(error, file=sys.stderr)


def obey(translator: PromptTranslator, command: str, settings: Settings) -> None:
    """Do what a command (without its colon) says."""
    name, _, value = command.partition(" ")
    if name == "help":
        print(HELP)
    elif name in DIRECTIONS:
        settings.direction = checked_direction(translator.source_tags, name)
    elif name == "best" and value.strip().isdecimal():
        translator.translate_n_best([], int(value))  # refuses what the beam is too narrow for
        settings.n_best = int(value)
    else:
        raise UserError(f":{command}: no such command; :help lists them")


def turn_round(translator: PromptTranslator, line: str, settings: Settings) -> None:
    """Where a line is in the target language: go on in the other direction if the model can, and say so either way."""
    source, target = languages_of(settings.direction)
    if language_of(line) != target:
        return
    reverse: Direction = "zh-en" if target == "zh" else "en-zh"
    if reverse in translator.source_tags:
        settings.direction = reverse
        print(f"(this looks like {NAMES[target]}: {reverse} from now on)", file=sys.stderr)
    else:
        print(f"(this looks like {NAMES[target]}; the model translates from {NAMES[source]})", file=sys.stderr)


def language_of(text: str) -> Language | None:
    """Chinese where Han characters are at least half as many as Latin letters, English without any; else not sure.

    A Han character is about as much as two or three letters. Without a word of two letters it may be either.
    """
    han = sum(map(is_han, text))
    latin = sum(character.isascii() and character.isalpha() for character in text)
    if han and 2 * han >= latin:
        return "zh"
    return "en" if not han and latin >= 4 and " " in text else None


def translations_of(translator: PromptTranslator, text: str, settings: Settings) -> list[str]:
    """What is shown of a text: its translation, or the best of them, each after its mean log-probability a token."""
    if settings.n_best == 1:
        return translator.translate([text], direction=settings.direction)
    [best] = translator.translate_n_best([text], settings.n_best, direction=settings.direction)
    return [f"{score:6.2f}  {translation}" for translation, score in best]


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
