"""What an evaluation between training steps measures on batches: cross-entropy, and the model's own translations."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from transformers import StoppingCriteriaList

from marian_distill.students.student import Batch
from marian_distill.training.interruption import GenerationStop
from marian_distill.training.losses import DistillationLoss, projection_loss

if TYPE_CHECKING:
    from marian_distill.training.trainer import DistillSeq2SeqTrainer


def summed_cross_entropy(trainer: "DistillSeq2SeqTrainer", model: Any, batches: Iterable[Batch]) -> tuple[float, int]:
    """Nats, without label smoothing and without the teacher, and the target tokens that they are the sum over.

    Args:
        trainer: of the run, which an evaluation may be broken off in.
        model: a whole one, in evaluation mode.
        batches: this process's.
    """
    device = trainer.args.device
    totals = torch.zeros(2, dtype=exact_dtype(device), device=device)
    for batch in batches:
        trainer.interruption.break_off_evaluation()
        inputs = trainer._prepare_inputs(dict(batch))
        with trainer.compute_loss_context_manager():
            sums = model(**inputs, objective=partial(projection_loss, DistillationLoss()))
        totals[0] += sums.cross_entropy
        totals[1] += len(inputs["scored"])
        trainer.control = trainer.callback_handler.on_prediction_step(trainer.args, trainer.state, trainer.control)
    nats, tokens = trainer.accelerator.reduce(totals.float(), reduction="sum").tolist()  # pyright: ignore[reportAttributeAccessIssue]
    return nats, int(tokens)


def translations(
    trainer: "DistillSeq2SeqTrainer", model: Any, batch: Batch, max_length: int | None = None
) -> list[str]:
    """What the model makes of a batch's sources, as texts without special tokens; of `max_length` tokens at most."""
    options = trainer._gen_kwargs if max_length is None else {**trainer._gen_kwargs, "max_length": max_length}
    inputs = trainer._prepare_inputs(dict(batch))
    generated = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        stopping_criteria=StoppingCriteriaList([GenerationStop(trainer.interruption)]),
        synced_gpus=False,  # each process has a whole model, and batches of its own
        **options,
    )
    pieces = trainer.pieces
    names, left_out = pieces.pieces, {pieces.pad_id, pieces.eos_id}
    return [pieces.decode([names[index] for index in row if index not in left_out]) for row in generated.tolist()]


def exact_dtype(device: torch.device) -> torch.dtype:
    """What sums over many batches are kept in: Apple's GPU has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
