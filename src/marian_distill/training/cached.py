"""Training from a cache of a teacher's distributions: which row teaches which example, and what a batch is taught."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.students.kind import Collator
from marian_distill.students.projection import CachedTargets
from marian_distill.students.rows import PackedRows
from marian_distill.teachers.cache import MANIFEST, Kind, TeacherCache, row_keys, vocabulary_hash, weights_hash
from marian_distill.training.arguments import DistillTrainingArguments

logger = logging.getLogger(__name__)

HASHED_AT_ONCE = 10_000


def open_cache(
    options: DistillTrainingArguments, vocabulary: Mapping[str, int], teacher_model: str | None
) -> TeacherCache | None:
    """The cache that a run learns from, where it learns from one.

    Args:
        options: `teacher_cache` and how the teacher's share is compared.
        vocabulary: of the student's tokenizer.
        teacher_model: the teacher that was named besides, if one was.

    Raises:
        UserError: a cache of another tokenizer, teacher or temperature, or of pieces that cannot be so compared.
    """
    if not options.teacher_cache or options.alpha_ce == 1.0:
        return None
    cache = TeacherCache(options.teacher_cache)
    name, manifest = cache.folders[0], cache.manifest
    if manifest["vocabulary_sha256"] != vocabulary_hash(vocabulary):
        raise UserError(f"{name}: was made for another tokenizer; make it with --tokenizer-dir of this student")
    teacher = Path(teacher_model or "absent")
    if teacher.is_dir() and manifest["teacher_sha256"] != weights_hash(teacher):
        raise UserError(f"{name}: was made from another teacher, {manifest['teacher']}; leave --teacher-model out")
    if manifest["temperature"] != options.temperature or options.temperature_end is not None:
        raise UserError(
            f"{name}: its distributions were softened by {manifest['temperature']:g} and cannot be otherwise: give "
            f"--temperature {manifest['temperature']:g}, without --temperature-end"
        )
    if cache.kind == "random" and (options.divergence != "forward" or options.teacher_top_k):
        raise UserError(f"{name}: holds draws, which give --divergence forward alone, without --teacher-top-k")
    if options.teacher_top_k > cache.k:
        raise UserError(f"--teacher-top-k {options.teacher_top_k}: {name} holds {cache.k} pieces a token; give fewer")
    return cache


def fingerprints(cache: TeacherCache | None) -> dict[str, str]:
    """SHA-256 of the manifests, which have those of the shards, by what they are called in a run's record."""
    return {f"teacher cache {folder}": sha256(folder / MANIFEST) for folder in (cache.folders if cache else ())}


class CachedTeaching:
    """What a cache teaches the examples of a run.

    Args:
        cache: of the teacher.
        keys: of the examples (`pair_keys`, `sample_keys`).
        options: `teacher_top_k`, and the least share of the examples that must be there.

    Raises:
        UserError: too many examples are not in the cache.
    """

    def __init__(self, cache: TeacherCache, keys: np.ndarray, options: DistillTrainingArguments) -> None:
        self.cache, self.top_k = cache, options.teacher_top_k or cache.k
        self.rows = cache.locate(keys)
        found = int(np.count_nonzero(self.rows >= 0))
        logger.info("teacher cache: it has %s of %s training examples", f"{found:,}", f"{len(keys):,}")
        if found < options.teacher_cache_share * len(keys):
            raise UserError(
                f"{cache.folders[0]}: has {found:,} of {len(keys):,} training examples; cache the whole training "
                "text, with the direction and tags of the training, or let the others learn from labels alone: "
                f"--teacher-cache-share {int(1000 * found / len(keys)) / 1000:g}"
            )

    def targets(self, examples: np.ndarray, lengths: np.ndarray) -> dict[str, Tensor]:
        """What teaches the target tokens of some examples: the parts of `CachedTargets` by name.

        Args:
            examples: [examples], −1 for one that is not taught.
            lengths: target tokens of each.
        """
        rows = np.where(examples < 0, -1, self.rows[examples])
        ids, values, taught = self.cache.read(rows, lengths)
        targets = as_targets(self.cache.kind, ids, values, taught, self.top_k)
        return {name: tensor for name, tensor in targets._asdict().items() if tensor is not None}


def as_targets(kind: Kind, ids: np.ndarray, values: np.ndarray, taught: np.ndarray, top_k: int) -> CachedTargets:
    """What was kept of some tokens, as the loss takes it.

    Args:
        kind: of the cache.
        ids, values: [tokens, k] and as `teachers.cache.ShardContent` has them.
        taught: whether a token is taught at all, [tokens].
        top_k: pieces that are compared one by one; of more that are there the least likely join the rest.
    """
    said = values if kind == "top-k" else values[:, :-1]  # of draws the last value is the entropy
    probabilities = np.exp(said.astype(np.float32)) * taught[:, None]
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-9)  # they were rounded one by one
    if kind == "top-k":
        apart = [probabilities[:, :top_k], probabilities[:, top_k:].sum(axis=1, keepdims=True)]
        return CachedTargets(torch.from_numpy(ids[:, :top_k].copy()), torch.from_numpy(np.concatenate(apart, axis=1)))
    draws = ids.shape[1] - probabilities.shape[1] + 1
    shares = np.repeat(probabilities[:, -1:] / draws, draws, axis=1)
    probabilities = np.concatenate([probabilities[:, :-1], shares], axis=1)
    return CachedTargets(*map(torch.from_numpy, (ids, probabilities, values[:, -1].astype(np.float32))))


def with_cached(collate: Collator, teaching: CachedTeaching, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch of sentence pairs and, as `cached`, what teaches it; a target that was varied is not taught."""
    batch = collate(rows)
    examples = np.array([row["example"] if row["target_as_given"] else -1 for row in rows])
    return {**batch, "cached": teaching.targets(examples, np.array([len(row["labels"]) for row in rows]))}


def with_cached_samples(
    collate: Collator, teaching: CachedTeaching, packed: PackedRows, rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """A batch of packed rows and, as `cached`, what teaches the samples in them."""
    samples = np.concatenate([packed.rows[row.pop("row")] for row in rows])
    lengths = packed.samples.lengths[samples] + 1 - packed.samples.given[samples]
    return {**collate(rows), "cached": teaching.targets(samples, lengths)}


class NumberedRows(torch.utils.data.Dataset):
    """Packed rows that tell which `row` they are."""

    def __init__(self, rows: PackedRows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self.rows[index], "row": index}


def pair_keys(examples: Dataset, tagged: bool) -> np.ndarray:
    """Keys of tokenised sentence pairs, uint64 [examples]; `tagged`: each source has a tag in front."""
    columns: Any = examples.select_columns(["input_ids", "labels"]).with_format("numpy")
    keys = [
        row_keys([source[tagged:] for source in batch["input_ids"]], list(batch["labels"]))
        for batch in columns.iter(batch_size=HASHED_AT_ONCE)
    ]
    return np.concatenate(keys)


def sample_keys(packed: PackedRows) -> np.ndarray:
    """Keys of the samples in packed rows, uint64 [samples]."""
    samples = packed.samples
    wholes = np.split(samples.ids, samples.offsets[1:-1])
    sources = [whole[:given] for whole, given in zip(wholes, samples.given, strict=True)]
    targets = [whole[given:] for whole, given in zip(wholes, samples.given, strict=True)]
    return row_keys(sources, targets)
