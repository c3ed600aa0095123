"""Which batches a trainer gets: samplers of its data, and what is collated beside a kind's own tensors."""

from collections.abc import Callable, Sequence
from typing import Any

from marian_distill.students.kind import Collator
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.training.arguments import DistillTrainingArguments


def with_references(collate: Collator, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch and, where the examples have a `target_text`, these as `references` for its translations, a list."""
    references = [str(example["target_text"]) for example in examples if "target_text" in example]
    return {**collate(examples), "references": references}


def training_sampler(
    dataset: Any, args: DistillTrainingArguments, make: Callable[..., LengthBatchSampler] = LengthBatchSampler
) -> LengthBatchSampler:
    """Shuffled batches of like length for training; their order hangs on the data seed and the epoch."""
    seed = args.seed if args.data_seed is None else args.data_seed
    return length_sampler(dataset, args, args.per_device_train_batch_size, seed=seed, shuffle=True, make=make)


def length_sampler(
    dataset: Any,
    args: DistillTrainingArguments,
    batch_size: int,
    *,
    seed: int,
    shuffle: bool,
    make: Callable[..., LengthBatchSampler] = LengthBatchSampler,
) -> LengthBatchSampler:
    """Batches of like length, of `tokens_per_batch` padded tokens, else of `batch_size` examples."""
    lengths = dataset.with_format("numpy")
    return make(
        lengths["source_length"][:],
        lengths["target_length"][:],
        batch_size=0 if args.tokens_per_batch else batch_size,
        tokens=args.tokens_per_batch,
        seed=seed,
        shuffle=shuffle,
        rank=args.process_index,
        processes=args.world_size,
    )
