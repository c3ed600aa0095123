"""Rows of parallel text files, one at a time: TSV, CSV, JSONL, pairs of an English and a Chinese file; also packed.

Lines end at `\\n` alone, so that the other line separators of Unicode stay inside a sentence.
"""

import csv
import gzip
import logging
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import IO

from marian_distill.errors import UserError
from marian_distill.files import parse_json

logger = logging.getLogger(__name__)

Rows = Iterator[tuple[str, str, str]]
Lines = Iterator[tuple[int, str]]

PACKINGS = (".gz", ".xz")
COLUMNS = (("en", "zh"), ("source", "target"))  # English first
csv.field_size_limit(2**31 - 1)  # a long sentence is the filters' to drop; Python's default is 128 KB
SIDES = (".en", ".zh")
KINDS = ".csv, .tsv, .jsonl, .en and .zh (each also .gz or .xz), or .parquet"
# A label names a corpus. What is another one in most of the first rows is something else: an author, a link, a score.
LABEL_SAMPLE, FEWEST_ROWS = 2_000, 20


def files_of(path: Path) -> tuple[Path, ...]:
    """The text files that a name means: itself, or a pair for FILE.en, FILE.zh or FILE alone; () for another kind.

    Raises:
        UserError: one of a pair, the other missing.
    """
    kind, packing = kind_and_packing(path)
    if kind in READERS:
        return (path,)
    stem = path.name.removesuffix(packing)
    if kind in SIDES:
        pair = _pair(path, stem.removesuffix(kind), packing)
        if missing := [file for file in pair if not file.is_file()]:
            raise UserError(f"{missing[0]}: no such file; a corpus in two files has NAME.en and NAME.zh, line by line")
        return pair
    pairs = [_pair(path, path.name, packing) for packing in ("", *PACKINGS)]
    return next((pair for pair in pairs if all(file.is_file() for file in pair)), ())


def _pair(path: Path, stem: str, packing: str) -> tuple[Path, ...]:
    return tuple(path.with_name(f"{stem}{side}{packing}") for side in SIDES)


def label_of(path: Path) -> str:
    """The file's name without its endings: `pool` of pool.tsv.gz."""
    return Path(path.name.removesuffix(kind_and_packing(path)[1])).stem


def read_rows(path: Path) -> Rows:
    """Stream (en, zh, source label) of a file.

    - TSV: English, Chinese and an optional source label, with or without the header `en<TAB>zh`.
    - CSV: header `source,target` (English, Chinese) or `en,zh`; the latter may have a column `source` for the label.
    - JSONL: `{"en", "zh"}`, `{"translation": {"en", "zh"}}` or `{"source", "target"}` a line.
    - FILE.en and FILE.zh, as many lines each: give either, or FILE.

    Empty lines are passed over. Labels that differ in most rows (attributions) give way to the file's name.

    Raises:
        UserError: no such file, another kind of file, or what is malformed, with its line.
    """
    files = files_of(path)
    if not files:
        known = "unknown kind of file" if path.exists() else "no such file"
        raise UserError(f"{path}: {known}; expected {KINDS}")
    rows = _read_pair(files[0], files[1]) if len(files) == 2 else _read_one(path)
    first = list(islice(rows, LABEL_SAMPLE))
    label = label_of(files[0])
    labels = [origin for _, _, origin in first if origin != label]
    if len(labels) >= FEWEST_ROWS and len(set(labels)) > len(labels) / 2:
        logger.warning("%s: its label differs in most rows (%r); %r is taken for all", path, labels[0][:60], label)
        yield from ((english, chinese, label) for english, chinese, _ in chain(first, rows))
    else:
        yield from chain(first, rows)


def _read_one(path: Path) -> Rows:
    kind, packing = kind_and_packing(path)
    with unpacked_lines(path, packing) as lines:
        yield from READERS[kind](path, lines)


def _read_pair(english_file: Path, chinese_file: Path) -> Rows:
    label = label_of(english_file)
    packing = kind_and_packing(english_file)[1]
    with unpacked_lines(english_file, packing) as english, unpacked_lines(chinese_file, packing) as chinese:
        for left, right in zip_longest(english, chinese):
            if left is None or right is None:
                short, long = (english_file, chinese_file) if left is None else (chinese_file, english_file)
                number = (left or right)[0]  # pyright: ignore[reportOptionalSubscript]
                raise UserError(f"{short}: has {number - 1} lines, {long.name} more; both need as many, line by line")
            texts = left[1].rstrip("\r\n"), right[1].rstrip("\r\n")
            if any(texts):
                yield *texts, label


@contextmanager
def unpacked_lines(path: Path, packing: str) -> Iterator[Lines]:
    """Numbered lines of a UTF-8 text file; what is broken in it is a `UserError` that names it."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with _open(path, packing) as stream:
            yield _lines(path, stream)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"{path}: broken {packing} file ({error}); fetch it again") from error


def kind_and_packing(path: Path) -> tuple[str, str]:
    """The endings of kind and packing: (".tsv", ".gz")."""
    packing = path.suffix if path.suffix in PACKINGS else ""
    return Path(path.name.removesuffix(packing)).suffix.lower(), packing


def _open(path: Path, packing: str) -> IO[bytes]:
    if packing == ".gz":
        return gzip.open(path, "rb")  # pyright: ignore[reportReturnType]
    return lzma.open(path, "rb") if packing == ".xz" else path.open("rb")


def _lines(path: Path, stream: IO[bytes]) -> Lines:
    """Line number from 1 and text with its line end; a byte order mark at the start is dropped."""
    for number, line in enumerate(stream, start=1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: line {number} is not valid UTF-8 ({error.reason}); save as UTF-8") from error


def _read_tsv(path: Path, lines: Lines) -> Rows:
    label = label_of(path)
    for number, line in lines:
        fields = line.rstrip("\r\n").split("\t")
        if fields == [""] or (number == 1 and fields[:2] == ["en", "zh"]):
            continue
        if number == 1 and fields[:2] == ["zh", "en"]:
            raise UserError(f"{path}: its header is zh<TAB>en; expected en<TAB>zh. Swap the columns.")
        if len(fields) == 2:
            yield fields[0], fields[1], label
        elif len(fields) == 3:
            yield fields[0], fields[1], fields[2] or label
        else:
            raise UserError(
                f"{path}: line {number} has {len(fields)} column{'s' * (len(fields) > 1)}; expected "
                "English<TAB>Chinese and at most a source label"
            )


def _read_csv(path: Path, lines: Lines) -> Rows:
    label = label_of(path)
    reader = csv.reader((line for _, line in lines), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            return
        names = next((pair for pair in COLUMNS if set(pair) <= set(header)), None)
        if names is None:
            raise UserError(
                f"{path}: its header is {','.join(header)!r}; expected the columns source,target (English, Chinese) "
                "or en,zh"
            )
        english, chinese = map(header.index, names)
        origin = header.index("source") if names == COLUMNS[0] and "source" in header else None
        for row in reader:
            if len(row) == len(header):
                yield row[english], row[chinese], row[origin] if origin is not None else label
            elif row:
                raise UserError(
                    f"{path}: line {reader.line_num} has {len(row)} column{'s' * (len(row) > 1)}, the header "
                    f"{len(header)}; put text with commas in double quotes"
                )
    except csv.Error as error:
        raise UserError(
            f"{path}: line {reader.line_num} is not valid CSV ({error}); mend its double quotes"
        ) from error


def _read_jsonl(path: Path, lines: Lines) -> Rows:
    label = label_of(path)
    for number, line in lines:
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except ValueError as error:
            raise UserError(f"{path}: line {number} is not valid JSON ({error})") from error
        value = value.get("translation", value) if isinstance(value, dict) else {}
        value = value if isinstance(value, dict) else {}
        names = next((pair for pair in COLUMNS if set(pair) <= set(value)), COLUMNS[0])
        english, chinese = (value.get(name) for name in names)
        if not isinstance(english, str) or not isinstance(chinese, str):
            raise UserError(f'{path}: line {number} is not {{"en": "…", "zh": "…"}}; mend or remove it')
        origin = value.get("source") if names == COLUMNS[0] else None
        yield english, chinese, origin if isinstance(origin, str) else label


READERS: dict[str, Callable[[Path, Lines], Rows]] = {".tsv": _read_tsv, ".csv": _read_csv, ".jsonl": _read_jsonl}
