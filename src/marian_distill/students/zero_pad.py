"""The `<pad>` embedding, exactly zero: CTranslate2 and the bundles start decoding from a zero vector.

The row is tied to the output projection, whose gradient would move it; a moved row would make the exported model say
something else than the trained one.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.students.shares import parts_held


@torch.no_grad()
def zero_pad_row(model: PreTrainedModel) -> None:
    """Set the `<pad>` embedding to zero. Where the weights are shared out among processes, those that have it do.

    DeepSpeed's optimizer keeps a copy of its own, from which each step writes the row anew; no pass ever reads that.
    """
    width = int(model.get_input_embeddings().embedding_dim)  # pyright: ignore[reportArgumentType]
    begin = int(model.config.pad_token_id or 0) * width
    for elements, first in parts_held(_embeddings(model)):
        start, end = (max(0, place - first) for place in (begin, begin + width))
        elements[start:end].zero_()


def pad_row_norm(model: PreTrainedModel, weights: Mapping[str, Tensor] | None = None) -> float:
    """Euclidean norm of the `<pad>` embedding in a model, or in its whole `weights`; 0.0 in a sound model."""
    embeddings = _embeddings(model)
    if weights is not None:
        embeddings = weights[next(name for name, tensor in model.named_parameters() if tensor is embeddings)]
    return float(embeddings.detach()[model.config.pad_token_id].norm())


def _embeddings(model: PreTrainedModel) -> Tensor:
    return model.get_input_embeddings().weight  # pyright: ignore[reportReturnType]


class ZeroPadEmbeddingCallback(TrainerCallback):
    """Keeps the `<pad>` embedding exactly zero: at the start, and after every optimizer step."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Zero it before the first step."""
        zero_pad_row(kwargs["model"])

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Zero what the step moved, before anything is logged, saved or evaluated."""
        zero_pad_row(kwargs["model"])
