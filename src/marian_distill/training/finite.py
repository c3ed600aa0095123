"""A run whose numbers are no longer finite stops, and nothing of it is published."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.errors import UserError

REMEDY = "lower --learning-rate, raise --warmup-steps, or look at the teacher; then give --overwrite-output-dir"


class StopOnNonFinite(TrainerCallback):
    """Looks at what is logged, so that no step waits for a GPU."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Refuse a loss or a gradient that is NaN or infinite.

        Raises:
            UserError: which one, at which step.
        """
        for name, value in (logs or {}).items():
            # With fp16 a gradient may overflow: the scaler then leaves the step out.
            watched = name.endswith("loss") or name in ("cross_entropy", "divergence")
            if (watched or (name == "grad_norm" and not args.fp16)) and not math.isfinite(value):
                raise UserError(f"step {state.global_step}: {name} is {value}: {REMEDY}")


@torch.no_grad()
def check_finite(model: nn.Module, weights: Mapping[str, Tensor] | None, step: int) -> None:
    """Refuse to save weights that are not finite.

    Args:
        model: whose weights they are.
        weights: by name, where they were gathered from several processes; None: the model's own.
        step: for the message.

    Raises:
        UserError: the first tensor that is not.
    """
    for name, tensor in (weights or dict(model.named_parameters())).items():
        whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        if whole.is_floating_point() and not bool(torch.isfinite(whole).all()):
            raise UserError(f"step {step}: {name} holds numbers that are not finite: {REMEDY}")
