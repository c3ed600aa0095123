"""Batches of sentence pairs: padded, masked, and where their tokens stand."""

import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.students.packing import Packing, PairCollator

PAD = 99


def test_collator_pads_shifts_and_masks():
    batch = PairCollator(PAD)([{"input_ids": [5, 6, 0], "labels": [7, 0]}, {"input_ids": [8, 0], "labels": [9, 4, 0]}])
    assert batch["input_ids"].tolist() == [[5, 6, 0], [8, 0, PAD]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["labels"].tolist() == [[7, 0, -100], [9, 4, 0]]
    assert batch["decoder_input_ids"].tolist() == [[PAD, 7, 0], [PAD, 9, 4]]
    assert batch["source_places"].tolist() == [0, 1, 2, 3, 4]
    assert batch["scored"].tolist() == [0, 1, 3, 4, 5]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_decoder_input_never_holds_the_ignored_label():
    batch = PairCollator(PAD)([{"input_ids": [0], "labels": [0]}, {"input_ids": [0], "labels": [3, 4, 5, 0]}])
    assert batch["decoder_input_ids"].tolist() == [[PAD, 0, PAD, PAD], [PAD, 3, 4, 5]]


def test_an_empty_batch_is_told():
    with pytest.raises(UserError, match="no examples"):
        PairCollator(PAD)([])


def test_packing_and_padding_are_each_other_s_inverse():
    mask = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1]])
    packing = Packing.of(mask, mask.view(-1).nonzero()[:, 0])
    padded = torch.arange(9.0).view(3, 3, 1)
    assert packing.pack(padded)[:, 0].tolist() == [0, 1, 3, 6, 7, 8]
    assert torch.equal(packing.pad(packing.pack(padded)), padded * mask[:, :, None])
    assert packing.positions().tolist() == [0, 1, 0, 0, 1, 2]
