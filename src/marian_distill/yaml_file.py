"""YAML that a person wrote: an object of known keys, or one line that says what is wrong with it."""

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from marian_distill.errors import UserError


def read_yaml_object(path: Path, expected: str) -> dict[str, Any]:
    """Read a YAML file that must hold `expected` (`'option: value' lines`); an empty one is an empty object.

    Raises:
        UserError: no such file, not YAML, another kind of value, or a key that stands there twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
        values = {} if values is None else values
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid YAML ({error})") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected {expected}, found {type(values).__name__}")
    _refuse_twice(path, text)
    return values


def nearest_name(name: str, known: Collection[str]) -> str:
    """The known name that one resembles most; "" when none does."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), "")


def _refuse_twice(path: Path, text: str) -> None:
    """`UserError` for a key that stands there twice, of which YAML would take the last without a word."""
    document = yaml.compose(text, yaml.SafeLoader)
    pairs = document.value if isinstance(document, yaml.MappingNode) else []
    keys = [str(key.value).replace("-", "_") for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"{path}: {key!r} is there twice; remove one")
