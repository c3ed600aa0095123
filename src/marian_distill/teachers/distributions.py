"""What a cache keeps of a distribution: its likeliest pieces and the mass of the rest, or pieces drawn from it.

Draws are spread evenly over the cumulative distribution (systematic sampling: one uniform number a token places all of
them). Each piece's expected share of the draws is its probability, so the expected gradient is that of the whole
distribution; it varies far less than that of independent draws, and less again where the likeliest pieces are kept as
they are and the others alone are drawn. The likeliest pieces and one number for the rest are a biased estimate.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from marian_distill.errors import UserError
from marian_distill.teachers.cache import Kind

SLICE_ELEMENTS = 4 * 1024 * 1024  # logits that are in fp32 at a time


class Kept(NamedTuple):
    """What is kept of some distributions: ids [tokens, k], values as `cache.ShardContent` has them, and mass lost."""

    ids: np.ndarray
    values: np.ndarray
    lost: np.ndarray


def check_k(k: int, exact: int, vocabulary: int) -> None:
    """Refuse more pieces than there are besides the rest, and to draw none."""
    if not 1 <= k < vocabulary:
        raise UserError(f"--k {k}: the vocabulary has {vocabulary} pieces; expected 1 to {vocabulary - 1}")
    if not 0 <= exact < k:
        raise UserError(f"--exact {exact}: of --k {k} pieces at least one is drawn; expected 0 to {k - 1}")


def keep(
    kind: Kind,
    k: int,
    exact: int,
    temperature: float,
    logits: Tensor,
    numbers: np.ndarray,
    own: Tensor | None = None,
) -> Kept:
    """Keep k pieces of each token's distribution.

    Args:
        kind: the likeliest ones, or draws.
        k: how many.
        exact: of these, how many are the likeliest ones before the others are drawn.
        temperature: softens the distribution first.
        logits: [tokens, the teacher's vocabulary].
        numbers: from [0, 1), one a token, that place the draws.
        own: the teacher's id of each of the student's pieces, [vocabulary]; what the teacher gives to others is
            lost, and the distribution is renormalised over these. None: the vocabularies are one.
    """
    parts = []
    for rows in _slices(*logits.shape):
        part = logits[rows].float() / temperature
        lost = part.new_zeros(len(part))
        if own is not None:
            whole, part = part.logsumexp(-1), part.index_select(1, own)
            lost = -torch.expm1((part.logsumexp(-1) - whole).clamp(max=0.0))
        if kind == "top-k":
            ids, values = _likeliest(part, k)
        else:
            ids, values = _drawn(part, k, exact, torch.from_numpy(numbers[rows]).to(part))
        parts.append(Kept(ids.cpu().numpy(), values.half().cpu().numpy(), lost.cpu().numpy()))
    return Kept(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _slices(tokens: int, vocabulary: int) -> Iterator[slice]:
    size = max(1, SLICE_ELEMENTS // vocabulary)
    return (slice(start, start + size) for start in range(0, tokens, size))


def _likeliest(logits: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Ids [rows, k], and log-probabilities of these and of all others together [rows, k + 1]."""
    found = logits.topk(k, dim=-1)
    normaliser = logits.logsumexp(-1, keepdim=True)
    rest = logits.scatter(1, found.indices, float("-inf")).logsumexp(-1, keepdim=True)
    return found.indices, torch.cat([found.values, rest], dim=-1) - normaliser


def _drawn(logits: Tensor, k: int, exact: int, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Ids of the likeliest pieces and of draws from the others [rows, k]; values [rows, exact + 2].

    These are log-probabilities of the likeliest, the logarithm of the others' mass, and the entropy.
    """
    log_probabilities = logits.log_softmax(-1)
    probabilities = log_probabilities.exp()
    entropy = -(probabilities * log_probabilities.clamp(min=-1e4)).sum(-1, keepdim=True)
    head = log_probabilities.topk(exact, dim=-1)
    cumulative = probabilities.scatter_(1, head.indices, 0.0).cumsum(-1)
    rest = cumulative[:, -1:]
    places = (numbers[:, None] + torch.arange(k - exact, device=logits.device)) / (k - exact) * rest
    places = places.minimum(rest.nextafter(torch.zeros_like(rest)))  # rounded up, one would lie behind the last piece
    ids = torch.searchsorted(cumulative, places, right=True).clamp_(max=logits.shape[1] - 1)
    return torch.cat([head.indices, ids], dim=-1), torch.cat([head.values, rest.log(), entropy], dim=-1)
