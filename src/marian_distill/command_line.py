"""What the commands' options share: a mistake is one line with the option's name, as every other mistake is."""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from marian_distill.errors import UserError
from marian_distill.files import check_writable


class CommandParser(argparse.ArgumentParser):
    """Reports a bad option as a `UserError`, without the page of usage.

    An option that names an output (`--json`, `--report`, `--output…`) is tried as soon as it is read, before hours
    of work.
    """

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # noqa: D102 (argparse's)
        arguments = super().parse_args(args, namespace)
        for name, path in vars(arguments).items():
            if isinstance(path, Path) and (name in ("json", "report") or name.startswith("output")):
                option = f"--{name.replace('_', '-')}"
                check_output_path(path, option)
                for other, value in vars(arguments).items():
                    if other != name and any(_is_same(path, one) for one in _paths(value)):
                        raise UserError(f"{option} {path}: is --{other.replace('_', '-')} too. Give another path.")
        return arguments

    def error(self, message: str) -> NoReturn:  # noqa: D102 (argparse's own)
        raise UserError(f"{message}. See --help.")


def check_output_path(path: Path, option: str) -> None:
    """`UserError` where nothing can be written, or what is there is of the other kind than the option's."""
    check_writable(path, option)
    if option.endswith("-dir"):
        if path.exists() and not path.is_dir():
            raise UserError(f"{option} {path}: is a file. Give a folder.")
    elif path.is_dir():
        raise UserError(f"{option} {path}: is a folder. Give a file name.")


def _paths(value: Any) -> Iterator[Path]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str | Path):
            yield Path(one)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one of them is not there, or no path at all
        return False


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
