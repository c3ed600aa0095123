"""Weights of a Marian model by the names of the parts that any encoder-decoder student of the house has."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_LAYER = re.compile(r"^model\.(encoder|decoder)\.layers\.(\d+)\.(.+)\.(weight|bias)$")
_STACKS = {"encoder": "encoder.layers", "decoder": "layers"}
# Of a layer: what reads the memory, and the norms. A decoder's self-attention is Marian's own affair.
_BLOCKS = {
    "encoder": {"self_attn": "attention", "self_attn_layer_norm": "after_attention.norm"},
    "decoder": {
        "encoder_attn": "attention",
        "self_attn_layer_norm": "after_cell.norm",
        "encoder_attn_layer_norm": "after_attention.norm",
    },
}
_FEED_FORWARD = {
    "fc1": "feed_forward.inner",
    "fc2": "feed_forward.outer",
    "final_layer_norm": "after_feed_forward.norm",
}
_PROJECTIONS = {"q_proj": "queries", "k_proj": "keys", "v_proj": "values", "out_proj": "output"}


def parts_of(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parts of a model's state dict; keys and values of an attention, which are read together, stand in one tensor."""
    embeddings = weights["model.shared.weight"]
    parts = {"embeddings.weight": embeddings, "encoder.embeddings.weight": embeddings}
    parts["bias"] = weights["final_logits_bias"][0]
    for name, tensor in weights.items():
        if (match := _LAYER.match(name)) and (part := _part(match[1], match[3])):
            parts[f"{_STACKS[match[1]]}.{match[2]}.{part}.{match[4]}"] = tensor
    for name in [name for name in parts if ".keys." in name]:
        keys, values = parts.pop(name), parts.pop(name.replace(".keys.", ".values."))
        parts[name.replace(".keys.", ".keys_values.")] = torch.cat([keys, values])
    return parts


def _part(stack: str, name: str) -> str | None:
    """`self_attn.q_proj` of an encoder → `attention.queries`; None of what other kinds lack."""
    block, _, projection = name.partition(".")
    part = (_BLOCKS[stack] | _FEED_FORWARD).get(block)
    return f"{part}.{_PROJECTIONS[projection]}" if part and projection else part
