"""Batches of sentence pairs: padded on the right for attention, packed for everything else."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from marian_distill.errors import UserError
from marian_distill.students.projection import IGNORED_LABEL


class PairCollator:
    """Pads a batch of sentence pairs on the right, and finds where its tokens stand.

    Args:
        pad_id: pads the source, and starts the decoder.
        ignored_label: pads the labels.
    """

    def __init__(self, pad_id: int, ignored_label: int = IGNORED_LABEL) -> None:
        self.pad_id, self.ignored_label = pad_id, ignored_label

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Tensors of int64, from rows of `input_ids` and `labels`.

        `input_ids`, `attention_mask` [batch, source]; `labels`, `decoder_input_ids` [batch, target]; `source_places`
        and `scored`, the places that hold a token among [batch × source] and [batch × target].
        """
        if not examples:
            raise UserError("an empty batch: the data set has no examples")
        source, source_places = _pad([example["input_ids"] for example in examples], self.pad_id)
        labels, scored = _pad([example["labels"] for example in examples], self.ignored_label)
        decoder_input_ids = torch.full_like(labels, self.pad_id)
        decoder_input_ids[:, 1:] = labels[:, :-1]
        decoder_input_ids.masked_fill_(decoder_input_ids == self.ignored_label, self.pad_id)
        return {
            "input_ids": source,
            "attention_mask": (source != self.pad_id).long(),
            "labels": labels,
            "decoder_input_ids": decoder_input_ids,
            "source_places": source_places,
            "scored": scored,
        }


def _pad(rows: Sequence[Sequence[int]], value: int) -> tuple[Tensor, Tensor]:
    """Padded rows [rows, longest], and the places of [rows × longest] that hold a token."""
    lengths = np.array([len(row) for row in rows])
    there = np.arange(lengths.max()) < lengths[:, None]
    padded = np.full(there.shape, value, dtype=np.int64)
    padded[there] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return torch.from_numpy(padded), torch.from_numpy(np.flatnonzero(there))


class Packing(NamedTuple):
    """Where the tokens of a padded batch stand among [batch × length] places.

    Args:
        mask: [batch, length] bool, True where a token is.
        places: [tokens] places that hold a token, in order; None when all do.
    """

    mask: Tensor
    places: Tensor | None

    @classmethod
    def of(cls, mask: Tensor, places: Tensor) -> "Packing":
        """The packing of a mask [batch, length] (what is not 0 is a token), with the places that a collator found."""
        return cls(mask.bool(), None if len(places) == mask.numel() else places)

    def pack(self, padded: Tensor) -> Tensor:
        """[batch, length, …] → [tokens, …]."""
        flat = padded.reshape(self.mask.numel(), *padded.shape[2:])
        return flat if self.places is None else flat.index_select(0, self.places)

    def pad(self, packed: Tensor) -> Tensor:
        """[tokens, …] → [batch, length, …], zero where no token is."""
        if self.places is not None:
            places = packed.new_zeros(self.mask.numel(), *packed.shape[1:])
            packed = places.index_copy(0, self.places, packed)
        return packed.view(*self.mask.shape, *packed.shape[1:])

    def positions(self) -> Tensor:
        """Position of each token in its sequence, [tokens]. Padding stands on the right."""
        return self.pack(torch.arange(self.mask.shape[1], device=self.mask.device).expand(len(self.mask), -1))

    def bias(self, dtype: torch.dtype) -> Tensor | None:
        """What attention adds to scores of these tokens as keys, [batch, 1, 1, length]; None without padding."""
        if self.places is None:
            return None
        bias = torch.zeros(self.mask.shape, dtype=dtype, device=self.mask.device)
        return bias.masked_fill_(~self.mask, float("-inf"))[:, None, None, :]
