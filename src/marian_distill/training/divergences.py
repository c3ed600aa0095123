"""How far a student's distributions are from a teacher's, with the gradients worked out by hand.

Forward KL: Hinton et al. 2015, https://arxiv.org/abs/1503.02531. Reverse KL: Gu et al. 2023, "MiniLLM",
https://arxiv.org/abs/2306.08543. The mean of both, Jeffreys' divergence by half, is one of the f-divergences of Wen et
al. 2023, https://arxiv.org/abs/2307.15190. All are of distributions softened by T and multiplied by T², so that the
gradient keeps its size.

With p the student's and q the teacher's distribution, u the student's logits divided by T, d = log p − log q and
R = Σ p d: ∂KL(q‖p)/∂u = p − q, and ∂KL(p‖q)/∂u = p (d − R).
"""

from typing import Literal

import torch
from torch import Tensor

from marian_distill.students.projection import CachedTargets

Direction = Literal["forward", "reverse", "symmetric"]
# Of a bucket whose logarithm is taken: a smaller one would make a quotient overflow.
LEAST_PROBABILITY = 1e-20


def divergence(
    direction: Direction, top_k: int, student_logits: Tensor, teacher_logits: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """Summed T²·divergence and its gradient by the student's logits [rows, vocabulary]; overwrites both logits.

    Args:
        direction: which divergence.
        top_k: the teacher's likeliest pieces that are compared one by one, all others together; 0: every piece.
        student_logits, teacher_logits: [rows, vocabulary], fp32.
        temperature: softens both.
    """
    student_logits.div_(temperature)
    teacher_logits.div_(temperature)
    if top_k:
        kept = teacher_logits.topk(top_k, dim=-1).indices
        buckets = _buckets(teacher_logits.softmax(dim=-1), kept)
        values, gradient = _with_tail(direction, kept, buckets, student_logits)
        value = values.sum()
    elif direction == "forward":
        value, gradient = _forward(student_logits, teacher_logits)
    else:
        value, gradient = _reverse(direction, student_logits, teacher_logits)
    return value * temperature**2, gradient.mul_(temperature)


def _forward(student_logits: Tensor, teacher_logits: Tensor) -> tuple[Tensor, Tensor]:
    student, teacher = student_logits.softmax(dim=-1), teacher_logits.softmax(dim=-1)
    offset = (log_normaliser(student_logits, student) - log_normaliser(teacher_logits, teacher)).sum()
    gap = torch.dot(teacher.view(-1), teacher_logits.sub_(student_logits).view(-1))
    return gap + offset, student.sub_(teacher)


def _reverse(direction: Direction, student_logits: Tensor, teacher_logits: Tensor) -> tuple[Tensor, Tensor]:
    student, teacher = student_logits.softmax(dim=-1), teacher_logits.softmax(dim=-1)
    offset = log_normaliser(student_logits, student) - log_normaliser(teacher_logits, teacher)
    gap = student_logits.sub_(teacher_logits).sub_(offset)
    reverse = (student * gap).sum(dim=-1, keepdim=True)
    if direction == "reverse":
        return reverse.sum(), gap.sub_(reverse).mul_(student)
    forward = -torch.dot(teacher.view(-1), gap.view(-1))
    return (forward + reverse.sum()) / 2, gap.sub_(reverse - 1).mul_(student).sub_(teacher).div_(2)


def cached_divergence(
    direction: Direction, student_logits: Tensor, targets: CachedTargets, temperature: float
) -> tuple[Tensor, Tensor]:
    """T²·divergence of each token [rows] and its sum's gradient [rows, vocabulary]; overwrites the logits.

    Where a token is not taught both are meaningless. Draws have the forward direction alone: of that the expected
    value and the expected gradient are those of the whole distribution.

    Args:
        direction: which divergence.
        student_logits: [rows, vocabulary], fp32.
        targets: of the same tokens, softened by the same temperature.
        temperature: softens the student.
    """
    student_logits.div_(temperature)
    if targets.entropy is None:
        values, gradient = _with_tail(direction, targets.ids, targets.probabilities, student_logits)
    else:
        gradient = student_logits.softmax(dim=-1)
        said = gradient.gather(1, targets.ids).clamp_(min=LEAST_PROBABILITY).log_()
        values = -(targets.probabilities * said).sum(dim=-1) - targets.entropy
        gradient.scatter_add_(1, targets.ids, -targets.probabilities)
    return values * temperature**2, gradient.mul_(temperature)


def _with_tail(
    direction: Direction, kept: Tensor, teacher_buckets: Tensor, student_logits: Tensor
) -> tuple[Tensor, Tensor]:
    """Of k + 1 buckets, a value a row; with P and Q a bucket's probabilities, ∂/∂u is p (1 − Q/P), or p (log P/Q − R).

    Args:
        direction: which divergence: the former is forward.
        kept: pieces that are buckets of their own, [rows, k].
        teacher_buckets: probabilities of these and of all others together, [rows, k + 1].
        student_logits: [rows, vocabulary].
    """
    top_k = kept.shape[1]
    student = student_logits.softmax(dim=-1)
    buckets, teacher_buckets = _buckets(student, kept), teacher_buckets.clamp(min=LEAST_PROBABILITY)
    gap = buckets.log() - teacher_buckets.log()
    reverse = (buckets * gap).sum(dim=-1, keepdim=True)
    forward = -(teacher_buckets * gap).sum(dim=-1)
    factors = {"forward": 1 - teacher_buckets / buckets, "reverse": gap - reverse}
    factors["symmetric"] = (factors["forward"] + factors["reverse"]) / 2
    values = {"forward": forward, "reverse": reverse[:, 0], "symmetric": (forward + reverse[:, 0]) / 2}
    factor = factors[direction]
    gradient = student.mul_(factor[:, top_k:]).scatter_(1, kept, (buckets * factor)[:, :top_k])
    return values[direction], gradient


def _buckets(probabilities: Tensor, kept: Tensor) -> Tensor:
    """Probabilities of the kept pieces and the sum of the others, [rows, k + 1]; overwrites those of the kept."""
    apart = probabilities.gather(1, kept)
    tail = probabilities.scatter_(1, kept, 0.0).sum(dim=-1, keepdim=True)
    return torch.cat([apart, tail], dim=-1).clamp_(min=LEAST_PROBABILITY)


def log_normaliser(logits: Tensor, probabilities: Tensor) -> Tensor:
    """log Σ exp(logits) of each row, [rows, 1], from the likeliest entry: its logit − its log probability."""
    return logits.amax(dim=-1, keepdim=True) - probabilities.amax(dim=-1, keepdim=True).log_()
