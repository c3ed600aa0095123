"""A liquid student as graphs of fixed shapes, for engines that compile: one padded sentence, one target token a call.

Embeddings, √d scale and positions stay on the host. The encoder ends with each decoder layer's keys and values, which
no step has to make again; a decoder step takes what the one before left (each layer's convolution window and cell
state) and gives what the next one needs. Every input and output has three dimensions at most.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.layers import DecoderLayer, EncoderLayer, Past
from marian_distill.students.liquid.modeling import LiquidModel
from marian_distill.students.products import (
    GraphProducts,
    Product,
    attention_products,
    encoder_products,
    feed_forward_products,
)
from marian_distill.students.static import GraphName, Shapes, StaticGraph, StaticGraphs


def static_graphs(
    student: LiquidModel, source_length: int, target_length: int, *, cached: bool, projection_apart: bool
) -> StaticGraphs:
    """Encoder and decoder step, and the projection when it is to stand apart.

    Args:
        student: in evaluation mode.
        source_length, target_length: tokens that the graphs take at most.
        cached: a step always goes on from the one before; there is no decoder that reads all tokens again.
        projection_apart: the decoder gives its last state, and `projection` makes logits of it.
    """
    width, layers = student.config.d_model, student.decoder_layers
    source_mask = {"source_mask": (1, 1, source_length)}
    memory: Shapes = {
        f"cross_{part}_{number}": (1, source_length, width)
        for number in range(len(layers))
        for part in ("keys", "values")
    }
    past: Shapes = {}
    for number, layer in enumerate(layers):
        window, state = layer.new_past(1, student.embeddings.weight)
        past |= {f"window_{number}": tuple(window.shape), f"state_{number}": tuple(state.shape)}
    new = {f"new_{name}": shape for name, shape in past.items()}
    target: Shapes = {"target_states": (1, 1, width), **source_mask, **memory, **past}
    state, logits = {"state": (1, 1, width)}, {"logits": (1, 1, student.config.vocab_size)}
    body, projection = Step(student), Projection(student)
    source: Shapes = {"source_states": (1, source_length, width), **source_mask}
    graphs: dict[GraphName, StaticGraph] = {"encoder": StaticGraph(Encoder(student), source, memory)}
    if projection_apart:
        graphs["decoder"] = StaticGraph(body, target, state | new)
        graphs["projection"] = StaticGraph(projection, state, logits)
    else:
        graphs["decoder"] = StaticGraph(WholeStep(body, projection), target, logits | new)
    embeddings = student.embeddings.weight.detach() * width**0.5
    return StaticGraphs(
        source_length, target_length, True, graphs, embeddings, embeddings, student.positions.table.detach()
    )


def graph_products(config: LiquidConfig, source_length: int, target_length: int, *, cached: bool) -> GraphProducts:
    """What these graphs compute; a step always goes on from the one before, `cached` or not."""
    width, layers = config.d_model, config.decoder_layers
    with torch.device("meta"):
        layer = DecoderLayer(config)
    step = [*layer.cell.step_products(), Product(1, layer.cell.output_size, width, is_summed=True)]
    step += [Product(1, width, width), *attention_products(1, source_length, width)]
    step += feed_forward_products(1, width, config.ffn_dim)
    encoder = encoder_products(source_length, width, config.encoder_layers, config.ffn_dim, layers)
    kept = layers * ((config.window - 1) * width + layer.cell.state_size)
    return GraphProducts(encoder, step * layers, kept, cross=2 * layers * source_length * width)


class Encoder(nn.Module):
    """Embedded source [1, source, d] and mask [1, 1, source] → keys and values of each decoder layer."""

    def __init__(self, model: LiquidModel) -> None:
        super().__init__()
        self.layers = cast(list[EncoderLayer], model.encoder.layers)  # an nn.ModuleList
        self.decoder_layers = model.decoder_layers

    def forward(self, states: Tensor, source_mask: Tensor) -> list[Tensor]:  # noqa: D102
        for layer in self.layers:
            states = layer.read(states, source_mask)
        return [tensor for layer in self.decoder_layers for tensor in layer.attention.remember(states)]


class Step(nn.Module):
    """The embedded token [1, 1, d], the encoder's output, what earlier tokens left → its state, what is left."""

    def __init__(self, model: LiquidModel) -> None:
        super().__init__()
        self.layers = model.decoder_layers

    def forward(self, states: Tensor, source_mask: Tensor, *memory: Tensor) -> list[Tensor]:
        """`memory` is each layer's keys and values, then each layer's window and cell state."""
        cross, past = memory[: 2 * len(self.layers)], memory[2 * len(self.layers) :]
        new = []
        for number, layer in enumerate(self.layers):
            mine = slice(2 * number, 2 * number + 2)
            keys, values = cross[mine]
            states, after = layer.step(states, Past(*past[mine]), keys, values, source_mask)
            new += after
        return [states, *new]


class Projection(nn.Module):
    """State [1, 1, d] → logits [1, 1, vocabulary]."""

    def __init__(self, model: LiquidModel) -> None:
        super().__init__()
        self.weight, self.bias = model.embeddings.weight, model.bias

    def forward(self, state: Tensor) -> Tensor:  # noqa: D102
        return functional.linear(state, self.weight, self.bias)


class WholeStep(nn.Module):
    """A step that ends with the projection."""

    def __init__(self, body: nn.Module, projection: nn.Module) -> None:
        super().__init__()
        self.body, self.projection = body, projection

    def forward(self, *inputs: Tensor) -> list[Tensor]:  # noqa: D102
        state, *new = self.body(*inputs)
        return [self.projection(state), *new]
