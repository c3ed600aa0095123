"""Text of one language model's kind: a sample a line, or documents; from plain text, JSONL and parallel files.

Lines end at `\\n` alone. Nothing is cleaned: what a language model reads it learns to write.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

from marian_distill.errors import UserError
from marian_distill.files import parse_json
from marian_distill.text.formats import READERS, kind_and_packing, read_rows, unpacked_lines

Cut = Literal["lines", "documents"]
CUTS: tuple[Cut, ...] = get_args(Cut)
Sides = Literal["both", "en", "zh"]
SIDES: tuple[Sides, ...] = get_args(Sides)


def read_samples(path: str | Path, cut: Cut = "lines", sides: Sides = "both") -> Iterator[str]:
    """Stream the samples of a file (also .gz or .xz). None is empty or has space at its ends.

    - JSONL with a `text` in every record: a record is a sample.
    - .tsv, .csv, JSONL of pairs: each sentence is a sample; `sides` chooses the language.
    - anything else is plain UTF-8: a line is a sample or, with `documents`, what lies between blank lines.

    Raises:
        UserError: no such file, or what is malformed, with its line.
    """
    path = Path(path)
    kind, packing = kind_and_packing(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    with unpacked_lines(path, packing) as lines:
        if kind == ".jsonl":
            first = next(((number, line) for number, line in lines if line.strip()), None)
            if first is None:
                return
            if _record(path, *first) is not None:
                numbered = ((number, line) for number, line in chain([first], lines) if line.strip())
                yield from _stripped(_text(path, number, line) for number, line in numbered)
                return
        elif kind not in READERS:
            yield from _documents(lines) if cut == "documents" else _stripped(line for _, line in lines)
            return
    for english, chinese, _ in read_rows(path):
        yield from _stripped(
            ([english] if sides in ("both", "en") else []) + ([chinese] if sides in ("both", "zh") else [])
        )


def _record(path: Path, number: int, line: str) -> str | None:
    """The `text` of a record; None for a record without one."""
    try:
        value = parse_json(line)
    except ValueError as error:
        raise UserError(f"{path}: line {number} is not valid JSON ({error})") from error
    text = value.get("text") if isinstance(value, dict) else None
    if text is not None and not isinstance(text, str):
        raise UserError(f'{path}: line {number} is not {{"text": "…"}}; mend or remove it')
    return text


def _text(path: Path, number: int, line: str) -> str:
    text = _record(path, number, line)
    if text is None:
        raise UserError(f'{path}: line {number} has no "text", though the first record has; mend or remove it')
    return text


def _stripped(texts: Iterable[str]) -> Iterator[str]:
    return filter(None, (text.strip() for text in texts))


def _documents(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """What lies between blank lines."""
    document: list[str] = []
    for _, line in lines:
        if line.strip():
            document.append(line.rstrip("\r\n"))
        elif document:
            yield "\n".join(document).strip()
            document = []
    if document:
        yield "\n".join(document).strip()
