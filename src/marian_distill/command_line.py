"""What the commands' options share: a mistake is one line with the option's name, as every other mistake is."""

import argparse
from collections.abc import Callable
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


def at_least(least: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number from `least` up."""

    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text}: expected a whole number, {least} or more")
        return int(text)

    return parse


def share(text: str) -> float:
    """The type of an option that takes a share from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text}: expected a share from 0 to 1")
    return value
