"""Hidden-state and attention matching: a student's layers come to say what chosen layers of the teacher say.

Hidden states: Jiao et al. 2019, "TinyBERT", https://arxiv.org/abs/1909.10351, eq. 8: the squared error of the
student's states, projected to the teacher's width. Attention: Wang et al. 2020, "MiniLM",
https://arxiv.org/abs/2002.10957, section 3.1: KL(teacher‖student) of the attention distributions; MiniLM takes the
last layer alone (a map of `-,-,5`).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.errors import UserError
from marian_distill.students.projection import LayerStates
from marian_distill.students.student import Batch, Student
from marian_distill.training.teaching import TeachingArguments

NOT_MATCHED = "-"
LEAST_PROBABILITY = 1e-9  # of a key; a padded one has none on either side
LayerPairs = list[tuple[int, int]]  # a student's layer and the teacher's


class LayerMatching(nn.Module):
    """The loss between layers, and the projections that it needs: trained with the student, never part of it.

    Args:
        student, teacher: what both made of one batch, for numbers of layers and widths.
        options: weights and layer maps.
        seed: of the projections' start.
    """

    def __init__(self, student: LayerStates, teacher: LayerStates, options: TeachingArguments, seed: int) -> None:
        super().__init__()
        self.hidden_weight, self.attention_weight = options.hidden_matching, options.attention_matching
        texts = {"encoder": options.match_encoder_layers, "decoder": options.match_decoder_layers}
        for stack, text in texts.items():
            if text is not None and stack not in student.hidden:
                raise UserError(f"--match-{stack}-layers {text}: the student has no {stack}; leave the option out")
        self.pairs = {
            stack: layer_pairs(stack, texts[stack], len(states), len(teacher.hidden.get(stack, ())))
            for stack, states in student.hidden.items()
        }
        # Of a recurrent decoder there is none over the target.
        self.attention = [name for name in student.attention if name in teacher.attention]
        if self.attention_weight and not self.attention:
            raise UserError("--attention-matching: student and teacher have no attention in common; leave it out")
        self.projections = nn.ModuleDict()
        generator = torch.Generator().manual_seed(seed)
        for stack in self.pairs if self.hidden_weight else ():
            widths = student.hidden[stack][0].shape[-1], teacher.hidden[stack][0].shape[-1]
            self.projections[stack] = nn.Linear(*widths, bias=False)
            nn.init.orthogonal_(self.projections[stack].weight, generator=generator)  # pyright: ignore[reportArgumentType]

    def forward(self, teacher: LayerStates, student: LayerStates) -> Tensor:
        """The weighted loss, summed over the tokens of both sides; of several pairs of layers the mean.

        Args:
            teacher, student: what both made of the same batch; the student's carry gradients.
        """
        device = next(iter(student.hidden.values()))[0].device
        with torch.autocast(device.type, enabled=False):
            loss = torch.zeros((), device=device)
            if self.hidden_weight:
                loss = loss + self.hidden_weight * _mean(self._hidden(teacher, student))
            if self.attention_weight:
                loss = loss + self.attention_weight * _mean(self._attention(teacher, student))
            return loss

    def _hidden(self, teacher: LayerStates, student: LayerStates) -> Iterator[Tensor]:
        for stack, pairs in self.pairs.items():
            for mine, theirs in pairs:
                projected = self.projections[stack](student.hidden[stack][mine].float())
                yield (
                    functional.mse_loss(projected, teacher.hidden[stack][theirs].float(), reduction="sum")
                    / (projected.shape[-1])
                )

    def _attention(self, teacher: LayerStates, student: LayerStates) -> Iterator[Tensor]:
        for name in self.attention:
            for mine, theirs in self.pairs[name.removesuffix(" to encoder")]:
                yield attention_divergence(
                    student.attention[name][mine].float(), teacher.attention[name][theirs].float()
                )


class MatchingCallback(TrainerCallback):
    """What Hugging Face's trainer does with a model's gradients and not with those of the projections."""

    def __init__(self, matching: LayerMatching) -> None:
        self.matching = matching

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Of several processes, the mean."""
        if distributed.is_available() and distributed.is_initialized():
            for parameter in self.matching.parameters():
                distributed.all_reduce(parameter.grad)
                parameter.grad.div_(distributed.get_world_size())  # pyright: ignore[reportOptionalMemberAccess]

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The next step begins from nothing."""
        self.matching.zero_grad()


def attention_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher‖student), summed over the tokens, mean over the heads; where these differ in number, of their mean.

    Args:
        student, teacher: attention distributions [tokens, heads, keys].
    """
    if student.shape[1] != teacher.shape[1]:
        student, teacher = student.mean(dim=1, keepdim=True), teacher.mean(dim=1, keepdim=True)
    ours, theirs = (each.clamp(min=LEAST_PROBABILITY).log() for each in (student, teacher))
    return functional.kl_div(ours, theirs, reduction="sum", log_target=True) / student.shape[1]


def layer_pairs(stack: str, text: str | None, student_layers: int, teacher_layers: int) -> LayerPairs:
    """The teacher's layer of each student layer that is matched, counted from 0.

    Args:
        stack: "encoder" or "decoder", for the message.
        text: such as `2,5` or `-,5`, one for each student layer; None: spread evenly, the last to the last.
        student_layers, teacher_layers: how many there are.
    """
    if not teacher_layers:
        raise UserError(f"the teacher has no {stack} to match the student's with; leave the way of teaching out")
    if text is None:
        return [(layer, -(-(layer + 1) * teacher_layers // student_layers) - 1) for layer in range(student_layers)]
    parts = [part.strip() for part in text.split(",")]
    known = {NOT_MATCHED, *map(str, range(teacher_layers))}
    wrong = [part for part in parts if part not in known]
    if wrong or len(parts) != student_layers or set(parts) == {NOT_MATCHED}:
        raise UserError(
            f"--match-{stack}-layers {text}: expected {student_layers} of the teacher's layers 0 to "
            f"{teacher_layers - 1}, one for each of the student's, or {NOT_MATCHED} for one that is left alone"
        )
    return [(layer, int(part)) for layer, part in enumerate(parts) if part != NOT_MATCHED]


@torch.no_grad()
def make_matching(
    student: Student, teacher: Student, batch: Batch, options: TeachingArguments, seed: int
) -> LayerMatching:
    """The matching of two models.

    Args:
        student, teacher: on the device that they train on.
        batch: one of the stage's own, on any device.
        options: weights and layer maps.
        seed: of the projections' start.

    Raises:
        UserError: a model that gives no layer states; layer maps that do not fit.
    """
    for model in (student, teacher):
        if not model.gives_layers:
            raise UserError(
                f"--hidden-matching, --attention-matching: a {model.config.model_type} model gives no states of its "
                "layers; leave them out"
            )
    batch = {name: tensor.to(student.device) for name, tensor in batch.items()}
    was_training = student.training
    ours, theirs = (model.eval().project_with_layers(batch)[1] for model in (student, teacher))
    student.train(was_training)
    return LayerMatching(ours, theirs, options, seed).to(student.device)


def _mean(losses: Iterator[Tensor]) -> Tensor:
    return torch.stack(list(losses)).mean()
