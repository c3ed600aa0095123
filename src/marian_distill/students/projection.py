"""What passes between a student and the loss: states with their projection in, sums over the scored tokens out."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

IGNORED_LABEL = -100
# A matrix's rows begin at multiples of so many elements: a product with an odd width takes up to half as long again.
ALIGNED = 16


class Projection(NamedTuple):
    """A model's last decoder states [tokens, d], the projection [vocabulary, d] and bias [vocabulary] to logits."""

    states: Tensor
    weight: Tensor
    bias: Tensor

    def products(self, rows: slice) -> Tensor:
        """Logits of some tokens, [rows, vocabulary], in the projection's own type, without the bias.

        Adding that later, in fp32 and in cache, takes a tenth of what it takes as part of the product.
        """
        states, vocabulary = self.states[rows], len(self.weight)
        width = -(-vocabulary // ALIGNED) * ALIGNED
        logits = states.new_empty(len(states), width)[:, :vocabulary]
        return torch.mm(states, self.weight.T, out=logits)

    def to(self, dtype: torch.dtype) -> "Projection":
        """The same with states and weight in another type, the bias in fp32."""
        return Projection(self.states.to(dtype), self.weight.to(dtype), self.bias.float())


class LayerStates(NamedTuple):
    """What the layers of a model made of a batch.

    Attributes:
        hidden: states after each layer, [tokens, d], by the stack that they belong to: "encoder", "decoder".
        attention: distributions of each layer, [tokens, heads, keys], by stack; "decoder to encoder" is the
            cross-attention. Keys are padded to the longest; empty where a fused kernel computes them.
    """

    hidden: dict[str, list[Tensor]]
    attention: dict[str, list[Tensor]]

    def keep(self, stack: str, states: Tensor, attention: Mapping[str, Tensor | None]) -> None:
        """Add the next layer of a stack: its states, and those of its distributions that there are, by name."""
        self.hidden.setdefault(stack, []).append(states)
        for name, distribution in attention.items():
            if distribution is not None:
                self.attention.setdefault(name, []).append(distribution)


class LossSums(NamedTuple):
    """Sums over the target tokens, each a scalar tensor; `loss` alone carries a gradient.

    `token_losses` [tokens] is the cross-entropy of each, without label smoothing; `matching` the loss between layers,
    where there is one.
    """

    loss: Tensor
    cross_entropy: Tensor
    divergence: Tensor
    token_losses: Tensor
    matching: Tensor | None = None


# Called with the student's projection, the labels [tokens] and the teacher's projection of the same tokens.
Objective = Callable[[Projection, Tensor, Projection | None], LossSums]
# Called with what the student's layers made of the batch; the loss between them and the teacher's, a scalar tensor.
LayerObjective = Callable[[LayerStates], Tensor]
