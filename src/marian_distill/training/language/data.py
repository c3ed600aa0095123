"""From options to packed rows for training and evaluation, and a report of what went in."""

import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.languages import Direction, directions_of
from marian_distill.students.rows import PackedRows, Samples, prompted_samples, text_samples
from marian_distill.text.formats import read_rows
from marian_distill.text.samples import read_samples
from marian_distill.tokenizer_file import TokenizerFile, translation_prompts
from marian_distill.training.language.arguments import TextArguments

logger = logging.getLogger(__name__)

PACKED_LENGTH = 512  # a longer row costs more attention, a shorter one cuts more documents
HASH_RANGE = 2**32

Pair = tuple[str, str]  # English, Chinese


def row_length(options: TextArguments, context: int) -> int:
    """Tokens of a packed row; `UserError` when the model's context is shorter than what was asked for."""
    if options.packed_length is not None and options.packed_length > context:
        raise UserError(f"--packed-length {options.packed_length}: this model's context is {context} tokens")
    return options.packed_length or min(PACKED_LENGTH, context)


def packed_data(
    options: TextArguments, tokenizer: TokenizerFile, length: int, seed: int
) -> tuple[PackedRows, PackedRows | None, dict[str, Any]]:
    """Rows for training and for evaluation (None where nothing is held out), and counts for JSON.

    A text is held out by its hash: all its copies go to the same side.

    Raises:
        UserError: text that cannot be read, none at all, or too little to hold some out.
    """
    hold_out = options.holdout_share if not options.eval_text else 0.0
    train = _samples(options, options.text, tokenizer, length, lambda key: not _is_held_out(key, hold_out), "train")
    if not len(train):
        raise UserError(f"{options.text[0]}: no text to train on (samples of at most {length} tokens are taken)")
    rows = PackedRows(train, tokenizer, length, seed)
    evaluation = None
    if options.eval_text or hold_out:
        names = options.eval_text or options.text
        keep = partial(_is_held_out, share=hold_out or 1.0)
        chosen = _samples(options, names, tokenizer, length, keep, "eval")
        if not len(chosen):
            raise UserError(
                f"{names[0]}: nothing is left for evaluation; give --eval-text, a larger --holdout-share, or 0"
            )
        evaluation = PackedRows(chosen, tokenizer, length, seed=0)
    report = {
        "sources": {name: _size(name) for name in options.text},
        "fingerprints": {name: sha256(name) for name in (*options.text, *options.eval_text)},
        "samples": len(train),
        "left_out": train.left_out,
        "tokens": train.learnt_tokens,
        "bytes": train.text_bytes,
        "rows": len(rows),
        "row_length": length,
        "padding_share": rows.padding_share(),
        "eval_samples": len(evaluation.samples) if evaluation else 0,
        "eval_bytes": evaluation.samples.text_bytes if evaluation else 0,
    }
    if train.left_out:
        logger.warning("%d samples are longer than %d tokens and were left out", train.left_out, length)
    logger.info(
        "training text: %s samples, %s tokens in %s rows of %d, %.1f %% of them empty; evaluation: %s samples",
        f"{len(train):,}", f"{train.learnt_tokens:,}", f"{len(rows):,}", length, 100 * rows.padding_share(),
        f"{report['eval_samples']:,}",
    )  # fmt: skip
    return rows, evaluation, report


def _size(name: str) -> int:
    return Path(name).stat().st_size


def _is_held_out(text: str, share: float) -> bool:
    return zlib.crc32(text.encode()) < share * HASH_RANGE


def _samples(
    options: TextArguments,
    names: list[str],
    tokenizer: TokenizerFile,
    length: int,
    keep: Callable[[str], bool],
    split: str,
) -> Samples:
    most = options.max_train_samples if split == "train" else options.max_eval_samples
    if options.direction == "none":
        texts = (text for name in names for text in read_samples(name, options.samples, options.sides))
        return text_samples(islice(filter(keep, texts), most), tokenizer, length)
    pairs = islice((pair for pair in _pairs(names) if keep(pair[0])), most)
    return prompted_samples(_prompted(pairs, directions_of(options.direction), tokenizer), tokenizer, length)


def _pairs(names: Iterable[str]) -> Iterator[Pair]:
    for name in names:
        for english, chinese, _ in read_rows(Path(name)):
            if english.strip() and chinese.strip():
                yield english.strip(), chinese.strip()


def _prompted(
    pairs: Iterable[Pair], directions: Iterable[Direction], tokenizer: TokenizerFile
) -> Iterator[tuple[list[int], str]]:
    stream, directions = iter(pairs), tuple(directions)
    while batch := list(islice(stream, 1024)):
        for direction in directions:
            source, target = (0, 1) if direction == "en-zh" else (1, 0)
            prompts = translation_prompts(tokenizer, [pair[source] for pair in batch], direction)
            yield from zip(prompts, (pair[target] for pair in batch), strict=True)
