"""A Marian model as graphs of fixed shapes, for engines that compile: one padded sentence, one target token a call.

The modules hold the weights of `transformers.MarianMTModel` (post-norm; Vaswani et al. 2017) and compute what it does,
with these liberties:

- embeddings, √d scale and positions stay on the host: a table look-up is what an NPU cannot do;
- the encoder ends with each decoder layer's cross-attention keys and values, which no step has to make again;
- the decoder computes its last layer, and the projection, for the one row that is asked for;
- every input and output has three dimensions at most, as NPUs may turn four around.

Masks are added to the scores: 0 or `MASKED`.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import MarianConfig, MarianMTModel
from transformers.models.marian.modeling_marian import MarianAttention, MarianDecoderLayer, MarianEncoderLayer

from marian_distill.runtime.bundle import MASKED
from marian_distill.students.products import (
    GraphProducts,
    Product,
    attention_products,
    encoder_products,
    feed_forward_products,
)
from marian_distill.students.static import GraphName, Shapes, StaticGraph, StaticGraphs


def static_graphs(
    student: MarianMTModel, source_length: int, target_length: int, *, cached: bool, projection_apart: bool
) -> StaticGraphs:
    """Encoder and decoder, and the projection when it is to stand apart.

    Args:
        student: in evaluation mode.
        source_length, target_length: tokens that the graphs take at most.
        cached: the decoder takes keys and values of earlier tokens and gives those of the current one, one row at a
            time. Otherwise it takes all target tokens so far, and nothing has to be kept between calls.
        projection_apart: the decoder gives its last state, and `projection` makes logits of it.
    """
    config = student.config
    width, layers = config.d_model, config.decoder_layers
    cross = dict.fromkeys(_layer_names("cross", layers), (1, source_length, width))
    past = dict.fromkeys(_layer_names("self", layers), (1, target_length, width)) if cached else {}
    rows = dict.fromkeys(_layer_names("new", layers), (1, 1, width)) if cached else {}
    source_mask = {"source_mask": (1, 1, source_length)}
    decoder_inputs: Shapes = {
        "target_states": (1, 1 if cached else target_length, width),
        "position": (1, 1, target_length),
        "target_mask": (1, 1, target_length),
        **source_mask,
        **cross,
        **past,
    }
    state, logits = {"state": (1, 1, width)}, {"logits": (1, 1, config.vocab_size)}
    body = CachedDecoder(student) if cached else StatelessDecoder(student, target_length)
    projection = Projection(student)
    encoder_inputs: Shapes = {"source_states": (1, source_length, width), **source_mask}
    graphs: dict[GraphName, StaticGraph] = {"encoder": StaticGraph(Encoder(student), encoder_inputs, cross)}
    if projection_apart:
        graphs["decoder"] = StaticGraph(body, decoder_inputs, state | rows)
        graphs["projection"] = StaticGraph(projection, state, logits)
    else:
        graphs["decoder"] = StaticGraph(WholeDecoder(body, projection), decoder_inputs, logits | rows)
    encoder, decoder = student.model.encoder, student.model.decoder
    scale = config.d_model**0.5 if config.scale_embedding else 1.0
    source, target = (side.embed_tokens.weight.detach() * scale for side in (encoder, decoder))
    positions = encoder.embed_positions.weight.detach()
    return StaticGraphs(source_length, target_length, cached, graphs, source, target, positions)


def graph_products(config: MarianConfig, source_length: int, target_length: int, *, cached: bool) -> GraphProducts:
    """What these graphs compute; a stateless decoder computes all rows, but of its last layer one."""
    width, layers, step = config.d_model, config.decoder_layers, []
    for layer in range(layers):
        key_rows = 1 if cached else target_length
        rows = 1 if cached or layer == layers - 1 else target_length
        step += [Product(key_rows, width, width)] * 2  # self-attention's keys and values
        step += [Product(rows, width, width)] * 2  # its query, and the cross-attention's
        step += attention_products(rows, target_length, width) + attention_products(rows, source_length, width)
        step += feed_forward_products(rows, width, config.decoder_ffn_dim)
    encoder = encoder_products(source_length, width, config.encoder_layers, config.encoder_ffn_dim, layers)
    kept = 2 * layers * target_length * width if cached else target_length * width
    return GraphProducts(encoder, step, kept, cross=2 * layers * source_length * width)


def _layer_names(kind: str, layers: int) -> list[str]:
    return [f"{kind}_{part}_{layer}" for layer in range(layers) for part in ("keys", "values")]


class Encoder(nn.Module):
    """Embedded source [1, source, d] and mask [1, 1, source] → cross keys and values of each decoder layer."""

    def __init__(self, model: MarianMTModel) -> None:
        super().__init__()
        self.layers = cast(list[MarianEncoderLayer], model.model.encoder.layers)  # an nn.ModuleList
        self.decoder_layers = decoder_layers(model)

    def forward(self, source_states: Tensor, source_mask: Tensor) -> list[Tensor]:  # noqa: D102
        states = source_states
        for layer in self.layers:
            keys, values = keys_and_values(layer.self_attn, states)
            attended = attend(layer.self_attn, states, keys, values, source_mask)
            states = feed_forward(layer, layer.self_attn_layer_norm(states + attended))
        return [tensor for layer in self.decoder_layers for tensor in keys_and_values(layer.encoder_attn, states)]


class StatelessDecoder(nn.Module):
    """All embedded target tokens so far [1, target, d] → the last state of the row that `position` marks [1, 1, d]."""

    causal_mask: Tensor

    def __init__(self, model: MarianMTModel, target_length: int) -> None:
        super().__init__()
        self.layers = decoder_layers(model)
        causal_mask = torch.full((target_length, target_length), MASKED).triu(1)
        self.register_buffer("causal_mask", causal_mask, persistent=False)

    def forward(
        self, target_states: Tensor, position: Tensor, target_mask: Tensor, source_mask: Tensor, *cross: Tensor
    ) -> list[Tensor]:
        """Position [1, 1, target] is 1 at the row that is asked for, 0 elsewhere; the masks are [1, 1, length]."""
        states, mask = target_states, self.causal_mask
        for number, layer in enumerate(self.layers):
            keys, values = keys_and_values(layer.self_attn, states)
            if number == len(self.layers) - 1:
                states, mask = position @ states, target_mask
            cross_keys, cross_values = cross[2 * number : 2 * number + 2]
            states = decoder_layer(layer, states, keys, values, mask, cross_keys, cross_values, source_mask)
        return [states]


class CachedDecoder(nn.Module):
    """The embedded current token [1, 1, d] and earlier ones' keys and values → its last state, its keys and values."""

    def __init__(self, model: MarianMTModel) -> None:
        super().__init__()
        self.layers = decoder_layers(model)

    def forward(
        self, target_states: Tensor, position: Tensor, target_mask: Tensor, source_mask: Tensor, *memory: Tensor
    ) -> list[Tensor]:
        """Caches [1, target, d] are zero at the slot that `position` marks and after; `memory` is cross, then self."""
        states, slot, rows = target_states, position.transpose(1, 2), []
        cross, past = memory[: 2 * len(self.layers)], memory[2 * len(self.layers) :]
        for number, layer in enumerate(self.layers):
            mine = slice(2 * number, 2 * number + 2)
            new = keys_and_values(layer.self_attn, states)
            keys, values = (cache + slot * row for cache, row in zip(past[mine], new, strict=True))
            cross_keys, cross_values = cross[mine]
            states = decoder_layer(layer, states, keys, values, target_mask, cross_keys, cross_values, source_mask)
            rows += new
        return [states, *rows]


class Projection(nn.Module):
    """State [1, 1, d] → logits [1, 1, vocabulary]."""

    bias: Tensor

    def __init__(self, model: MarianMTModel) -> None:
        super().__init__()
        self.weight = model.lm_head.weight
        self.register_buffer("bias", model.final_logits_bias[0], persistent=False)

    def forward(self, state: Tensor) -> Tensor:  # noqa: D102
        return functional.linear(state, self.weight, self.bias)


class WholeDecoder(nn.Module):
    """A decoder that ends with the projection."""

    def __init__(self, body: nn.Module, projection: nn.Module) -> None:
        super().__init__()
        self.body, self.projection = body, projection

    def forward(self, *inputs: Tensor) -> list[Tensor]:  # noqa: D102
        state, *rows = self.body(*inputs)
        return [self.projection(state), *rows]


def decoder_layers(model: MarianMTModel) -> list[MarianDecoderLayer]:
    """The decoder's layers, an nn.ModuleList."""
    return cast(list[MarianDecoderLayer], model.model.decoder.layers)


def keys_and_values(attention: MarianAttention, states: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values [1, length, d] of states [1, length, d]."""
    return attention.k_proj(states), attention.v_proj(states)


def attend(attention: MarianAttention, states: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """What queries [1, query, d] read from keys and values [1, key, d] under an additive mask [… query or 1, key]."""

    def heads(tensor: Tensor) -> Tensor:  # [1, heads, length, d / heads]
        return tensor.view(1, tensor.shape[1], attention.num_heads, attention.head_dim).transpose(1, 2)

    queries = heads(attention.q_proj(states) * attention.scaling)
    weights = torch.softmax(queries @ heads(keys).transpose(2, 3) + mask, dim=-1)
    return attention.out_proj((weights @ heads(values)).transpose(1, 2).reshape(states.shape))


def feed_forward(layer: MarianEncoderLayer | MarianDecoderLayer, states: Tensor) -> Tensor:
    """The feed-forward block and its norm."""
    return layer.final_layer_norm(states + layer.fc2(layer.activation_fn(layer.fc1(states))))


def decoder_layer(
    layer: MarianDecoderLayer,
    states: Tensor,
    keys: Tensor,
    values: Tensor,
    target_mask: Tensor,
    cross_keys: Tensor,
    cross_values: Tensor,
    source_mask: Tensor,
) -> Tensor:
    """One decoder layer for the rows of `states`, over keys and values that are made already."""
    states = layer.self_attn_layer_norm(states + attend(layer.self_attn, states, keys, values, target_mask))
    attended = attend(layer.encoder_attn, states, cross_keys, cross_values, source_mask)
    return feed_forward(layer, layer.encoder_attn_layer_norm(states + attended))
