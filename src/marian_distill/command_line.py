"""What the commands' options share: a mistake is one line with the option's name, as every other mistake is."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from marian_distill.errors import UserError


class CommandParser(argparse.ArgumentParser):
    """Reports a bad option as a `UserError`, without the page of usage."""

    def error(self, message: str) -> NoReturn:  # noqa: D102 (argparse's own)
        raise UserError(f"{message}. See --help.")


def command_parser(description: str | None) -> CommandParser:
    """A parser whose `--help` begins with `description` (a script's docstring) as it is written."""
    return CommandParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def at_least(least: int, most: int | None = None) -> Callable[[str], int]:
    """The type of an option that takes a whole number from `least` up, or up to `most`."""
    wanted = f"{least} or more" if most is None else f"{least} to {most}"

    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or not least <= int(text) <= (int(text) if most is None else most):
            raise argparse.ArgumentTypeError(f"{text}: expected a whole number, {wanted}")
        return int(text)

    return parse


def between(least: float, most: float) -> Callable[[str], float]:
    """The type of an option that takes a number from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text}: expected a number from {least:g} to {most:g}")
        return value

    return parse


def add_model_dir(parser: argparse.ArgumentParser, explanation: str, kind: type = Path) -> None:
    """The model that a command works on, in `model_dir`: `--model-dir DIR`, or DIR alone as the first argument."""
    one_of = parser.add_mutually_exclusive_group(required=True)
    one_of.add_argument("--model-dir", type=kind, help=explanation)
    one_of.add_argument("model_dir", nargs="?", type=kind, action=_IfGiven, help="the same, by place")


class _IfGiven(argparse.Action):
    """Leaves what an option of the same name said alone."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        if values is not None:
            setattr(namespace, self.dest, values)
