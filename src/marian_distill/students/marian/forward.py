"""The forward pass of a Marian model as training needs it: the tokens that are there, and no padding.

Computes the last decoder states of `transformers.MarianMTModel` (post-norm, sinusoidal positions; Vaswani et al. 2017,
https://arxiv.org/abs/1706.03762), several times faster on a CPU where sequences are short:

- the tokens of a batch stand one after another, [tokens, d_model]; only attention looks at them as [batch, length];
- query, key and value are one matrix product, and so are key and value of the cross-attention;
- everything runs in one type, autocast's where it is on, from weights that are cast once: nothing goes back and forth;
- dropout draws four random numbers at a time.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import MarianMTModel
from transformers.models.marian.modeling_marian import (
    MarianAttention,
    MarianDecoderLayer,
    MarianEncoderLayer,
)

from marian_distill.students.dropout import dropout
from marian_distill.students.packing import Packing
from marian_distill.students.projection import IGNORED_LABEL, LayerStates
from marian_distill.students.student import Batch

FP16_MOST = torch.finfo(torch.float16).max
Layer = MarianEncoderLayer | MarianDecoderLayer


def decoder_states(model: MarianMTModel, batch: Batch, layers: LayerStates | None = None) -> Tensor:
    """States of the last decoder layer, [target tokens, d_model], in autocast's type or the weights' own.

    Args:
        model: student or teacher; dropout is on when it is in training mode.
        batch: of `PairCollator`; the labels say where target tokens are.
        layers: filled with what each layer made.
    """
    ids = batch["input_ids"], batch["decoder_input_ids"]
    device = ids[0].device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else model.dtype
    source = Packing.of(batch["attention_mask"], batch["source_places"])
    target = Packing.of(batch["labels"] != IGNORED_LABEL, batch["scored"])
    run = partial(checkpoint, use_reentrant=False) if model.is_activation_checkpointing and model.training else _call
    with torch.autocast(device_type=device, enabled=False):
        memory, states = _embed(model, (source, target), ids, dtype)
        for layer in model.model.encoder.layers:
            memory, attention = run(_encoder_layer, layer, memory, source)
            if layers is not None:
                layers.keep("encoder", memory, {"encoder": _packed(attention, source)})
        for layer in model.model.decoder.layers:
            states, attention, cross_attention = run(_decoder_layer, layer, states, target, memory, source)
            if layers is not None:
                seen = {"decoder": attention, "decoder to encoder": cross_attention}
                layers.keep("decoder", states, {name: _packed(each, target) for name, each in seen.items()})
    return states


def _call(layer: Callable[..., Any], *arguments: Any) -> Any:
    return layer(*arguments)


def _packed(attention: Tensor | None, packing: Packing) -> Tensor | None:
    """Distributions [batch, heads, queries, keys] of the queries that are tokens: [tokens, heads, keys]."""
    return None if attention is None else packing.pack(attention.transpose(1, 2))


def _embed(
    model: MarianMTModel, packings: tuple[Packing, Packing], ids: tuple[Tensor, Tensor], dtype: torch.dtype
) -> list[Tensor]:
    """Embedded source and target tokens; a table that both share is looked up once, so its gradient is made once."""
    sides = model.model.encoder, model.model.decoder
    scale = model.config.d_model**0.5 if model.config.scale_embedding else 1.0
    tokens = [packing.pack(each) for packing, each in zip(packings, ids, strict=True)]
    tables = [side.embed_tokens for side in sides]
    if tables[0].weight is tables[1].weight:
        both = functional.embedding(torch.cat(tokens), tables[0].weight, tables[0].padding_idx)
        looked_up = both.split([len(each) for each in tokens])
    else:
        looked_up = [
            functional.embedding(each, table.weight, table.padding_idx)
            for each, table in zip(tokens, tables, strict=True)
        ]
    embedded = []
    for side, packing, rows in zip(sides, packings, looked_up, strict=True):
        # A model that was loaded may ask for a gradient here, but positions are computed, never learnt or saved.
        states = rows * scale + side.embed_positions.weight.detach()[packing.positions()]
        embedded.append(dropout(states.to(dtype), side.dropout, side.training))
    return embedded


def _encoder_layer(layer: MarianEncoderLayer, states: Tensor, packing: Packing) -> tuple[Tensor, Tensor | None]:
    attended, attention = _self_attention(layer.self_attn, states, packing, causal=False)
    states = _add_and_normalise(layer.self_attn_layer_norm, states, attended, layer)
    return _add_and_normalise(layer.final_layer_norm, states, _feed_forward(layer, states), layer), attention


def _decoder_layer(
    layer: MarianDecoderLayer, states: Tensor, packing: Packing, memory: Tensor, source: Packing
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    attended, attention = _self_attention(layer.self_attn, states, packing, causal=True)
    states = _add_and_normalise(layer.self_attn_layer_norm, states, attended, layer)
    attended, cross_attention = _cross_attention(layer.encoder_attn, states, packing, memory, source)
    states = _add_and_normalise(layer.encoder_attn_layer_norm, states, attended, layer)
    states = _add_and_normalise(layer.final_layer_norm, states, _feed_forward(layer, states), layer)
    return states, attention, cross_attention


def _feed_forward(layer: Layer, states: Tensor) -> Tensor:
    inner = layer.activation_fn(_linear(states, layer.fc1))
    return _linear(dropout(inner, layer.activation_dropout, layer.training), layer.fc2)


def _self_attention(
    attention: MarianAttention, states: Tensor, packing: Packing, *, causal: bool
) -> tuple[Tensor, Tensor | None]:
    projected = packing.pad(_linear(states, attention.q_proj, attention.k_proj, attention.v_proj))
    query, key, value = _heads(projected, attention, 3)
    # Padding stands on the right, after every token that may be asked for: the causal order hides it already.
    bias = None if causal else packing.bias(states.dtype)
    attended, distribution = _attend(attention, query, key, value, bias, causal=causal)
    return _linear(packing.pack(attended), attention.out_proj), distribution


def _cross_attention(
    attention: MarianAttention, states: Tensor, packing: Packing, memory: Tensor, source: Packing
) -> tuple[Tensor, Tensor | None]:
    (query,) = _heads(packing.pad(_linear(states, attention.q_proj)), attention, 1)
    key, value = _heads(source.pad(_linear(memory, attention.k_proj, attention.v_proj)), attention, 2)
    attended, distribution = _attend(attention, query, key, value, source.bias(states.dtype), causal=False)
    return _linear(packing.pack(attended), attention.out_proj), distribution


def _heads(projected: Tensor, attention: MarianAttention, parts: int) -> tuple[Tensor, ...]:
    """[batch, length, parts × d_model] → `parts` of [batch, heads, length, head]."""
    batch, length, _ = projected.shape
    return (
        projected.view(batch, length, parts, attention.num_heads, attention.head_dim).permute(2, 0, 3, 1, 4).unbind()
    )


def _attend(
    attention: MarianAttention, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, *, causal: bool
) -> tuple[Tensor, Tensor | None]:
    """Scaled dot-product attention, [batch, target, d_model]: torch's fused kernel, or two plain matrix products.

    With the latter also its distributions [batch, heads, target, source], before dropout.
    """
    probability = attention.dropout if attention.training else 0.0
    distribution = None
    if attention.config is not None and attention.config._attn_implementation == "sdpa":
        attended = functional.scaled_dot_product_attention(
            query, key, value, bias, probability, is_causal=causal, scale=attention.scaling
        )
    else:
        scores = (query * attention.scaling) @ key.transpose(2, 3)
        if causal:
            ahead = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu_(1)
            scores = scores.masked_fill_(ahead, float("-inf"))
        elif bias is not None:
            scores = scores.add_(bias)
        distribution = scores.softmax(dim=-1)
        attended = dropout(distribution, probability, attention.training) @ value
    return attended.transpose(1, 2).flatten(2), distribution


def _linear(states: Tensor, *layers: nn.Linear) -> Tensor:
    """One or more linear layers of the same input as one matrix product, outputs side by side."""
    weights = [layer.weight.to(states.dtype) for layer in layers]
    biases = [layer.bias.to(states.dtype) for layer in layers]
    if len(layers) == 1:
        return functional.linear(states, weights[0], biases[0])
    return functional.linear(states, torch.cat(weights), torch.cat(biases))


def _add_and_normalise(norm: nn.LayerNorm, states: Tensor, update: Tensor, layer: Layer) -> Tensor:
    states = states + dropout(update, layer.dropout, layer.training)
    if states.dtype == torch.float16:  # a sum beyond its range would become NaN in the norm
        states = states.clamp(-FP16_MOST, FP16_MOST)
    return functional.layer_norm(
        states, list(norm.normalized_shape), norm.weight.to(states.dtype), norm.bias.to(states.dtype), norm.eps
    )
