"""Corrections by hand: pairs that are replaced or dropped wherever a corpus has exactly them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from marian_distill.errors import UserError
from marian_distill.files import atomic_directory, check_replaceable, write_json
from marian_distill.text.corpus import BATCH_ROWS

REPORT = "corrections.json"
KIND = "a corrected corpus, its split {}"  # in a folder of its own, or one would replace another
COLUMNS = ("en", "zh", "new_en", "new_zh")
DROP = "drop"  # a column that may be missing
MARKS = frozenset({"x", "drop", "yes", "1"})
SCHEMA = pa.schema([("translation", pa.struct([("en", pa.string()), ("zh", pa.string())])), ("source", pa.string())])


@dataclass(frozen=True)
class Correction:
    """What becomes of a pair.

    Args:
        en, zh: the pair as the corpus has it.
        new_en, new_zh: the pair as it should be; an empty one keeps that side.
        drops: whether the pair goes.
        line: of the file it was read from.
    """

    en: str
    zh: str
    new_en: str
    new_zh: str
    drops: bool
    line: int

    @property
    def what(self) -> tuple[str, str, bool]:
        """What it does, apart from the pair that it does it to."""
        return self.new_en, self.new_zh, self.drops


def read_corrections(path: Path) -> tuple[list[Correction], int]:
    """Read a CSV with the columns en, zh, new_en, new_zh, and perhaps drop, as an audit writes it.

    A row that says nothing new and has no mark to drop it leaves its pair as it is. A pair may stand there twice.

    Returns:
        The corrections, and the number of rows that change nothing.

    Raises:
        UserError: no such file, a missing column, a mark that is none, one pair corrected in two ways.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not valid UTF-8 ({error.reason} at byte {error.start})") from error
    csv.field_size_limit(2**31 - 1)  # an audit lists sentences of any length
    reader = csv.DictReader(io.StringIO(text, newline=""))  # a sentence may hold a line separator of any kind
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise UserError(f"{path}: no column {missing[0]!r}; expected {', '.join(COLUMNS)}")
    corrections: dict[tuple[str, str], Correction] = {}
    unchanged = 0
    for row in reader:
        values = [(row[name] or "").strip() for name in COLUMNS]
        place = f"{path}, line {reader.line_num}"
        one = Correction(*values, drops=_is_marked(row.get(DROP), place), line=reader.line_num)
        if one.what == ("", "", False):
            unchanged += 1
            continue
        if one.drops and (one.new_en or one.new_zh):
            raise UserError(f"{place}: both a new text and a mark in the column {DROP!r}; leave one of them")
        first = corrections.setdefault((one.en, one.zh), one)
        if first.what != one.what:
            raise UserError(f"{place}: the pair of line {first.line} with another correction: {one.en!r}")
    return list(corrections.values()), unchanged


def _is_marked(text: str | None, place: str) -> bool:
    mark = (text or "").strip()
    if mark and mark.lower() not in MARKS:
        raise UserError(f"{place}: {mark!r} in the column {DROP!r}; expected x, or nothing to keep the pair")
    return bool(mark)


def apply_corrections(
    corpora: Sequence[datasets.Dataset], corrections: Sequence[Correction]
) -> tuple[list[pa.Table], list[int]]:
    """The corpora's rows (`translation`, `source`) with the corrections, and the number of rows that each one hit."""
    place = {(one.en, one.zh): index for index, one in enumerate(corrections)}
    hits = [0] * len(corrections)
    tables = []
    for corpus in corpora:
        for batch in corpus.with_format("arrow").iter(BATCH_ROWS):
            rows = []
            for row in batch.to_pylist():  # pyright: ignore[reportAttributeAccessIssue]
                english, chinese, source = row["en"], row["zh"], row["source"]
                index = place.get((english.strip(), chinese.strip()))
                if index is not None:
                    hits[index] += 1
                    one = corrections[index]
                    if one.drops:
                        continue
                    english, chinese = one.new_en or english, one.new_zh or chinese
                rows.append({"translation": {"en": english, "zh": chinese}, "source": source})
            tables.append(pa.Table.from_pylist(rows, schema=SCHEMA))
    return tables, hits


def check_output(output_dir: Path, split: str) -> None:
    """Refuse to replace anything but a folder that this wrote before, of the same split."""
    check_replaceable(output_dir, KIND.format(split))


def write_corpus(tables: Sequence[pa.Table], output_dir: Path, split: str, report: dict[str, Any]) -> None:
    """Write a corpus in the hub's layout with its report (corrections.json), whole or not at all."""
    with atomic_directory(output_dir, KIND.format(split)) as folder:
        with pq.ParquetWriter(folder / f"{split}-00000-of-00001.parquet", SCHEMA) as writer:
            for table in tables:
                writer.write_table(table)
        write_json(folder / REPORT, report)
