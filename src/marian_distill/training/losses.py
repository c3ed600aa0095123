"""Word-level distillation: alpha·CE + (1−alpha)·T²·KL(teacher‖student), summed over the target tokens.

Follows Hinton et al. 2015, "Distilling the Knowledge in a Neural Network" (the T² factor keeps the gradient's size as
the temperature changes) and Kim & Rush 2016, "Sequence-Level Knowledge Distillation", section 3.1 (word level).
`projection_loss` computes it together with the vocabulary projection, forward and backward at once and a slice of the
tokens at a time, so that no [tokens, vocabulary] tensor is ever whole. The same idea for one loss: Hsu et al. 2024,
"Liger Kernel". `distillation_loss` is the plain form that it is tested against.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

IGNORED_LABEL = -100
# Elements of one [tokens, vocabulary] slice in fp32: 16 MB keeps the passes over it in a CPU's last-level cache
# and is still enough rows for a GPU's matrix product.
SLICE_ELEMENTS = 4 * 1024 * 1024


@dataclass(frozen=True)
class DistillationLoss:
    """What is summed: shares and temperature.

    Args:
        alpha_ce: share of the cross-entropy with the labels; 1 − alpha_ce goes to the teacher. In [0, 1].
        temperature: both distributions of the KL term are softened by it. > 0.
        label_smoothing: share of the label's probability that is spread evenly over the vocabulary. In [0, 1).
    """

    alpha_ce: float = 1.0
    temperature: float = 1.0
    label_smoothing: float = 0.0


class LossSums(NamedTuple):
    """Sums over the target tokens, each a scalar tensor; `loss` alone carries a gradient."""

    loss: Tensor
    cross_entropy: Tensor
    divergence: Tensor


class Projection(NamedTuple):
    """A model's last decoder states [tokens, d], the projection [vocabulary, d] and bias [vocabulary] to logits."""

    states: Tensor
    weight: Tensor
    bias: Tensor

    def logits(self, rows: slice, dtype: torch.dtype) -> Tensor:
        """Logits of some tokens in fp32, [rows, vocabulary], from a matrix product in `dtype`."""
        return functional.linear(self.states[rows].to(dtype), self.weight.to(dtype)).float().add_(self.bias.float())


def distillation_loss(
    settings: DistillationLoss, student_logits: Tensor, labels: Tensor, teacher_logits: Tensor | None = None
) -> LossSums:
    """The plain form over whole logits.

    Args:
        settings: alpha_ce, temperature, label smoothing.
        student_logits: [tokens, vocabulary].
        labels: [tokens]; every one counts (take out the padding first).
        teacher_logits: [tokens, vocabulary]; needed when alpha_ce < 1.
    """
    cross_entropy = functional.cross_entropy(
        student_logits.float(), labels, reduction="sum", label_smoothing=settings.label_smoothing
    )
    if settings.alpha_ce == 1.0:
        return LossSums(cross_entropy, cross_entropy.detach(), torch.zeros_like(cross_entropy))
    if teacher_logits is None:
        raise ValueError(f"alpha_ce is {settings.alpha_ce}: the teacher's logits are needed")
    student = functional.log_softmax(student_logits.float() / settings.temperature, dim=-1)
    teacher = functional.log_softmax(teacher_logits.float() / settings.temperature, dim=-1)
    divergence = functional.kl_div(student, teacher, reduction="sum", log_target=True) * settings.temperature**2
    loss = settings.alpha_ce * cross_entropy + (1 - settings.alpha_ce) * divergence
    return LossSums(loss, cross_entropy.detach(), divergence.detach())


def projection_loss(
    settings: DistillationLoss, student: Projection, labels: Tensor, teacher: Projection | None = None
) -> LossSums:
    """Projection to the vocabulary and loss in one, slice by slice: the same values and gradients as the plain form.

    The matrix products run in autocast's type where it is on, everything after them in fp32.

    Args:
        settings: alpha_ce, temperature, label smoothing.
        student: states [tokens, d], weight [vocabulary, d], bias [vocabulary] (the bias gets no gradient: in Marian
            models it is a buffer).
        labels: [tokens]; every one counts (take out the padding first).
        teacher: the same of the teacher, with the same vocabulary; needed when alpha_ce < 1.
    """
    if settings.alpha_ce < 1.0 and teacher is None:
        raise ValueError(f"alpha_ce is {settings.alpha_ce}: the teacher's states are needed")
    if settings.alpha_ce == 1.0:
        teacher = None
    device = student.states.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else student.weight.dtype
    if torch.is_grad_enabled():
        sums = _FusedProjectionLoss.apply(
            student.states, student.weight, student.bias, labels, teacher, settings, dtype
        )
    else:
        sums = _loss_in_slices(settings, student, labels, teacher, dtype, None)
    return LossSums(*sums)  # pyright: ignore[reportArgumentType]


class _Gradients(NamedTuple):
    states: Tensor
    weight: Tensor


class _FusedProjectionLoss(torch.autograd.Function):
    """The gradients are computed along with the loss; `backward` only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor,
        labels: Tensor,
        teacher: Projection | None,
        settings: DistillationLoss,
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor, Tensor]:
        device = states.device.type
        with torch.autocast(device_type=device, enabled=False):
            gradients = _Gradients(torch.empty_like(states), torch.zeros_like(weight, dtype=torch.float32))
            sums = _loss_in_slices(settings, Projection(states, weight, bias), labels, teacher, dtype, gradients)
        ctx.save_for_backward(gradients.states, gradients.weight.to(weight.dtype))
        ctx.mark_non_differentiable(sums.cross_entropy, sums.divergence)
        return sums.loss, sums.cross_entropy, sums.divergence

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        states, weight = ctx.saved_tensors
        return states * upstream[0], weight * upstream[0], None, None, None, None, None


def _loss_in_slices(
    settings: DistillationLoss,
    student: Projection,
    labels: Tensor,
    teacher: Projection | None,
    dtype: torch.dtype,
    gradients: _Gradients | None,
) -> LossSums:
    """Sum the losses a slice of tokens at a time, filling `gradients` where they are given."""
    student = student._replace(weight=student.weight.to(dtype))
    if teacher is not None:
        teacher = teacher._replace(weight=teacher.weight.to(dtype))
    tokens, vocabulary = len(labels), student.weight.shape[0]
    size = max(1, SLICE_ELEMENTS // vocabulary)
    cross_entropy = torch.zeros((), device=labels.device)
    divergence = torch.zeros((), device=labels.device)
    for start in range(0, tokens, size):
        rows = slice(start, min(start + size, tokens))
        logits = student.logits(rows, dtype)
        logit_gradient = torch.zeros((), device=labels.device)
        if settings.alpha_ce > 0.0:
            entropy, logit_gradient = _cross_entropy(logits, labels[rows], settings.label_smoothing)
            cross_entropy += entropy
            logit_gradient.mul_(settings.alpha_ce)
        if teacher is not None:
            kl, kl_gradient = _divergence(logits, teacher.logits(rows, dtype), settings.temperature)
            divergence += kl
            logit_gradient = kl_gradient.mul_(1 - settings.alpha_ce).add_(logit_gradient)
        if gradients is not None:
            logit_gradient = logit_gradient.to(dtype)
            gradients.states[rows] = logit_gradient @ student.weight
            gradients.weight.add_(logit_gradient.T @ student.states[rows].to(dtype))
    loss = settings.alpha_ce * cross_entropy + (1 - settings.alpha_ce) * divergence
    return LossSums(loss, cross_entropy, divergence)


def _cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Summed cross-entropy with smoothed labels, and its gradient [rows, vocabulary]."""
    log_probabilities = functional.log_softmax(logits, dim=-1)
    loss = -log_probabilities.gather(1, labels[:, None]).sum() * (1 - smoothing)
    if smoothing:
        loss = loss - log_probabilities.mean(dim=-1).sum() * smoothing
    gradient = log_probabilities.exp_()
    if smoothing:
        gradient -= smoothing / logits.shape[1]
    gradient.scatter_add_(1, labels[:, None], torch.full_like(gradient[:, :1], smoothing - 1))
    return loss, gradient


def _divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Summed T²·KL(teacher‖student) and its gradient by the student's logits [rows, vocabulary]."""
    student = functional.log_softmax(student_logits / temperature, dim=-1)
    teacher = functional.log_softmax(teacher_logits / temperature, dim=-1)
    probabilities = teacher.exp()
    divergence = torch.dot(probabilities.view(-1), teacher.sub_(student).view(-1)) * temperature**2
    return divergence, student.exp_().sub_(probabilities).mul_(temperature)
