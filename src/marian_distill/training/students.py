"""Student models: their configs, their sizes, and the forward pass that ends in a loss instead of logits.

The architecture is `MarianMTModel` of transformers (Junczys-Dowmunt et al. 2018, "Marian"): post-norm, sinusoidal
positions, one embedding table for source, target and output.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassFieldValidationError
from torch import Tensor
from torch.distributed.tensor import DTensor
from transformers import MarianConfig, MarianMTModel

from marian_distill.errors import UserError
from marian_distill.files import read_json
from marian_distill.training.forward import decoder_states
from marian_distill.training.losses import IGNORED_LABEL, LossSums, Projection

POSITIONS = 512
BRANCH_GAIN = 0.1

Objective = Callable[[Projection, Tensor, Projection | None], LossSums]


class MarianStudent(MarianMTModel):
    """`MarianMTModel` that can hand its last states to an objective, so that no whole logits tensor is made.

    Saved and loaded as a plain `MarianMTModel`.
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *args: Any,
        objective: Objective | None = None,
        teacher: Projection | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """Like `MarianMTModel.forward`; with an `objective`, its `LossSums` over the labels that count.

        Args:
            objective: called with this model's projection, the labels [tokens] and the teacher's projection.
            teacher: the teacher's projection of the same tokens (see `decoder_projection`).
            labels: [batch, target], −100 where padded.
        """
        if objective is None:
            return super().forward(*args, labels=labels, **inputs)  # pyright: ignore[reportArgumentType]
        if labels is None:
            raise ValueError("an objective needs labels")
        active = labels != IGNORED_LABEL
        return objective(decoder_projection(self, active, **inputs), labels[active], teacher)

    def save_pretrained(self, *args: Any, **kwargs: Any) -> Any:
        """Save as the class that everyone has."""
        saved = super().save_pretrained(*args, **kwargs)
        directory = Path(kwargs.get("save_directory", args[0] if args else ""))
        if kwargs.get("is_main_process", True):
            self.config.architectures = [MarianMTModel.__name__]
            self.config.save_pretrained(directory)
        return saved


def decoder_projection(model: MarianMTModel, active: Tensor, **inputs: Tensor) -> Projection:
    """Run encoder and decoder; states of the active target tokens [tokens, d] with the projection's weight and bias.

    Args:
        model: student or teacher.
        active: [batch, target] bool, True where a label counts.
        inputs: input_ids, attention_mask [batch, source], decoder_input_ids [batch, target].
    """
    states = decoder_states(
        model, inputs["input_ids"], inputs["attention_mask"], inputs["decoder_input_ids"], target_mask=active
    )
    return Projection(states, model.lm_head.weight, model.final_logits_bias[0])


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


def load_config(path: str | Path) -> MarianConfig:
    """Read a student config (a MarianConfig JSON) and check it."""
    values = read_json(path)
    if not isinstance(values, dict) or values.get("model_type") != "marian":
        raise UserError(f"{path}: not a Marian config (expected a JSON object with model_type 'marian')")
    try:
        config = MarianConfig.from_dict(values)
    except StrictDataclassFieldValidationError as error:
        raise UserError(f"{path}: {error}") from error
    check_config(config, str(path))
    return config


def check_config(config: MarianConfig, name: str) -> None:
    """Refuse a config that cannot be built or exported; the message names the values."""
    for side, heads in (
        ("encoder_attention_heads", config.encoder_attention_heads),
        ("decoder_attention_heads", config.decoder_attention_heads),
    ):
        if heads < 1 or config.d_model % heads:
            raise UserError(f"{name}: {side} {heads} does not divide d_model {config.d_model}; choose one that does")
    for size in ("encoder_layers", "decoder_layers", "encoder_ffn_dim", "decoder_ffn_dim", "vocab_size", "d_model"):
        if getattr(config, size) < 1:
            raise UserError(f"{name}: {size} {getattr(config, size)}: expected 1 or more")
    if config.encoder_layerdrop or config.decoder_layerdrop:
        raise UserError(f"{name}: layerdrop is not supported; set encoder_layerdrop and decoder_layerdrop to 0")
    if not 0.0 <= config.dropout < 1.0:
        raise UserError(f"{name}: dropout {config.dropout}: expected a share in [0, 1)")
    if config.d_model % 2:
        raise UserError(f"{name}: d_model {config.d_model} is odd; sinusoidal positions need an even width")
    if config.pad_token_id != config.vocab_size - 1:
        raise UserError(
            f"{name}: pad_token_id {config.pad_token_id} is not the last of {config.vocab_size} ids; "
            "the CTranslate2 converter drops the last row as <pad>, so it must be last"
        )
    if config.max_position_embeddings < POSITIONS:
        raise UserError(f"{name}: max_position_embeddings {config.max_position_embeddings} is below {POSITIONS}")


def new_student(config: MarianConfig) -> MarianStudent:
    """A student with random weights: embeddings N(0, 1/d_model) so that scaled ones have unit variance.

    The linear layers are Glorot-uniform as in Marian, but what leaves a self-attention or feed-forward block is a
    tenth of that: a new layer then hands on almost what it was given. A post-norm stack of full-sized random layers
    blurs which token stood where, and cross-attention finds it again only thousands of updates later
    (docs/experiments.md). The idea is that of Bachlechner et al. 2020, "ReZero", https://arxiv.org/abs/2003.04887.
    The `<pad>` row is zero.
    """
    config.init_std = config.d_model**-0.5
    student = MarianStudent(config)
    for name, module in student.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not student.lm_head:
            ends_branch = name.endswith(("self_attn.out_proj", "fc2"))
            torch.nn.init.xavier_uniform_(module.weight, gain=BRANCH_GAIN if ends_branch else 1.0)
    zero_pad_row(student)
    return student


@torch.no_grad()
def zero_pad_row(model: MarianMTModel) -> None:
    """Set the `<pad>` embedding to zero: the engines start decoding from a zero vector.

    Where the rows are shared out among processes (`training.sharding`), the one that has it does.
    """
    weight, row = _embeddings(model), int(model.config.pad_token_id or 0)
    if isinstance(weight, DTensor):
        shares = torch.arange(len(weight)).chunk(weight.device_mesh.size())
        row -= sum(map(len, shares[: weight.device_mesh.get_local_rank()]))
        weight = weight.to_local()
    if 0 <= row < len(weight):
        weight[row].zero_()


def pad_row_norm(model: MarianMTModel, weights: Mapping[str, Tensor] | None = None) -> float:
    """Euclidean norm of the `<pad>` embedding in a model, or in its whole `weights`; 0.0 in a sound model."""
    embeddings = _embeddings(model) if weights is None else weights["model.shared.weight"]
    return float(embeddings.detach()[model.config.pad_token_id].norm())


def _embeddings(model: MarianMTModel) -> Tensor:
    return model.get_input_embeddings().weight  # pyright: ignore[reportReturnType]


def parameter_count(config: MarianConfig) -> int:
    """Parameters of a model with this config, tied ones once, positions included; no memory is spent."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in MarianMTModel(config).parameters())
