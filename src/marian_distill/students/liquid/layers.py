"""Blocks of a liquid student: attention and feed-forward over packed tokens, and the decoder's layer around a cell.

Post-norm, as in Vaswani et al. 2017, https://arxiv.org/abs/1706.03762. Weights are cast to the type of the states that
they meet, so that all of a forward pass runs in one type; recurrent states alone are fp32.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import ACT2FN

from marian_distill.students.dropout import dropout
from marian_distill.students.liquid.cells import make_cell
from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.packing import Packing

FP16_MOST = torch.finfo(torch.float16).max
# What leaves a block that mixes tokens or units starts a tenth as large as what is handed on beside it (after
# Bachlechner et al. 2020, "ReZero", https://arxiv.org/abs/2003.04887): full-sized random layers blur
# which token stood where.
BRANCH_GAIN = 0.1


def linear(states: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer in the type of its input."""
    bias = None if layer.bias is None else layer.bias.to(states.dtype)
    return functional.linear(states, layer.weight.to(states.dtype), bias)


class AddAndNormalise(nn.Module):
    """Residual sum and layer norm of [..., d]."""

    def __init__(self, config: LiquidConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.d_model)
        self.dropout = config.dropout

    def forward(self, states: Tensor, update: Tensor) -> Tensor:  # noqa: D102
        states = states + dropout(update, self.dropout, self.training)
        if states.dtype == torch.float16:  # a sum beyond its range would become NaN in the norm
            states = states.clamp(-FP16_MOST, FP16_MOST)
        weight, bias = self.norm.weight.to(states.dtype), self.norm.bias.to(states.dtype)
        return functional.layer_norm(states, list(self.norm.normalized_shape), weight, bias, self.norm.eps)

    def reset_parameters(self) -> None:  # noqa: D102
        self.norm.reset_parameters()


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, [..., d] → [..., d]."""

    def __init__(self, config: LiquidConfig) -> None:
        super().__init__()
        self.activation = ACT2FN[config.activation_function]
        self.inner = nn.Linear(config.d_model, config.ffn_dim)
        self.outer = nn.Linear(config.ffn_dim, config.d_model)

    def forward(self, states: Tensor) -> Tensor:  # noqa: D102
        return linear(self.activation(linear(states, self.inner)), self.outer)

    def reset_parameters(self) -> None:  # noqa: D102
        reset_linear(self.inner)
        reset_linear(self.outer, gain=BRANCH_GAIN)


class Attention(nn.Module):
    """Scaled dot-product attention of some tokens over a memory: their own sequence's, or the encoder's output."""

    def __init__(self, config: LiquidConfig, output_gain: float) -> None:
        super().__init__()
        self.config, self.output_gain = config, output_gain
        self.heads, self.head_size = config.attention_heads, config.d_model // config.attention_heads
        self.queries = nn.Linear(config.d_model, config.d_model)
        self.keys_values = nn.Linear(config.d_model, 2 * config.d_model)
        self.output = nn.Linear(config.d_model, config.d_model)

    def forward(
        self, states: Tensor, packing: Packing, memory: Tensor, source: Packing
    ) -> tuple[Tensor, Tensor | None]:
        """What packed tokens [tokens, d] read from packed others [source tokens, d] of their sentence.

        And, unless a fused kernel computes it, from where: the distributions [tokens, heads, longest source].
        """
        (queries,) = self._split(packing.pad(linear(states, self.queries)))
        keys, values = self._split(source.pad(linear(memory, self.keys_values)))
        attended, distribution = self._attend(queries, keys, values, source.bias(states.dtype))
        if distribution is not None:
            distribution = packing.pack(distribution.transpose(1, 2))
        return linear(packing.pack(attended), self.output), distribution

    def read(self, states: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """The same, of padded tensors and by plain operations, as a graph has them.

        Args:
            states: [batch, queries, d].
            keys, values: [batch, source, d].
            bias: added to the scores, [batch, 1, source].
        """

        def heads(tensor: Tensor) -> Tensor:  # [batch, heads, length, head]
            return tensor.view(*tensor.shape[:2], self.heads, self.head_size).transpose(1, 2)

        queries, keys, values = heads(self.queries(states)), heads(keys), heads(values)
        scores = (queries * self.head_size**-0.5) @ keys.transpose(2, 3) + bias[:, None]
        return self.output((scores.softmax(dim=-1) @ values).transpose(1, 2).reshape(states.shape))

    def remember(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [batch, source, d] of a memory [batch, source, d], for `read`; NPUs split no activations."""
        weights, biases = self.keys_values.weight.chunk(2), self.keys_values.bias.chunk(2)
        keys, values = (functional.linear(memory, *each) for each in zip(weights, biases, strict=True))
        return keys, values

    def _split(self, projected: Tensor) -> tuple[Tensor, ...]:
        """[batch, length, parts × d] → `parts` of [batch, heads, length, head]."""
        batch, length, _ = projected.shape
        return projected.view(batch, length, -1, self.heads, self.head_size).permute(2, 0, 3, 1, 4).unbind()

    def _attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """[batch, length, d]: torch's fused kernel, or two plain matrix products and their distributions."""
        distribution = None
        if self.config._attn_implementation == "sdpa":
            attended = functional.scaled_dot_product_attention(queries, keys, values, bias)
        else:
            scores = (queries * self.head_size**-0.5) @ keys.transpose(2, 3)
            distribution = (scores if bias is None else scores.add_(bias)).softmax(dim=-1)
            attended = distribution @ values
        return attended.transpose(1, 2).flatten(2), distribution

    def reset_parameters(self) -> None:
        """Glorot-uniform, keys and values apart."""
        reset_linear(self.queries)
        reset_linear(self.keys_values, parts=2)
        reset_linear(self.output, gain=self.output_gain)


def reset_linear(layer: nn.Linear, gain: float = 1.0, parts: int = 1) -> None:
    """Glorot-uniform weights of each of `parts` layers that stand in one, zero biases."""
    for weight in layer.weight.detach().chunk(parts):
        nn.init.xavier_uniform_(weight, gain=gain)
    nn.init.zeros_(layer.bias)


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward."""

    def __init__(self, config: LiquidConfig) -> None:
        super().__init__()
        self.attention = Attention(config, output_gain=BRANCH_GAIN)
        self.after_attention = AddAndNormalise(config)
        self.feed_forward = FeedForward(config)
        self.after_feed_forward = AddAndNormalise(config)

    def forward(self, states: Tensor, packing: Packing) -> tuple[Tensor, Tensor | None]:
        """Packed source tokens [tokens, d] to the same, and where they looked (see `Attention`)."""
        attended, distribution = self.attention(states, packing, states, packing)
        states = self.after_attention(states, attended)
        return self.after_feed_forward(states, self.feed_forward(states)), distribution

    def read(self, states: Tensor, bias: Tensor) -> Tensor:
        """The same of padded tokens [batch, source, d], by plain operations; `bias` as `Attention.read` has it."""
        attended = self.attention.read(states, *self.attention.remember(states), bias)
        states = self.after_attention(states, attended)
        return self.after_feed_forward(states, self.feed_forward(states))


class Past(NamedTuple):
    """What a decoder layer keeps of the target so far, whatever its length.

    Attributes:
        window: the latest inputs of the layer, for its convolution, [batch, window − 1, d].
        state: the cell's, [batch, 1, state_size].
    """

    window: Tensor
    state: Tensor


class DecoderLayer(nn.Module):
    """Causal convolution and cell, attention over the encoder's output, feed-forward."""

    def __init__(self, config: LiquidConfig) -> None:
        super().__init__()
        self.width = config.d_model
        self.convolution = Convolution(config.d_model, config.window)
        self.cell = make_cell(config)
        self.output = nn.Linear(self.cell.output_size, config.d_model)
        self.after_cell = AddAndNormalise(config)
        self.attention = Attention(config, output_gain=1.0)
        self.after_attention = AddAndNormalise(config)
        self.feed_forward = FeedForward(config)
        self.after_feed_forward = AddAndNormalise(config)

    def forward(
        self, states: Tensor, packing: "TargetPacking", memory: Tensor, source: Packing
    ) -> tuple[Tensor, Tensor | None]:
        """Packed target tokens [tokens, d] to the same, over packed source tokens, and where they looked there."""
        past = self.new_past(packing.batch, states)
        steps = packing.to_steps(states)
        outputs, _ = self.cell(self.convolution(steps, past.window.transpose(0, 1)), past.state[:, 0])
        states = self.after_cell(states, linear(packing.from_steps(outputs), self.output))
        attended, distribution = self.attention(states, packing.packing, memory, source)
        states = self.after_attention(states, attended)
        return self.after_feed_forward(states, self.feed_forward(states)), distribution

    def step(self, states: Tensor, past: Past, keys: Tensor, values: Tensor, bias: Tensor) -> tuple[Tensor, Past]:
        """The next token of each hypothesis, [batch, 1, d] to the same, and what is kept.

        Args:
            states: [batch, 1, d].
            past: of the tokens before.
            keys, values: of `Attention.remember`.
            bias: as `Attention.read` has it.
        """
        seen = torch.cat([past.window.to(states.dtype), states], dim=1)
        outputs, state = self.cell.step(self.convolution.read(seen), past.state)
        states = self.after_cell(states, self.output(outputs))
        states = self.after_attention(states, self.attention.read(states, keys, values, bias))
        return self.after_feed_forward(states, self.feed_forward(states)), Past(seen[:, 1:], state)

    def new_past(self, batch: int, like: Tensor) -> Past:
        """Of a target that has no token yet; on the device of `like`, the window in its type."""
        return Past(
            like.new_zeros(batch, self.convolution.window - 1, self.width),
            like.new_zeros(batch, 1, self.cell.state_size, dtype=torch.float32),
        )

    def reset_parameters(self) -> None:  # noqa: D102
        reset_linear(self.output, gain=BRANCH_GAIN)


class Convolution(nn.Module):
    """A convolution over the latest `window` tokens, each channel on its own.

    Args:
        width: channels.
        window: tokens that it sees, the current one included.
    """

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.weight = nn.Parameter(torch.empty(window, width))
        self.reset_parameters()

    def forward(self, inputs: Tensor, before: Tensor) -> Tensor:
        """[steps, batch, d] to the same, after the inputs of `before` [window − 1, batch, d]."""
        seen = torch.cat([before, inputs])
        weight = self.weight.to(inputs.dtype)
        outputs = inputs * weight[-1]
        for offset in range(self.window - 1):
            outputs = torch.addcmul(outputs, seen[offset : offset + len(inputs)], weight[offset])
        return outputs

    def read(self, seen: Tensor) -> Tensor:
        """One token's output [batch, 1, d], from all that it sees, [batch, window, d]."""
        return (seen * self.weight).sum(dim=1, keepdim=True)

    def reset_parameters(self) -> None:
        """Almost only the current token."""
        nn.init.normal_(self.weight, std=BRANCH_GAIN)
        with torch.no_grad():
            self.weight[-1] += 1.0


class TargetPacking(NamedTuple):
    """A packing of target tokens that also stands them step by step, as a recurrence takes them.

    Args:
        packing: of the padded batch.
        places: [tokens] places of the packed tokens among [length × batch]; None when there is no padding.
    """

    packing: Packing
    places: Tensor | None

    @classmethod
    def of(cls, packing: Packing) -> "TargetPacking":
        """Of the same batch."""
        if packing.places is None:
            return cls(packing, None)
        batch, length = packing.mask.shape
        return cls(packing, packing.places % length * batch + packing.places // length)

    @property
    def batch(self) -> int:
        """Sentences."""
        return len(self.packing.mask)

    def to_steps(self, packed: Tensor) -> Tensor:
        """[tokens, d] → [length, batch, d], zero where no token is."""
        batch, length = self.packing.mask.shape
        if self.places is None:
            return packed.view(batch, length, -1).transpose(0, 1).contiguous()
        return (
            packed.new_zeros(length * batch, packed.shape[-1])
            .index_copy(0, self.places, packed)
            .view(length, batch, -1)
        )

    def from_steps(self, steps: Tensor) -> Tensor:
        """[length, batch, d] → [tokens, d]."""
        if self.places is None:
            return steps.transpose(0, 1).flatten(0, 1)
        return steps.flatten(0, 1).index_select(0, self.places)
