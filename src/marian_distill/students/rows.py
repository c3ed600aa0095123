"""Samples of ids, packed into rows of one length: several samples a row, none of which attends to another.

A row carries for each sample positions that begin at 0, which is how a language model tells them apart. Rows
are filled best-fit decreasing, as in Ding et al. 2024, "Fewer Truncations Improve Language Modeling".
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedConfig

from marian_distill.errors import UserError
from marian_distill.students.projection import IGNORED_LABEL
from marian_distill.tokenizer_file import TokenizerFile

# Samples that are packed together: enough to fill rows to 99 %, few enough that a row is still a random draw.
POOL = 4096
ENCODED_AT_ONCE = 1024


def fit_tokenizer(config: PreTrainedConfig, tokenizer: TokenizerFile, name: str) -> None:
    """Have the config begin and end texts as the tokenizer does; `UserError` when it has too few rows for its tokens.

    More rows than tokens are allowed: Qwen's own models have some hundreds more.
    """
    if config.vocab_size < tokenizer.size:
        raise UserError(
            f"{name}: vocab_size {config.vocab_size}, but the tokenizer in {tokenizer.directory} has {tokenizer.size} "
            f"tokens; give --vocab-size {tokenizer.size}"
        )
    config.bos_token_id, config.eos_token_id = tokenizer.start_id, tokenizer.end_id
    config.pad_token_id = tokenizer.end_id


@dataclass(frozen=True)
class Samples:
    """Tokenised samples, one after another in one array.

    Attributes:
        ids: tokens of all samples, int32.
        offsets: where each begins, and the end of the last, [samples + 1].
        given: leading tokens of each that are given, not learnt: the start token, a prompt. [samples]
        text_bytes: UTF-8 bytes of what is learnt; the end of a sample counts as one, like a line's.
        left_out: samples that were longer than a row and could not be cut.
    """

    ids: np.ndarray
    offsets: np.ndarray
    given: np.ndarray
    text_bytes: int
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.given)

    @property
    def lengths(self) -> np.ndarray:
        """Positions that each sample takes in a row: its tokens without the last, which is only ever a label."""
        return np.diff(self.offsets) - 1

    @property
    def learnt_tokens(self) -> int:
        """Labels that count."""
        return int((np.diff(self.offsets) - self.given).sum())


def text_samples(texts: Iterable[str], tokenizer: TokenizerFile, row_length: int) -> Samples:
    """Each text between the start and the end token; one that is longer than a row is cut into rows."""
    pieces: list[np.ndarray] = []
    text_bytes = 0
    for batch in _batches(texts):
        text_bytes += sum(len(text.encode()) + 1 for text in batch)
        for ids in tokenizer.encode(batch):
            whole = np.array([tokenizer.start_id, *ids, tokenizer.end_id], dtype=np.int32)
            # A piece begins with the last token of the one before, so that each token is learnt exactly once.
            pieces += [whole[start : start + row_length + 1] for start in range(0, len(whole) - 1, row_length)]
    return _joined(pieces, [1] * len(pieces), text_bytes)


def prompted_samples(
    prompts_and_targets: Iterable[tuple[list[int], str]], tokenizer: TokenizerFile, row_length: int
) -> Samples:
    """A prompt that is given and a text that is learnt; what does not fit into a row is left out and counted.

    Args:
        prompts_and_targets: ids of the prompt, the start token among them; the target's text.
        tokenizer: of the model.
        row_length: in tokens.
    """
    pieces, given, text_bytes, left_out = [], [], 0, 0
    for batch in _batches(prompts_and_targets):
        targets = tokenizer.encode([target for _, target in batch])
        for (prompt, target), ids in zip(batch, targets, strict=True):
            if len(prompt) + len(ids) > row_length:
                left_out += 1
                continue
            pieces.append(np.array([*prompt, *ids, tokenizer.end_id], dtype=np.int32))
            given.append(len(prompt))
            text_bytes += len(target.encode()) + 1
    return _joined(pieces, given, text_bytes, left_out)


def _batches(items: Iterable) -> Iterator[list]:
    stream = iter(items)
    while batch := list(islice(stream, ENCODED_AT_ONCE)):
        yield batch


def _joined(pieces: Sequence[np.ndarray], given: Sequence[int], text_bytes: int, left_out: int = 0) -> Samples:
    offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces], dtype=np.int64)]).astype(np.int64)
    ids = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32)
    return Samples(ids, offsets, np.array(given, dtype=np.int32), text_bytes, left_out)


def pack(lengths: Sequence[int] | np.ndarray, row_length: int, seed: int) -> list[np.ndarray]:
    """Indices of the samples of each row: a seeded order, in pools, each row filled with the longest that still fits.

    Args:
        lengths: positions of each sample, none above `row_length`.
        row_length: positions of a row.
        seed: of the order.
    """
    lengths = np.asarray(lengths)
    if len(lengths) and lengths.max() > row_length:
        raise UserError(f"a sample of {lengths.max()} tokens does not fit into a row of {row_length}")
    order = np.random.default_rng(seed).permutation(len(lengths))
    rows: list[np.ndarray] = []
    for start in range(0, len(order), POOL):
        rows += _fill(order[start : start + POOL], lengths, row_length)
    return rows


def _fill(pool: np.ndarray, lengths: np.ndarray, row_length: int) -> Iterator[np.ndarray]:
    by_length = pool[np.argsort(lengths[pool], kind="stable")].tolist()
    keys = lengths[by_length].tolist()
    while by_length:
        row, room = [], row_length
        while (place := bisect_right(keys, room)) > 0:
            room -= keys.pop(place - 1)
            row.append(by_length.pop(place - 1))
        yield np.array(row)


class PackedRows(torch.utils.data.Dataset):
    """Rows for a DataLoader: `input_ids`, `labels`, `position_ids`, each [row_length].

    labels[i] is what follows input_ids[i], −100 where it is given and where a row is not full.

    Args:
        samples: to be packed.
        tokenizer: its end token fills what is left of a row.
        row_length: positions of a row.
        seed: of the order.
    """

    def __init__(self, samples: Samples, tokenizer: TokenizerFile, row_length: int, seed: int) -> None:
        self.samples, self.row_length, self.filler = samples, row_length, tokenizer.end_id
        self.rows = pack(samples.lengths, row_length, seed)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        inputs = np.full(self.row_length, self.filler, dtype=np.int64)
        labels = np.full(self.row_length, IGNORED_LABEL, dtype=np.int64)
        positions = np.zeros(self.row_length, dtype=np.int64)
        place = 0
        for sample in self.rows[index]:
            ids = self.samples.ids[self.samples.offsets[sample] : self.samples.offsets[sample + 1]]
            length, given = len(ids) - 1, self.samples.given[sample]
            inputs[place : place + length] = ids[:-1]
            labels[place + given - 1 : place + length] = ids[given:]
            positions[place : place + length] = np.arange(length)
            place += length
        return {"input_ids": inputs, "labels": labels, "position_ids": positions}

    def padding_share(self) -> float:
        """Share of the positions that hold no sample."""
        return 1.0 - float(self.samples.lengths.sum()) / max(len(self.rows) * self.row_length, 1)


def stack(rows: Sequence[dict[str, np.ndarray]]) -> dict[str, Tensor]:
    """A batch: what the rows hold, [rows, row_length] each, and `scored`, the places of all labels that count."""
    batch = {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}
    batch["scored"] = (batch["labels"].view(-1) != IGNORED_LABEL).nonzero()[:, 0]
    return batch
