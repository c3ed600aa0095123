"""Parallel text in: hub datasets, Parquet, `datasets` folders and text files become one Arrow table: en, zh, source.

Every kind is read as a stream of column batches and written once to the `datasets` cache under the fingerprint of its
content, so that ten million rows need little memory and a changed file is read again.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import config
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError

from marian_distill.errors import UserError
from marian_distill.files import atomic_path, sha256
from marian_distill.languages import is_han
from marian_distill.text.formats import KINDS, Rows, files_of, label_of, read_rows

# Of the rows that are read from a corpus: one more, whenever the same files would give other rows.
ROWS_VERSION = 1
SCHEMA = pa.schema([("en", pa.string()), ("zh", pa.string()), ("source", pa.string())])
BATCH_ROWS = 20_000
DIRECTION_SAMPLE = 2_000
MAX_WEIGHT = 10_000
HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
SPLITS = ("train", "validation", "test")
SAVED = ("dataset_dict.json", "state.json")  # of `datasets.save_to_disk`

Batches = Iterable[pa.Table]
Part = tuple[datasets.Dataset, float]


class MissingSplitError(UserError):
    """The corpus is there, and has no such split."""


@dataclass(frozen=True)
class CorpusSource:
    """One parallel corpus.

    Args:
        name: a hub id (`Helsinki-NLP/opus-100`), a folder of Parquet in the hub's layout or one that
            `datasets.save_to_disk` wrote, or a file: Parquet, CSV, TSV, JSONL, FILE.en beside FILE.zh (or just FILE).
        config: the hub config (`en-zh`); for a local folder, its subfolder.
    """

    name: str
    config: str | None = None


def load_parallel(source: CorpusSource, split: str = "train") -> datasets.Dataset:
    """All rows of a corpus, once each, as string columns `en`, `zh` and `source` (memory-mapped, cached by content).

    `source` labels a row's origin: the third column of a TSV (or the column `source` beside `en` and `zh`) where there
    is one, else the file stem or the hub id.

    Raises:
        UserError: nothing there, a malformed row (with file and line), an empty corpus, languages swapped.
    """
    path = Path(source.name)
    if path.is_dir():
        return _load_folder(path, source, split, path.name)
    if path.is_file() and path.suffix == ".parquet":
        return _cached([path.stem, sha256(path)], _parquet_batches([path], path.stem), source.name)
    if files := files_of(path):
        if not files[0].is_file():
            raise UserError(f"{files[0]}: no such file")
        key = [label_of(files[0]), files[0].suffix, *map(sha256, files)]
        return _cached(key, _text_batches(read_rows(path)), source.name)
    if path.exists():
        raise UserError(f"{path}: unknown kind of file; expected {KINDS}, or a folder")
    if not HUB_ID.fullmatch(source.name):
        raise UserError(f"{path}: no such file or folder")
    return _load_hub(source, split)


def mix(
    main: Sequence[Part],
    extra: Sequence[Part] = (),
    *,
    source_weights: Mapping[str, float] | None = None,
    max_samples: int | None = None,
    seed: int,
) -> datasets.Dataset:
    """One dataset of several, each row as often as its dataset's repeat times its source's weight says.

    Args:
        main: datasets with their repeats; `max_samples` is drawn from all of these together.
        extra: datasets with their repeats that come on top, never sampled away (`--extra-train-csv`).
        source_weights: weight by `source` label: 0.2 keeps a seeded fifth of its rows, 2 takes each twice.
        max_samples: upper bound of rows from `main`, drawn without replacement after the weights.
        seed: the same seed gives the same rows in the same order.

    Raises:
        UserError: a weight for a label that no row has, a negative weight, or nothing left.
    """
    parts = [*main, *extra]
    weights = dict(source_weights or {})
    labels = [source_labels(dataset) for dataset, _ in parts]
    _check_weights(weights, sorted({name for _, names in labels for name in names}))
    if negative := [repeat for _, repeat in parts if repeat < 0]:
        raise UserError(f"repeat {negative[0]:g}: must be 0 or more")
    generator = np.random.default_rng(seed)
    chosen = [
        _copies(codes, [repeat * weights.get(name, 1.0) for name in names], generator)
        for (_, repeat), (codes, names) in zip(parts, labels, strict=True)
    ]
    offsets = np.cumsum([0, *(len(dataset) for dataset, _ in parts[:-1])])
    shifted = [indices + offset for indices, offset in zip(chosen, offsets, strict=True)]
    main_rows = np.concatenate([np.empty(0, np.int64), *shifted[: len(main)]])
    if max_samples is not None and max_samples < len(main_rows):
        main_rows = np.sort(generator.choice(main_rows, size=max_samples, replace=False))
    rows = np.concatenate([main_rows, *shifted[len(main) :]])
    if not len(rows):
        raise UserError("no rows are left after weights, repeats and sampling; raise them")
    whole = datasets.concatenate_datasets([dataset for dataset, _ in parts])
    return whole if np.array_equal(rows, np.arange(len(whole))) else whole.select(rows)


def parse_source_weights(options: Iterable[str]) -> dict[str, float]:
    """The weights of `--source-weight NAME=WEIGHT …`; a name may hold `=`."""
    weights = {}
    for option in options:
        name, _, weight = option.rpartition("=")
        try:
            weights[name] = float(weight)
        except ValueError as error:
            raise UserError(f"source weight {option!r}: expected NAME=WEIGHT, such as manuals=0.2") from error
        if not 0 <= weights[name] <= MAX_WEIGHT:
            raise UserError(f"source weight {option!r}: expected a weight from 0 to {MAX_WEIGHT}")
    return weights


def source_labels(dataset: datasets.Dataset) -> tuple[np.ndarray, list[str]]:
    """The `source` column as codes `[rows]` into a list of the names that occur."""
    numbers: dict[str, int] = {}
    codes = [np.empty(0, np.int64)]
    # Straight from the Arrow table: `datasets` gathers a selection row by row, which takes minutes for millions.
    for chunk in dataset.data.column("source").chunks:
        encoded = chunk.dictionary_encode()
        chunk_numbers = [numbers.setdefault(name, len(numbers)) for name in encoded.dictionary.to_pylist()]
        codes.append(np.array(chunk_numbers, np.int64)[encoded.indices.to_numpy()])
    selection = dataset._indices
    chosen = np.concatenate(codes) if selection is None else np.concatenate(codes)[selection.column(0).to_numpy()]
    present, chosen = np.unique(chosen, return_inverse=True)
    names = list(numbers)
    return chosen, [names[number] for number in present]


def _copies(codes: np.ndarray, weights: list[float], generator: np.random.Generator) -> np.ndarray:
    """Sorted row numbers: each row floor(weight) times, and a random share of the rest once more."""
    per_row = np.zeros(len(codes), np.int64)
    for code, weight in enumerate(weights):
        rows = np.flatnonzero(codes == code)
        per_row[rows] = int(weight)
        per_row[generator.permutation(rows)[: round((weight - int(weight)) * len(rows))]] += 1
    return np.repeat(np.arange(len(codes)), per_row)


def _check_weights(weights: Mapping[str, float], names: list[str]) -> None:
    for name, weight in weights.items():
        if name not in names:
            nearest = difflib.get_close_matches(name, names, n=1, cutoff=0)
            raise UserError(f"source weight {name}={weight:g}: no row has this source; the nearest is {nearest[0]!r}")
        if weight < 0:
            raise UserError(f"source weight {name}={weight:g}: must be 0 or more")


def _cached(key: Sequence[str], batches: Batches, name: str) -> datasets.Dataset:
    """The dataset in the cache under `key`; written there from `batches` first if it is absent."""
    fingerprint = hashlib.sha256("\0".join([*key, str(ROWS_VERSION)]).encode()).hexdigest()[:32]
    folder = Path(config.HF_DATASETS_CACHE) / "marian_distill" / fingerprint
    if not (folder / "rows.arrow").is_file():
        # A file, not the folder: `datasets` keeps its own files beside it, perhaps those of another process.
        with atomic_path(folder / "rows.arrow") as temporary:
            _write_arrow(temporary, batches, name)
    table = datasets.Dataset.from_file(str(folder / "rows.arrow"))
    return datasets.Dataset(table.data, info=table.info, fingerprint=fingerprint)


def _write_arrow(path: Path, batches: Batches, name: str) -> None:
    rows = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as writer:
        for batch in batches:
            if rows == 0:
                _check_languages(batch.slice(0, DIRECTION_SAMPLE), name)
            writer.write_table(batch)
            rows += batch.num_rows
    if rows == 0:
        raise UserError(f"{name}: no rows. Give a corpus with at least one sentence pair.")


def _check_languages(sample: pa.Table, name: str) -> None:
    """Stop at a corpus whose columns are swapped: most `en` rows hold Han characters and most `zh` rows none."""
    han_en = sum(any(map(is_han, text)) for text in sample["en"].to_pylist())
    han_zh = sum(any(map(is_han, text)) for text in sample["zh"].to_pylist())
    if 2 * han_en > sample.num_rows and 2 * han_zh < sample.num_rows:
        raise UserError(
            f"{name}: the languages are swapped: {han_en} of the first {sample.num_rows} rows have Chinese on the "
            f"English side, {han_zh} on the Chinese side. English comes first: swap the columns or rename the header."
        )


def _text_batches(rows: Rows) -> Iterator[pa.Table]:
    """Column batches of a stream of (en, zh, source)."""
    batch: list[tuple[str, str, str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield _table(batch)
            batch = []
    if batch:
        yield _table(batch)


def _table(rows: list[tuple[str, str, str]]) -> pa.Table:
    return pa.table([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], schema=SCHEMA)


def parquet_files(folder: Path, config: str | None, split: str) -> list[Path]:
    """The Parquet files of a split: FOLDER/CONFIG/SPLIT-*.parquet, then FOLDER[/data]/SPLIT-*.parquet, then all."""
    places = [folder / config] if config and (folder / config).is_dir() else []
    places += [folder, folder / "data"]
    for place in places:
        if found := sorted([*place.glob(f"{split}-*.parquet"), *place.glob(f"{split}.parquet")]):
            return found
    flat = sorted(folder.glob("*.parquet"))
    if flat and split == "train" and not any(file.name.startswith(SPLITS) for file in flat):
        return flat
    raise MissingSplitError(
        f"{folder}: no Parquet files of the split {split!r}; expected {folder}/{config or 'CONFIG'}/{split}-*.parquet"
    )


def _parquet_batches(files: Sequence[Path], label: str) -> Iterator[pa.Table]:
    for file in files:
        try:
            with pq.ParquetFile(file) as parquet:
                row = 0
                for batch in parquet.iter_batches(BATCH_ROWS):
                    yield parallel_columns(pa.table(batch), label, f"{file}", row)
                    row += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{file}: not a readable Parquet file ({error}); fetch it again") from error


def _hub_batches(dataset: datasets.Dataset, name: str) -> Iterator[pa.Table]:
    for row in range(0, len(dataset), BATCH_ROWS):
        yield parallel_columns(dataset.data.slice(row, BATCH_ROWS), name, name, row)


def parallel_columns(table: pa.Table, label: str, place: str, first_row: int) -> pa.Table:
    """`en`, `zh`, `source` of a table with a `translation` struct, or with `en` and `zh` (and `source`) columns."""
    columns = {name: table[name] for name in table.column_names}
    if "translation" in columns and pa.types.is_struct(columns["translation"].type):
        struct = columns["translation"].combine_chunks()
        columns |= dict(zip((field.name for field in struct.type), struct.flatten(), strict=True))
    missing = [name for name in ("en", "zh") if name not in columns]
    if missing:
        raise UserError(
            f'{place}: no {missing[0]!r} in its columns ({", ".join(table.column_names)}); expected {{"translation": '
            f'{{"en", "zh"}}}} or the columns en and zh'
        )
    for name in ("en", "zh", "source"):
        kind = columns[name].type if name in columns else pa.string()
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)):
            raise UserError(f"{place}: the column {name!r} holds {kind}, expected text")
        if name in columns and columns[name].null_count:
            nulls = np.flatnonzero(columns[name].is_null().to_numpy(zero_copy_only=False))
            raise UserError(f"{place}: row {first_row + int(nulls[0]) + 1} has no {name!r} text; remove the row")
    source = columns.get("source", pa.array([label] * table.num_rows))
    return pa.table([column.cast(pa.string()) for column in (columns["en"], columns["zh"], source)], schema=SCHEMA)


def _load_folder(folder: Path, source: CorpusSource, split: str, label: str) -> datasets.Dataset:
    if any((folder / name).is_file() for name in SAVED):
        return _load_saved(folder, split, label)
    files = parquet_files(folder, source.config, split)
    return _cached([label, *map(sha256, files)], _parquet_batches(files, label), source.name)


def _load_saved(folder: Path, split: str, label: str) -> datasets.Dataset:
    """A folder that `datasets.save_to_disk` wrote: one dataset, or several by split."""
    saved = datasets.load_from_disk(str(folder))
    if isinstance(saved, datasets.DatasetDict):
        if split not in saved:
            raise MissingSplitError(f"{folder}: no split {split!r} in it, only {', '.join(map(str, saved))}")
        folder, saved = folder / split, saved[split]
    elif split != "train":
        raise MissingSplitError(f"{folder}: one dataset without splits, hence no {split!r}")
    files = sorted(folder.glob("*.arrow"))
    return _cached([label, *map(sha256, files)], _hub_batches(saved, label), str(folder))


def _load_hub(source: CorpusSource, split: str) -> datasets.Dataset:
    """`datasets.load_dataset`; what a user can mend (name, config, split, network) becomes one line.

    Without a network, what `hf download --repo-type dataset` left in the hub's cache is read.
    """
    wanted = " ".join(filter(None, [source.name, source.config, split]))
    try:
        dataset = datasets.load_dataset(source.name, source.config, split=split)
    except (FileNotFoundError, ConnectionError) as error:
        try:
            folder = snapshot_download(source.name, repo_type="dataset", local_files_only=True)
        except LocalEntryNotFoundError:
            raise UserError(
                f"{wanted}: neither on this machine nor reachable on the hub. Check the name and the network, or give "
                f"a local file or folder of Parquet. ({error})"
            ) from error
        return _load_folder(Path(folder), source, split, source.name)
    except ValueError as error:  # datasets' answer to an unknown config or split
        unknown_split = str(error).startswith("Unknown split")
        raise (MissingSplitError if unknown_split else UserError)(f"{wanted}: {error}") from error
    batches = _hub_batches(dataset, source.name)  # pyright: ignore[reportArgumentType]
    return _cached([source.name, dataset._fingerprint], batches, source.name)  # pyright: ignore
