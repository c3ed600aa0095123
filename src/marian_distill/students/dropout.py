"""Dropout that costs a fifth of PyTorch's on a CPU: a draw serves several numbers."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def dropout(states: Tensor, probability: float, training: bool) -> Tensor:
    """`functional.dropout`, on a CPU in a fifth of its time (see `_BitDropout`)."""
    if not training or probability == 0.0:
        return states
    if states.device.type != "cpu" or torch.compiler.is_compiling():  # the compiler cannot see through the views below
        return functional.dropout(states, probability)
    return _BitDropout.apply(states, probability)  # pyright: ignore[reportReturnType]


class _BitDropout(torch.autograd.Function):
    """Dropout on a CPU: one 64-bit draw serves two to four numbers, and dropping one is a bitwise and.

    The probability is rounded to a multiple of 2⁻¹⁵.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, probability: float) -> Tensor:
        states = states.contiguous()
        integer = {2: torch.int16, 4: torch.int32}[states.element_size()]
        levels = 2 ** (8 * states.element_size() - 1)
        dropped = round(probability * levels)
        draws = torch.empty(states.numel() * states.element_size() // 8 + 1, dtype=torch.int64).random_(-(2**63), None)
        # Non-negative draws; the sign of `dropped − 1 − draw` fills a whole word: all ones keep, all zeros drop.
        words = draws.view(integer)[: states.numel()].view(states.shape).bitwise_and_(levels - 1)
        kept = words.neg_().add_(dropped - 1).bitwise_right_shift_(8 * states.element_size() - 1)
        ctx.save_for_backward(kept)
        ctx.scale = levels / (levels - dropped)
        return _keep(states, kept, ctx.scale)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (kept,) = ctx.saved_tensors
        return _keep(upstream[0].contiguous(), kept, ctx.scale), None


def _keep(states: Tensor, kept: Tensor, scale: float) -> Tensor:
    return (states.view(kept.dtype) & kept).view(states.dtype).mul_(scale)
