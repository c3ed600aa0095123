"""Which part of a weight this process holds, where several share it out."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor


def shared_out_by_deepspeed(model: nn.Module) -> bool:
    """Whether DeepSpeed's ZeRO-3 has shared out the model's weights, of which torch sees empty tensors then."""
    return getattr(next(model.parameters()), "ds_tensor", None) is not None


def parts_held(weight: Tensor) -> Iterator[tuple[Tensor, int]]:
    """The elements of a weight that this process holds, [elements], and the place of their first in the whole one.

    Without sharing all of them. The tensors are views: what is written into them is written into the weight.
    """
    zero: Any = weight
    if isinstance(weight, DTensor):  # FSDP2 shares out rows
        rows = torch.arange(len(weight)).chunk(weight.device_mesh.size())
        before = sum(map(len, rows[: weight.device_mesh.get_local_rank()]))
        yield weight.to_local().view(-1), before * weight[0].numel()
    elif getattr(zero, "ds_tensor", None) is None:
        yield weight.view(-1), 0
    else:  # ZeRO-3 shares out elements, the last share filled up; small weights are whole everywhere besides
        yield zero.ds_tensor.view(-1), zero.ds_tensor.ds_numel * torch.distributed.get_rank(zero.ds_process_group)
        if weight.numel() == zero.ds_numel:
            yield weight.view(-1), 0
