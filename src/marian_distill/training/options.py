"""What the dataclasses of options share: a field with its help, and checks that tell a mistake in one line."""

import dataclasses
import difflib
import math
from typing import Any

from marian_distill.errors import UserError


def option(help: str, default: Any = None, **metadata: Any) -> Any:
    """A field with its line of `--help`."""
    return dataclasses.field(default=default, metadata={"help": help, **metadata})


def flag(name: str) -> str:
    """A field as it is given on the command line."""
    return f"--{name.replace('_', '-')}"


def check_finite(options: Any) -> None:
    """Refuse NaN and infinity in any field."""
    for one in dataclasses.fields(options):
        values = getattr(options, one.name)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"{flag(one.name)} {value}: expected a finite number")


def check_at_least(options: Any, least: int, *names: str) -> None:
    """Refuse a number below `least`; None passes."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < least:
            raise UserError(f"{flag(name)} {value}: expected {least} or more")


def nearest(name: str, known: set[str], prefix: str) -> str:
    """What may have been meant, to end a message: "; did you mean --seed?"; "" where nothing is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    shown = near[0].replace("_", "-") if near and prefix else (near[0] if near else "")
    return f"; did you mean {prefix}{shown}?" if near else ""
