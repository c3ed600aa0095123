"""Word-level distillation: alpha·CE + (1−alpha)·T²·KL(teacher‖student), summed over the target tokens.

Other divergences than this one: see `training.divergences`.

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
from torch.autograd.function import once_differentiable
from torch.nn import functional

from marian_distill.students.projection import CachedTargets, LossSums, Projection, Teaching
from marian_distill.training.divergences import Direction, cached_divergence, divergence, log_normaliser

# Elements of the [tokens, vocabulary] logits that one matrix product makes, in its own type (128 MB in bf16).
# Each such block also adds a whole [vocabulary, d] matrix to the weight's gradient: fewer are better.
BLOCK_ELEMENTS = 64 * 1024 * 1024
# Elements of a block that are in fp32 at a time: on a CPU the passes over them then stay within its caches; a GPU
# wants enough of them to be busy.
SLICE_ELEMENTS = {"cpu": 512 * 1024, "cuda": 16 * 1024 * 1024}
# Tokens of a block in fp16, whose largest number, 65,504, a weight's gradient summed over more of them might pass.
FP16_TOKENS = 4096


@dataclass(frozen=True)
class DistillationLoss:
    """What is summed: shares and temperature.

    Args:
        alpha_ce: share of the cross-entropy with the labels; 1 − alpha_ce goes to the teacher. In [0, 1].
        temperature: both distributions of the KL term are softened by it. > 0.
        label_smoothing: share of the label's probability that is spread evenly over the vocabulary. In [0, 1).
        divergence: from the teacher to the student (forward), the other way round (reverse), or the mean of both.
        top_k: the teacher's likeliest pieces that are compared one by one, all others together as one; 0: every piece.
    """

    alpha_ce: float = 1.0
    temperature: float = 1.0
    label_smoothing: float = 0.0
    divergence: Direction = "forward"
    top_k: int = 0


def distillation_loss(
    settings: DistillationLoss, student_logits: Tensor, labels: Tensor, teacher_logits: Tensor | None = None
) -> LossSums:
    """The plain form over whole logits.

    Args:
        settings: what is summed.
        student_logits: [tokens, vocabulary].
        labels: [tokens]; every one counts (take out the padding first).
        teacher_logits: [tokens, vocabulary]; needed when alpha_ce < 1.
    """
    cross_entropy = functional.cross_entropy(
        student_logits.float(), labels, reduction="sum", label_smoothing=settings.label_smoothing
    )
    token_losses = functional.cross_entropy(student_logits.detach().float(), labels, reduction="none")
    if settings.alpha_ce == 1.0:
        return LossSums(cross_entropy, cross_entropy.detach(), torch.zeros_like(cross_entropy), token_losses)
    if teacher_logits is None:
        raise ValueError(f"alpha_ce is {settings.alpha_ce}: the teacher's logits are needed")
    student = functional.log_softmax(student_logits.float() / settings.temperature, dim=-1)
    teacher = functional.log_softmax(teacher_logits.float() / settings.temperature, dim=-1)
    if settings.top_k:
        kept = teacher.topk(settings.top_k, dim=-1).indices
        student, teacher = (
            torch.cat([each.gather(1, kept), each.scatter(1, kept, float("-inf")).logsumexp(-1, keepdim=True)], dim=-1)
            for each in (student, teacher)
        )
    forward = functional.kl_div(student, teacher, reduction="sum", log_target=True)
    reverse = functional.kl_div(teacher, student, reduction="sum", log_target=True)
    values = {"forward": forward, "reverse": reverse, "symmetric": (forward + reverse) / 2}
    apart = values[settings.divergence] * settings.temperature**2
    loss = settings.alpha_ce * cross_entropy + (1 - settings.alpha_ce) * apart
    return LossSums(loss, cross_entropy.detach(), apart.detach(), token_losses)


def projection_loss(
    settings: DistillationLoss, student: Projection, labels: Tensor, teacher: Teaching | None = None
) -> LossSums:
    """Projection to the vocabulary and loss in one, slice by slice: the same values and gradients as the plain form.

    The matrix products run in autocast's type where it is on, everything after them in fp32.

    Args:
        settings: what is summed.
        student: states [tokens, d], weight [vocabulary, d], bias [vocabulary] (the bias gets no gradient: in Marian
            models it is a buffer).
        labels: [tokens]; every one counts (take out the padding first).
        teacher: the same of the teacher, with the same vocabulary, or what a cache has of it; needed when
            alpha_ce < 1. A token that the cache does not teach learns from its label alone.
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
    """The gradients are computed along with the loss; `backward` only scales them, in place: it can be called once."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor,
        labels: Tensor,
        teacher: Teaching | None,
        settings: DistillationLoss,
        dtype: torch.dtype,
    ) -> tuple[Tensor, ...]:
        device = states.device.type
        with torch.autocast(device_type=device, enabled=False):
            gradients = _Gradients(torch.empty_like(states), torch.zeros_like(weight, dtype=torch.float32))
            sums = _loss_in_slices(settings, Projection(states, weight, bias), labels, teacher, dtype, gradients)
        ctx.save_for_backward(gradients.states, gradients.weight.to(weight.dtype))
        ctx.mark_non_differentiable(sums.cross_entropy, sums.divergence, sums.token_losses)
        return sums.loss, sums.cross_entropy, sums.divergence, sums.token_losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        states, weight = ctx.saved_tensors
        return states.mul_(upstream[0]), weight.mul_(upstream[0]), None, None, None, None, None


def _loss_in_slices(
    settings: DistillationLoss,
    student: Projection,
    labels: Tensor,
    teacher: Teaching | None,
    dtype: torch.dtype,
    gradients: _Gradients | None,
) -> LossSums:
    """Sum the losses a slice of tokens at a time, filling `gradients` where they are given."""
    student = student.to(dtype)
    if isinstance(teacher, Projection):
        teacher = teacher.to(teacher.weight.dtype)  # in its own type, which may be another
    tokens, vocabulary = len(labels), student.weight.shape[0]
    in_fp32 = SLICE_ELEMENTS.get(labels.device.type, BLOCK_ELEMENTS)
    block_size, slice_size = (max(1, elements // vocabulary) for elements in (BLOCK_ELEMENTS, in_fp32))
    if dtype == torch.float16:
        block_size = min(block_size, FP16_TOKENS)
    sums, token_losses = torch.zeros(3, device=labels.device), torch.empty(tokens, device=labels.device)
    for start in range(0, tokens, block_size):
        block = slice(start, min(start + block_size, tokens))
        logits = student.products(block)
        taught = teacher.products(block) if isinstance(teacher, Projection) else teacher and teacher.at(block)
        for first in range(0, len(logits), slice_size):
            rows = slice(first, first + slice_size)
            student_logits = logits[rows] + student.bias  # fp32, as the bias is
            if isinstance(teacher, Projection) and isinstance(taught, Tensor):
                teaching = taught[rows] + teacher.bias
            else:
                teaching = taught.at(rows) if isinstance(taught, CachedTargets) else None
            losses, gradient = _losses(
                settings, student_logits, labels[block][rows], teaching, token_losses[block][rows]
            )
            sums += losses
            if gradients:
                logits[rows] = gradient  # in the logits' place, which nothing needs any more
        if gradients:
            gradients.states[block] = logits @ student.weight
            gradients.weight.add_(logits.T @ student.states[block])
    loss, cross_entropy, apart = sums.unbind()
    return LossSums(loss, cross_entropy, apart, token_losses)


def _losses(
    settings: DistillationLoss,
    logits: Tensor,
    labels: Tensor,
    teaching: Tensor | CachedTargets | None,
    token_losses: Tensor,
) -> tuple[Tensor, Tensor]:
    """Summed loss, cross-entropy and divergence of some tokens, [3], and the loss's gradient [rows, vocabulary].

    `teaching` is the teacher's logits, or what a cache has of it. Fills `token_losses` [rows] with the cross-entropy
    of each, without smoothing.
    """
    cross_entropies, gradient = _cross_entropy(logits, labels, settings.label_smoothing, token_losses)
    cross_entropy = cross_entropies.sum()
    if teaching is None:
        return torch.stack([cross_entropy, cross_entropy, torch.zeros_like(cross_entropy)]), gradient
    share = 1 - settings.alpha_ce
    if isinstance(teaching, Tensor):
        apart, softened = divergence(settings.divergence, settings.top_k, logits, teaching, settings.temperature)
        loss = settings.alpha_ce * cross_entropy + share * apart
        gradient = softened.mul_(share).add_(gradient, alpha=settings.alpha_ce)
        return torch.stack([loss, cross_entropy, apart]), gradient
    taught = teaching.taught
    values, softened = cached_divergence(settings.divergence, logits, teaching, settings.temperature)
    apart = torch.dot(values, taught[:, 0])
    loss = cross_entropy - share * torch.dot(cross_entropies, taught[:, 0]) + share * apart
    return torch.stack([loss, cross_entropy, apart]), gradient.lerp_(softened, share * taught)


def _cross_entropy(logits: Tensor, labels: Tensor, smoothing: float, token_losses: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each token with smoothed labels [rows], and its sum's gradient [rows, vocabulary]."""
    labels = labels[:, None]
    gradient = logits.softmax(dim=-1)
    normaliser = log_normaliser(logits, gradient)
    losses = normaliser - logits.gather(1, labels)
    token_losses.copy_(losses[:, 0])
    smoothed = losses[:, 0] * (1 - smoothing)
    if smoothing:
        smoothed += (normaliser[:, 0] - logits.mean(dim=-1)) * smoothing
        gradient -= smoothing / logits.shape[1]
    gradient.scatter_add_(1, labels, torch.full_like(gradient[:, :1], smoothing - 1))
    return smoothed, gradient
