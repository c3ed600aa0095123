"""Configs of the language model: `Qwen3Config` of transformers, checked before anything is built.

Qwen3 (https://arxiv.org/abs/2505.09388): grouped queries, rotary positions, SwiGLU, RMSNorm, also on queries and keys.
"""

from collections.abc import Mapping
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import Qwen3Config, Qwen3ForCausalLM

from marian_distill.errors import UserError

SIZES = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "max_position_embeddings"),
)
SHORTEST_CONTEXT, CONTEXT = 16, 1024


def read_config(values: Mapping[str, Any], where: str) -> Qwen3Config:
    """A checked config of JSON values; a `UserError` that begins with `where` when it cannot be built or exported."""
    try:
        config = Qwen3Config.from_dict(dict(values))
    except (StrictDataclassError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{where}: {' '.join(str(error).split())}") from error
    check_config(config, where)
    return config


def check_config(config: Qwen3Config, where: str) -> None:
    """Refuse a config that cannot be built, or that CTranslate2 would run otherwise; the message names the value."""
    for size in SIZES:
        if (getattr(config, size) or 0) < 1:
            raise UserError(f"{where}: {size} {getattr(config, size)}: expected 1 or more")
    if config.num_attention_heads % (config.num_key_value_heads or 1):
        raise UserError(
            f"{where}: num_key_value_heads {config.num_key_value_heads} does not divide num_attention_heads "
            f"{config.num_attention_heads}; choose one that does"
        )
    if config.max_position_embeddings < SHORTEST_CONTEXT:
        raise UserError(
            f"{where}: max_position_embeddings {config.max_position_embeddings} is below {SHORTEST_CONTEXT}"
        )
    rope = config.rope_parameters or {}
    if rope.get("rope_type", "default") != "default":
        raise UserError(f"{where}: rope_type {rope.get('rope_type')!r}: expected 'default'; others are not exported")
    for field, value in (("hidden_act", "silu"), ("use_sliding_window", False)):
        if getattr(config, field) != value:
            raise UserError(f"{where}: {field} {getattr(config, field)!r}: expected {value!r}, as CTranslate2 has it")
    if not 0.0 <= config.attention_dropout < 1.0:
        raise UserError(f"{where}: attention_dropout {config.attention_dropout}: expected a share in [0, 1)")


def new_config(
    *,
    d_model: int,
    decoder_layers: int,
    attention_heads: int,
    ffn_dim: int,
    vocab_size: int,
    key_value_heads: int | None = None,
) -> Qwen3Config:
    """A checked config like those of student_configs/: `CONTEXT` tokens, tied embeddings.

    Args:
        d_model: width; heads share it out.
        decoder_layers, attention_heads, ffn_dim, vocab_size: as of the other kinds.
        key_value_heads: heads of keys and values, each of which serves several of queries; by default as many.
    """
    values = {
        "vocab_size": vocab_size,
        "hidden_size": d_model,
        "intermediate_size": ffn_dim,
        "num_hidden_layers": decoder_layers,
        "num_attention_heads": attention_heads,
        "num_key_value_heads": key_value_heads or attention_heads,
        "head_dim": d_model // max(attention_heads, 1),
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        "architectures": [Qwen3ForCausalLM.__name__],
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0),
    }
    return read_config(values, "student config")


def forward_operations(config: Qwen3Config, tokens: float) -> float:
    """Multiplications and additions of the matrix products of one forward pass over so many tokens.

    Attention's own products are left out, as in `training.speed`.
    """
    d, head = config.hidden_size, config.head_dim
    attention = d * head * (2 * config.num_attention_heads + 2 * (config.num_key_value_heads or 1))
    layer = attention + 3 * d * config.intermediate_size
    return 2.0 * (config.num_hidden_layers * layer + d * config.vocab_size) * tokens
