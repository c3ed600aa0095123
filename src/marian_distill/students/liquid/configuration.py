"""Configs of liquid students, checked when they are read."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from transformers import PreTrainedConfig
from transformers.activations import ACT2FN

from marian_distill.errors import UserError

CELLS = ("cfc", "ltc", "gru", "ssru")
WIRED = ("cfc", "ltc")
POSITIONS = 512
# Of a saved model, beside its config's own fields.
ELSEWHERE = {"directions", "_name_or_path", "torch_dtype", "use_cache"}


@strict
class LiquidConfig(PreTrainedConfig):
    """What a liquid student is made of.

    Args:
        vocab_size: pieces and `<pad>` together; `<pad>` is the last id.
        d_model: width of embeddings and layers.
        encoder_layers, decoder_layers: how many of each.
        attention_heads: of self-attention in the encoder and of the decoder's attention over the encoder's output.
        ffn_dim: units of the feed-forward blocks.
        cell: `cfc`, `ltc`, `gru` or `ssru` (see `cells.py`).
        units: the cell's state; of a wired cell all neurons together. An `ssru` has `d_model`.
        motor_units: neurons of a wired cell that the layer reads.
        sparsity: share of the wiring's synapses that are left out.
        wiring_seed: seed of the wiring.
        ode_unfolds: solver steps a token of an `ltc`.
        window: tokens that the convolution in front of the cell sees, the current one included.
        activation_function: of the feed-forward blocks, by its name in transformers.
        dropout: share of what each block adds that is dropped while training.
        max_position_embeddings: tokens of a source or target at most.
    """

    model_type = "liquid"
    keys_to_ignore_at_inference = ["past_key_values"]  # noqa: RUF012
    attribute_map = {  # noqa: RUF012
        "hidden_size": "d_model",
        "num_attention_heads": "attention_heads",
        "num_hidden_layers": "encoder_layers",
    }

    vocab_size: int = 8001
    d_model: int = 256
    encoder_layers: int = 3
    decoder_layers: int = 1
    attention_heads: int = 4
    ffn_dim: int = 1024
    cell: str = "cfc"
    units: int = 256
    motor_units: int = 76
    sparsity: float | int = 0.5
    wiring_seed: int = 22222
    ode_unfolds: int = 6
    window: int = 4
    activation_function: str = "swish"
    dropout: float | int = 0.0
    max_position_embeddings: int = POSITIONS
    is_encoder_decoder: bool = True
    tie_word_embeddings: bool = True
    pad_token_id: int | None = 8000
    decoder_start_token_id: int = 8000
    eos_token_id: int | list[int] | None = 0
    bos_token_id: int | None = None


def read_config(values: Mapping[str, Any], where: str) -> LiquidConfig:
    """A checked config from what a JSON file holds; a `UserError` that begins with `where` when it cannot be."""
    if unknown := sorted(values.keys() - LiquidConfig().to_dict().keys() - ELSEWHERE):
        raise UserError(f"{where}: a liquid student has no {unknown[0]!r}; remove it, or give another model_type")
    try:
        config = LiquidConfig.from_dict(dict(values))
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise UserError(f"{where}: {' '.join(str(error).split())}") from error
    check_config(config, where)
    return config


def new_config(
    *, d_model: int, cell: str = "cfc", units: int | None = None, motor_units: int | None = None, **sizes: Any
) -> LiquidConfig:
    """A checked config with `<pad>` last; by default as many units as dimensions, three tenths of them motor ones.

    Args:
        d_model, cell, units, motor_units: see `LiquidConfig`.
        sizes: other fields of it, `vocab_size` among them.
    """
    sizes = {"dropout": 0.1, **sizes}
    units, pad = units or d_model, sizes["vocab_size"] - 1
    cells = {"cell": cell, "units": units, "motor_units": motor_units or 3 * units // 10}
    ids = {"pad_token_id": pad, "decoder_start_token_id": pad}
    return read_config(
        {"d_model": d_model, **cells, **sizes, **ids, "architectures": ["LiquidModel"]}, "student config"
    )


def check_config(config: LiquidConfig, where: str) -> None:
    """Refuse a config that cannot be built or exported; the message names the values."""
    if config.cell not in CELLS:
        raise UserError(f"{where}: cell {config.cell!r}: expected {', '.join(CELLS)}")
    for size in ("vocab_size", "d_model", "encoder_layers", "decoder_layers", "ffn_dim", "units", "window"):
        if getattr(config, size) < 1:
            raise UserError(f"{where}: {size} {getattr(config, size)}: expected 1 or more")
    if config.attention_heads < 1 or config.d_model % config.attention_heads:
        raise UserError(
            f"{where}: attention_heads {config.attention_heads} does not divide d_model {config.d_model}; "
            "choose one that does"
        )
    if config.d_model % 2:
        raise UserError(f"{where}: d_model {config.d_model} is odd; sinusoidal positions need an even width")
    if config.activation_function not in ACT2FN:
        raise UserError(f"{where}: activation_function {config.activation_function!r}: transformers has none such")
    if config.cell in WIRED:
        _check_wiring(config, where)
    if not 0.0 <= config.dropout < 1.0:
        raise UserError(f"{where}: dropout {config.dropout}: expected a share in [0, 1)")
    if config.pad_token_id != config.vocab_size - 1 or config.decoder_start_token_id != config.pad_token_id:
        raise UserError(
            f"{where}: pad_token_id {config.pad_token_id} and decoder_start_token_id {config.decoder_start_token_id}: "
            f"expected both to be the last of {config.vocab_size} ids, {config.vocab_size - 1}"
        )
    if config.max_position_embeddings < POSITIONS:
        raise UserError(f"{where}: max_position_embeddings {config.max_position_embeddings} is below {POSITIONS}")


def _check_wiring(config: LiquidConfig, where: str) -> None:
    """What `ncps.wirings.AutoNCP` and its solver ask for."""
    if not 1 <= config.motor_units < config.units - 2:
        raise UserError(
            f"{where}: motor_units {config.motor_units} of {config.units} units: expected at least 1, and 3 "
            "fewer than the units (about three tenths of them is usual)"
        )
    if not 0.1 <= config.sparsity < 1.0:
        raise UserError(f"{where}: sparsity {config.sparsity}: expected a share in [0.1, 1)")
    if config.cell == "ltc" and config.ode_unfolds < 1:
        raise UserError(f"{where}: ode_unfolds {config.ode_unfolds}: expected 1 or more")
