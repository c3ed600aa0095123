"""A teacher's distributions on disk: written once, shard by shard, and learnt from in any order.

Of each target token a cache has k pieces and what the teacher gives them (`teachers.distributions`). A folder holds
manifest.json and shards in safetensors. A row is found again by what it says, its source's and its target's ids, so
that shuffled, sampled, repeated or packed training data finds it wherever it stands. Sampled distributions as in
Anshumann et al. 2025, "Sparse Logit Sampling", https://arxiv.org/abs/2503.16870.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from marian_distill.errors import UserError
from marian_distill.files import atomic_path, read_json_object, sha256, write_json
from marian_distill.schema import fault_of

SCHEMA = 1
MANIFEST, UNFINISHED = "manifest.json", ".unfinished"
OPEN_SHARDS = 256
AGAIN = "make the cache again with scripts/cache_teacher_logits.py"

Kind = Literal["top-k", "random"]


class Example(NamedTuple):
    """What a teacher speaks of: ids of source and target, `</s>` included, in the student's vocabulary.

    `prompt`: what the teacher is given in the source's place, in its own ids.
    """

    source: np.ndarray
    target: np.ndarray
    prompt: np.ndarray | None = None


class ShardContent(NamedTuple):
    """Rows of a shard.

    Attributes:
        keys: of the rows, uint64 [rows].
        lengths: target tokens of each, int32 [rows].
        ids: pieces of each token, [tokens, k].
        values: float16 [tokens, k + 1], log-probabilities and the logarithm of the rest's mass; of draws [tokens,
            exact + 2], the same of the pieces that are not drawn, and the entropy.
        lost: mass of the teacher's pieces that the student does not have, summed over the tokens.
    """

    keys: np.ndarray
    lengths: np.ndarray
    ids: np.ndarray
    values: np.ndarray
    lost: float


class ShardRecord(TypedDict):
    """What the manifest says of a shard."""

    sha256: str
    rows: int
    tokens: int
    lost: float


class Manifest(TypedDict):
    """manifest.json: how the cache came to be, and its shards.

    `teacher` is what the folder was called, `vocabulary_sha256` tells the student's tokenizer (`vocabulary_hash`),
    `data` has a fingerprint a corpus; `lost` in the shards' records is mass of pieces that the student lacks.
    """

    schema: int
    kind: Kind
    k: int
    exact: int
    temperature: float
    seed: int
    vocabulary: int
    vocabulary_sha256: str
    teacher: str
    teacher_sha256: str
    prompt: str
    direction: str
    data: dict[str, str]
    start_from: int
    max_samples: int | None
    max_seq_len: int
    shard_rows: int
    shards: dict[str, ShardRecord]


# Rows


def row_keys(source: Sequence[np.ndarray], target: Sequence[np.ndarray]) -> np.ndarray:
    """A 64-bit number of each row that hangs on all of its ids and their places, uint64 [rows]."""
    sums = np.zeros(len(source), dtype=np.uint64)
    for side, rows in enumerate((source, target)):
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        ends = np.cumsum(lengths)
        ids = np.concatenate([np.empty(0, np.int64), *rows]).astype(np.uint64)
        places = (np.arange(len(ids)) - np.repeat(ends - lengths, lengths)).astype(np.uint64)
        mixed = _mixed(ids | (places << np.uint64(32)) | np.uint64(side << 63))
        totals = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])  # modulo 2^64
        sums += totals[ends] - totals[ends - lengths]
    return _mixed(sums)


def uniform_numbers(keys: np.ndarray, lengths: np.ndarray, seed: int) -> np.ndarray:
    """A number from [0, 1) for each token, [tokens]: it hangs on seed, row and place alone."""
    places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    numbers = _mixed(np.repeat(keys, lengths) + _mixed(places.astype(np.uint64) + np.uint64(seed << 32)))
    return (numbers >> np.uint64(11)) * 2.0**-53


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele et al. 2014, "Fast splittable pseudorandom number generators")."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


# Ids in as few bits as the vocabulary needs


def packed_ids(ids: np.ndarray, vocabulary: int) -> np.ndarray:
    """Ids [tokens, k] → bytes [tokens, ⌈k · bits ÷ 8⌉], uint8."""
    shifts = np.arange(_bits(vocabulary) - 1, -1, -1, dtype=np.uint32)
    bits = (ids.astype(np.uint32)[:, :, None] >> shifts & 1).astype(np.uint8)
    return np.packbits(bits.reshape(len(ids), -1), axis=1)


def unpacked_ids(packed: np.ndarray, k: int, vocabulary: int) -> np.ndarray:
    """What `packed_ids` packed, int64 [tokens, k]."""
    size = _bits(vocabulary)
    bits = np.unpackbits(packed, axis=1, count=k * size).reshape(len(packed), k, size)
    ids = np.zeros((len(packed), k), dtype=np.int64)
    for place in range(size):
        ids = ids << 1 | bits[:, :, place]
    return ids


def _bits(vocabulary: int) -> int:
    return max(1, (vocabulary - 1).bit_length())


def vocabulary_hash(vocabulary: Mapping[str, int]) -> str:
    """SHA-256 of which id each piece has: the same for all copies of a tokenizer."""
    listed = json.dumps(sorted(vocabulary.items(), key=lambda piece: piece[1]), ensure_ascii=True)
    return hashlib.sha256(listed.encode()).hexdigest()


def weights_hash(folder: Path) -> str:
    """SHA-256 over a local model's weights, all its files."""
    files = sorted(folder.glob("model*.safetensors"))
    return sha256(files[0]) if len(files) == 1 else hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


# Writing


def write_cache(
    output_dir: Path,
    settings: Mapping[str, Any],
    examples: Iterable[Example],
    speak: Callable[[Sequence[Example]], ShardContent],
    on_rows: Callable[[int], object] = lambda _: None,
) -> Manifest:
    """Write the distributions of all examples into a folder; finished shards are not made again.

    Shards are written to `output_dir`.unfinished, which becomes `output_dir` when the last one is there.

    Args:
        output_dir: must not exist.
        settings: what `Manifest` has but for its schema and shards; others than the unfinished folder's are refused.
            A kill costs at most the work on `shard_rows` examples.
        examples: in the same order each time.
        speak: what the teacher says of a shard's examples.
        on_rows: called with the number of examples done, also those of finished shards.
    """
    check_new(output_dir)
    folder = output_dir.with_name(output_dir.name + UNFINISHED)
    folder.mkdir(parents=True, exist_ok=True)
    manifest: Any = {"schema": SCHEMA, **settings, "shards": {}}
    if (folder / MANIFEST).is_file():
        there = read_json_object(folder / MANIFEST)
        if {**there, "shards": {}} != json.loads(json.dumps(manifest)):
            raise UserError(f"{folder}: holds shards made with other options; remove it, or give those options")
        manifest = there
    else:
        write_json(folder / MANIFEST, manifest)
    for number, rows in enumerate(_in_shards(examples, settings["shard_rows"])):
        name = f"shard-{number:05d}.safetensors"
        if name not in manifest["shards"] or not (folder / name).is_file():
            content = speak(rows)
            _write_shard(folder / name, content, manifest["vocabulary"])
            manifest["shards"][name] = ShardRecord(
                sha256=sha256(folder / name), rows=len(rows), tokens=len(content.ids), lost=content.lost
            )
            write_json(folder / MANIFEST, manifest)
        on_rows(len(rows))
    if not manifest["shards"]:
        raise UserError(
            "no examples are left to cache; give another --dataset, a lower --start-from, or --max-seq-len"
        )
    folder.rename(output_dir)
    return manifest


def check_new(output_dir: Path) -> None:
    """Refuse to write a cache into a folder that is there already."""
    if output_dir.exists():
        raise UserError(f"{output_dir}: exists; remove it or choose another --output-dir")


def size_of(folder: Path) -> int:
    """Bytes of a cache's shards."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def _in_shards(examples: Iterable[Example], shard_rows: int) -> Iterator[list[Example]]:
    stream = iter(examples)
    while rows := list(islice(stream, shard_rows)):
        yield rows


def _write_shard(path: Path, content: ShardContent, vocabulary: int) -> None:
    tensors = {
        "keys": content.keys,
        "lengths": content.lengths,
        "ids": packed_ids(content.ids, vocabulary),
        "values": content.values,
    }
    with atomic_path(path) as temporary:
        # In C's order, which safetensors takes for granted.
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, temporary)


# Reading


class _Shard:
    """A shard that is open: rows are read from the disk as they are asked for."""

    def __init__(self, path: Path) -> None:
        self._file = safe_open(path, framework="numpy")
        self.offsets = np.concatenate([[0], np.cumsum(self._file.get_tensor("lengths"), dtype=np.int64)])
        self.ids, self.values = self._file.get_slice("ids"), self._file.get_slice("values")


class TeacherCache:
    """Folders of one teacher's distributions, read as one.

    Args:
        folders: of `write_cache`, made with the same options but for the data.

    Raises:
        UserError: no such folder, an unfinished one, a damaged shard, folders that differ.
    """

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self.folders = [Path(folder) for folder in folders]
        manifests = [_read_manifest(folder) for folder in self.folders]
        self.manifest = manifests[0]
        for folder, manifest in zip(self.folders[1:], manifests[1:], strict=True):
            _check_alike(folder, manifest, self.folders[0], self.manifest)
        self.kind: Kind = self.manifest["kind"]
        self.k, self.vocabulary = self.manifest["k"], self.manifest["vocabulary"]
        self._paths = [
            folder / name for folder, one in zip(self.folders, manifests, strict=True) for name in one["shards"]
        ]
        records = [record for manifest in manifests for record in manifest["shards"].values()]
        self._starts = np.cumsum([0, *(record["rows"] for record in records)])
        self.tokens = sum(record["tokens"] for record in records)
        for path, record in zip(self._paths, records, strict=True):
            _check_whole(path, record)
        self._shard = lru_cache(maxsize=OPEN_SHARDS)(lambda number: _Shard(self._paths[number]))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def locate(self, keys: np.ndarray) -> np.ndarray:
        """The cached row of each key [rows], −1 where there is none."""
        cached = np.concatenate([safe_open(path, framework="numpy").get_tensor("keys") for path in self._paths])
        order = np.argsort(cached, kind="stable")
        places = np.minimum(np.searchsorted(cached, keys, sorter=order), len(cached) - 1)
        found = order[places]
        return np.where(cached[found] == keys, found, -1)

    def read(self, rows: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is cached of some rows, one after another; where a row is −1 the tokens are not taught.

        Args:
            rows: of `locate`.
            lengths: target tokens of each.

        Returns:
            ids [tokens, k], values as `ShardContent` has them, taught [tokens] bool.
        """
        ends = np.cumsum(lengths)
        tokens, width = int(ends[-1]), -(-self.k * _bits(self.vocabulary) // 8)
        packed = np.zeros((tokens, width), dtype=np.uint8)
        columns = self.k + 1 if self.kind == "top-k" else self.manifest["exact"] + 2
        values = np.zeros((tokens, columns), dtype=np.float16)
        taught = np.zeros(tokens, dtype=bool)
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        for place in np.argsort(rows, kind="stable")[np.count_nonzero(rows < 0) :]:
            shard, row = self._shard(int(shards[place])), rows[place] - self._starts[shards[place]]
            first, last = int(shard.offsets[row]), int(shard.offsets[row + 1])
            if last - first != lengths[place]:
                raise RuntimeError(f"a cached row has {last - first} target tokens, the example {lengths[place]}")
            tokens_of_row = slice(ends[place] - lengths[place], ends[place])
            packed[tokens_of_row], values[tokens_of_row] = shard.ids[first:last], shard.values[first:last]
            taught[tokens_of_row] = True
        return unpacked_ids(packed, self.k, self.vocabulary), values, taught


def _read_manifest(folder: Path) -> Manifest:
    if not (folder / MANIFEST).is_file():
        unfinished = folder.with_name(folder.name + UNFINISHED)
        if unfinished.is_dir():
            raise UserError(f"{unfinished}: is not finished; give the command that makes the cache again")
        raise UserError(f"{folder}: no teacher cache ({MANIFEST}) there; {AGAIN}")
    values = read_json_object(folder / MANIFEST)
    if values.get("schema") != SCHEMA:
        raise UserError(f"{folder / MANIFEST}: schema {values.get('schema')!r}, expected {SCHEMA}; {AGAIN}")
    if fault := fault_of(values, Manifest, ""):
        raise UserError(f"{folder / MANIFEST}: {fault}; {AGAIN}")
    return values  # pyright: ignore[reportReturnType]


def _check_alike(folder: Path, manifest: Manifest, first_folder: Path, first: Manifest) -> None:
    for name in ("kind", "k", "exact", "temperature", "vocabulary_sha256", "teacher_sha256", "prompt"):
        if manifest[name] != first[name]:
            raise UserError(
                f"{folder}: its {name} is {manifest[name]!r}, that of {first_folder} {first[name]!r}; give one of them"
            )


def _check_whole(path: Path, record: ShardRecord) -> None:
    if not path.is_file():
        raise UserError(f"{path}: no such file, but the manifest lists it; {AGAIN}")
    if sha256(path) != record["sha256"]:
        raise UserError(f"{path}: is damaged (its SHA-256 is not the manifest's); {AGAIN}")
    try:
        with safe_open(path, framework="numpy") as shard:
            shard.get_tensor("keys")
    except SafetensorError as error:
        raise UserError(f"{path}: not a shard of a teacher cache ({error}); {AGAIN}") from error
