"""JSON held against a TypedDict when it is loaded: what reads it may rely on names, types and finite numbers."""

import math
import types
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from marian_distill.errors import UserError
from marian_distill.files import read_json

Shape = TypeVar("Shape")


def read_shaped(path: str | Path, shape: type[Shape]) -> Shape:
    """Read a JSON file that must look like `shape` (see `fault_of`); keys beyond it are passed over.

    Raises:
        UserError: no such file, no JSON, or the first place where it is another shape.
    """
    value = read_json(path)
    if fault := fault_of(value, shape, ""):
        raise UserError(f"{path}: {fault}. It is not a file that this program wrote; make it again.")
    return value


def fault_of(value: Any, shape: Any, place: str) -> str:
    """What is wrong with a value, and where; "" when it has the shape.

    Shapes are bool, int, float (finite), str, None, list, dict, TypedDict, Literal and unions of these.
    """
    origin, parts = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        faults = [fault_of(value, part, place) for part in parts]
        return "" if "" in faults else faults[0]
    if is_typeddict(shape) or origin is dict:
        if not isinstance(value, dict):
            return _expected("an object", value, place)
        fields = dict.fromkeys(value, parts[1]) if origin is dict else get_type_hints(shape)
        optional = getattr(shape, "__optional_keys__", frozenset())
        for name, part in fields.items():
            if name not in value and name in optional:
                continue
            if name not in value:
                return f"{place or 'it'} has no {name!r}"
            if fault := fault_of(value[name], part, f"{place}.{name}".strip(".")):
                return fault
        return ""
    if origin is Literal:
        return "" if value in parts else _expected(" or ".join(map(repr, parts)), value, place)
    if origin is list:
        if not isinstance(value, list):
            return _expected("a list", value, place)
        return next(filter(None, (fault_of(one, parts[0], f"{place}[{n}]") for n, one in enumerate(value))), "")
    if shape is float:
        sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return "" if sound else _expected("a finite number", value, place)
    if shape is int:
        sound = isinstance(value, int) and not isinstance(value, bool)
        return "" if sound else _expected("a whole number", value, place)
    if shape in (None, type(None)):
        return "" if value is None else _expected("null", value, place)
    return "" if shape is Any or isinstance(value, shape) else _expected(f"a {shape.__name__}", value, place)


def _expected(what: str, value: Any, place: str) -> str:
    return f"{place or 'it'} is {str(value)[:40]!r}, expected {what}"
