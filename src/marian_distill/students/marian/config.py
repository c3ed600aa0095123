"""Configs of Marian students: made, read and checked; and what a model of one would compute."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import MarianConfig, MarianMTModel
from transformers.activations import ACT2FN

from marian_distill.errors import UserError

POSITIONS = 512


def student_config(
    *,
    d_model: int,
    encoder_layers: int,
    decoder_layers: int,
    attention_heads: int,
    ffn_dim: int,
    vocab_size: int,
    dropout: float = 0.1,
    activation_function: str = "swish",
    eos_token_id: int = 0,
    like: MarianConfig | None = None,
) -> MarianConfig:
    """A Marian config with `<pad>` last, tied embeddings and 512 positions.

    Args:
        d_model: width; `attention_heads` must divide it and it must be even (sine and cosine halves).
        vocab_size: pieces and `<pad>` together.
        like: another config whose activation function and embedding scale are taken over (a teacher's).
    """
    if like is not None:
        activation_function, eos_token_id = like.activation_function, like.eos_token_id  # pyright: ignore[reportAssignmentType]
    config = MarianConfig(
        vocab_size=vocab_size,
        decoder_vocab_size=vocab_size,
        d_model=d_model,
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=attention_heads,
        decoder_attention_heads=attention_heads,
        encoder_ffn_dim=ffn_dim,
        decoder_ffn_dim=ffn_dim,
        max_position_embeddings=POSITIONS,
        activation_function=activation_function,
        dropout=dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        scale_embedding=True if like is None else like.scale_embedding,
        pad_token_id=vocab_size - 1,
        decoder_start_token_id=vocab_size - 1,
        eos_token_id=eos_token_id,
        forced_eos_token_id=None,
        bos_token_id=None,
        architectures=[MarianMTModel.__name__],
    )
    check_config(config, "student config")
    return config


def read_config(values: Mapping[str, Any], where: str) -> MarianConfig:
    """A config from what a JSON file holds, checked to be one; `UserError` when transformers cannot take it."""
    try:
        return MarianConfig.from_dict(dict(values))
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise UserError(f"{where}: {str(error).strip()}") from error


def check_config(config: MarianConfig, where: str) -> None:
    """Refuse a config that cannot be built or exported; the message names the values."""
    for side, heads in (
        ("encoder_attention_heads", config.encoder_attention_heads),
        ("decoder_attention_heads", config.decoder_attention_heads),
    ):
        if heads < 1 or config.d_model % heads:
            raise UserError(f"{where}: {side} {heads} does not divide d_model {config.d_model}; choose one that does")
    for size in ("encoder_layers", "decoder_layers", "encoder_ffn_dim", "decoder_ffn_dim", "vocab_size", "d_model"):
        if getattr(config, size) < 1:
            raise UserError(f"{where}: {size} {getattr(config, size)}: expected 1 or more")
    if config.activation_function not in ACT2FN:
        raise UserError(f"{where}: activation_function {config.activation_function!r}: transformers has none such")
    if config.encoder_layerdrop or config.decoder_layerdrop:
        raise UserError(f"{where}: layerdrop is not supported; set encoder_layerdrop and decoder_layerdrop to 0")
    if not 0.0 <= config.dropout < 1.0:
        raise UserError(f"{where}: dropout {config.dropout}: expected a share in [0, 1)")
    if config.d_model % 2:
        raise UserError(f"{where}: d_model {config.d_model} is odd; sinusoidal positions need an even width")
    if config.pad_token_id != config.vocab_size - 1:
        raise UserError(
            f"{where}: pad_token_id {config.pad_token_id} is not the last of {config.vocab_size} ids; "
            "the CTranslate2 converter drops the last row as <pad>, so it must be last"
        )
    if config.max_position_embeddings < POSITIONS:
        raise UserError(f"{where}: max_position_embeddings {config.max_position_embeddings} is below {POSITIONS}")


def forward_operations(config: MarianConfig, source_tokens: float, target_tokens: float) -> float:
    """Multiplications and additions of the matrix products of one forward pass; training takes three times as many.

    Attention's own products (scores, weighted sums) are left out: of short sequences they are a hundredth.
    """
    d = config.d_model
    encoder = config.encoder_layers * (4 * d * d + 2 * d * config.encoder_ffn_dim)
    memory = config.decoder_layers * 2 * d * d  # keys and values of the cross-attention
    decoder = config.decoder_layers * (6 * d * d + 2 * d * config.decoder_ffn_dim) + d * config.vocab_size
    return 2.0 * ((encoder + memory) * source_tokens + decoder * target_tokens)
