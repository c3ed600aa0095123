"""Rows of a corpus by their numbers, read as a stream: a corpus larger than the disk is never there as a whole.

Text files are read from their beginning up to the rows that are wanted, and on from there for the next ones; Parquet
gives any rows by its row groups, and that of the hub is read over the network, group by group.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypedDict

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.text.corpus import HUB_ID, parallel_columns, parquet_files
from marian_distill.text.formats import KINDS, Rows, files_of, read_rows

Row = dict[str, str]  # en, zh, source


class CorpusRecord(TypedDict):
    """What a plan says of a corpus: its name, its rows, and what tells its content from another one's."""

    name: str
    rows: int
    fingerprint: str


class Corpus(Protocol):
    """A corpus whose rows have numbers."""

    fingerprint: str

    def count(self) -> int:
        """All rows."""
        ...

    def read(self, first: int, count: int) -> Iterator[Row]:
        """So many rows from number `first` on."""
        ...


class TextCorpus:
    """Text files, which are read in their order.

    Args:
        path: as in `formats.read_rows`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fingerprint = " ".join(map(sha256, files_of(path)))
        self._rows: Rows = iter(())
        self._position: int | None = None  # of the next row; None: the file is not open

    def count(self) -> int:
        """All rows: the files are read once."""
        return sum(1 for _ in read_rows(self.path))

    def read(self, first: int, count: int) -> Iterator[Row]:
        """So many rows from number `first` on; what follows the rows read last need not be looked for."""
        if self._position is None or first < self._position:
            self._rows, self._position = read_rows(self.path), 0
        for _ in islice(self._rows, first - self._position):
            pass
        self._position = None  # unless all that was asked for is read
        for english, chinese, source in islice(self._rows, count):
            yield {"en": english, "zh": chinese, "source": source}
        self._position = first + count


class ParquetCorpus:
    """Parquet files with the columns of `load_parallel`, on this machine or on the hub.

    Args:
        system: what opens them.
        files: in order.
        label: `source` of rows that have none.
        fingerprint: of their content.
    """

    def __init__(self, system: Any, files: Sequence[str], label: str, fingerprint: str) -> None:
        self.system, self.files, self.label, self.fingerprint = system, files, label, fingerprint
        self._lengths: list[int] | None = None

    def count(self) -> int:
        """All rows, as the files' footers have them."""
        return sum(self._rows_of_files())

    def _rows_of_files(self) -> list[int]:
        if self._lengths is None:
            self._lengths = []
            for file in self.files:
                with self.system.open(file) as stream:
                    self._lengths.append(_opened(stream, file).metadata.num_rows)
        return self._lengths

    def read(self, first: int, count: int) -> Iterator[Row]:
        """So many rows from number `first` on: the row groups that hold them."""
        begin = 0
        for file, length in zip(self.files, self._rows_of_files(), strict=True):
            if begin < first + count and first < begin + length:
                with self.system.open(file) as stream:
                    yield from self._read_file(_opened(stream, file), file, first - begin, first + count - begin)
            begin += length

    def _read_file(self, parquet: pq.ParquetFile, file: str, first: int, end: int) -> Iterator[Row]:
        begin = 0
        for group in range(parquet.num_row_groups):
            length = parquet.metadata.row_group(group).num_rows
            if begin < end and first < begin + length:
                table = parallel_columns(pa.table(parquet.read_row_group(group)), self.label, file, begin)
                yield from table.slice(max(first - begin, 0), end - max(first, begin)).to_pylist()
            begin += length


def _opened(stream: Any, file: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(stream)
    except pa.ArrowException as error:
        raise UserError(f"{file}: not a readable Parquet file ({error}); fetch it again") from error


def open_corpus(name: str, config: str | None) -> Corpus:
    """The corpus of a name: a text file, Parquet here or on the hub.

    Args:
        name: as `CorpusSource` has it, but for folders of `datasets.save_to_disk`.
        config: of the hub's data set, or a folder's subfolder.

    Raises:
        UserError: nothing of that name that can be read so.
    """
    path = Path(name)
    local = fsspec.filesystem("file")
    if path.is_dir():
        files = parquet_files(path, config, "train")
        return ParquetCorpus(local, list(map(str, files)), path.name, " ".join(map(sha256, files)))
    if path.is_file() and path.suffix == ".parquet":
        return ParquetCorpus(local, [name], path.stem, sha256(path))
    if files := files_of(path):
        if not files[0].is_file():
            raise UserError(f"{files[0]}: no such file")
        return TextCorpus(path)
    if path.exists() or not HUB_ID.fullmatch(name):
        raise UserError(f"{name}: no corpus there; expected {KINDS}, a folder of Parquet, or a name of the hub")
    return _hub_corpus(name, config)


def _hub_corpus(name: str, config: str | None) -> Corpus:
    """Parquet of a data set on the hub, as it is now: the commit is its fingerprint."""
    try:
        commit = str(HfApi().dataset_info(name).sha)
        system, root = HfFileSystem(), f"datasets/{name}@{commit}"
        places = [f"{root}/{config}"] * bool(config) + [f"{root}/data", root]
        found = (sorted(map(str, system.glob(f"{place}/train*.parquet"))) for place in places)
        files = next(filter(None, found), None)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise UserError(
            f"{name}: neither on this machine nor reachable on the hub; check the name and the network ({error})"
        ) from error
    if files is None:
        raise UserError(f"{name}: no train*.parquet in {', '.join(places)}; fetch it and give its files")
    return ParquetCorpus(system, files, name, commit)


class Corpora:
    """Several corpora, one after another, as one.

    Args:
        names: for `open_corpus`.
        config: of those on the hub.
    """

    def __init__(self, names: Sequence[str], config: str | None) -> None:
        self.names = list(names)
        self._corpora = [open_corpus(name, config) for name in names]
        self._lengths: list[int] = []

    def records(self, known: Sequence[CorpusRecord] = ()) -> list[CorpusRecord]:
        """Of each corpus; `known` are an earlier plan's, which need not be counted where they are still the same."""
        counted = {(record["name"], record["fingerprint"]): record["rows"] for record in known}
        records: list[CorpusRecord] = []
        for name, corpus in zip(self.names, self._corpora, strict=True):
            rows = counted.get((name, corpus.fingerprint))
            rows = corpus.count() if rows is None else rows
            if rows == 0:
                raise UserError(f"{name}: no rows. Give a corpus with at least one sentence pair.")
            records.append({"name": name, "rows": rows, "fingerprint": corpus.fingerprint})
        self._lengths = [record["rows"] for record in records]
        return records

    def read(self, first: int, count: int) -> Iterator[Row]:
        """So many rows from number `first` on, counted through all corpora (after `records`)."""
        begin = 0
        for corpus, length in zip(self._corpora, self._lengths, strict=True):
            start, end = max(first, begin), min(first + count, begin + length)
            if start < end:
                yield from corpus.read(start - begin, end - start)
            begin += length
