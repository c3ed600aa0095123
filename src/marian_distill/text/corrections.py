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
KIND = "a corrected corpus"
COLUMNS = ("en", "zh", "new_en", "new_zh")
SCHEMA = pa.schema([("translation", pa.struct([("en", pa.string()), ("zh", pa.string())])), ("source", pa.string())])


@dataclass(frozen=True)
class Correction:
    """What becomes of a pair.

    Args:
        en, zh: the pair as the corpus has it.
        new_en, new_zh: the pair as it should be; both empty: drop it. One empty keeps that side.
        line: of the file it was read from.
    """

    en: str
    zh: str
    new_en: str
    new_zh: str
    line: int

    @property
    def drops(self) -> bool:
        """Whether the pair goes."""
        return not self.new_en and not self.new_zh


def read_corrections(path: Path) -> list[Correction]:
    """Read a CSV with the columns en, zh, new_en, new_zh. A correction may stand there twice, as an audit writes it.

    Raises:
        UserError: no such file, a missing column, one pair corrected in two ways.
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
    for row in reader:
        values = [(row[name] or "").strip() for name in COLUMNS]
        one = Correction(*values, line=reader.line_num)
        first = corrections.setdefault((one.en, one.zh), one)
        if (first.new_en, first.new_zh) != (one.new_en, one.new_zh):
            raise UserError(
                f"{path}, line {one.line}: the pair of line {first.line} with another correction: {one.en!r}"
            )
    return list(corrections.values())


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


def check_output(output_dir: Path) -> None:
    """Refuse to replace anything but a folder that this wrote before."""
    check_replaceable(output_dir, KIND)


def write_corpus(tables: Sequence[pa.Table], output_dir: Path, split: str, report: dict[str, Any]) -> None:
    """Write a corpus in the hub's layout with its report (corrections.json), whole or not at all."""
    with atomic_directory(output_dir, KIND) as folder:
        with pq.ParquetWriter(folder / f"{split}-00000-of-00001.parquet", SCHEMA) as writer:
            for table in tables:
                writer.write_table(table)
        write_json(folder / REPORT, report)
