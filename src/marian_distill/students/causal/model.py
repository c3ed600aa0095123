"""The language model: `Qwen3ForCausalLM` of transformers, whose forward pass may end in a loss instead of logits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from marian_distill.errors import UserError
from marian_distill.students.causal.config import load_config
from marian_distill.training.losses import IGNORED_LABEL, LossSums, Projection

Objective = Callable[[Projection, Tensor, Projection | None], LossSums]


class CausalStudent(Qwen3ForCausalLM):
    """`Qwen3ForCausalLM` that can hand its last states to an objective, so that no whole logits tensor is made.

    Saved and loaded as a plain `Qwen3ForCausalLM`.
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *args: Any,
        objective: Objective | None = None,
        teacher: Projection | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """Like `Qwen3ForCausalLM.forward`; with an `objective`, its `LossSums` over the labels that count.

        Args:
            objective: called with this model's projection, the labels [tokens] and the teacher's projection.
            teacher: the teacher's projection of the same tokens.
            labels: [rows, length], −100 where nothing is learnt. With an objective, labels[i] is what follows
                input_ids[i]: they are not shifted once more.
        """
        if objective is None:
            return super().forward(*args, labels=labels, **inputs)  # pyright: ignore[reportArgumentType]
        if labels is None:
            raise ValueError("an objective needs labels")
        active = labels != IGNORED_LABEL
        projection = next_token_projection(self, active, inputs["input_ids"], inputs["position_ids"])
        return objective(projection, labels[active], teacher)

    def save_pretrained(self, *args: Any, **kwargs: Any) -> Any:
        """Save as the class that everyone has."""
        saved = super().save_pretrained(*args, **kwargs)
        if kwargs.get("is_main_process", True):
            self.config.architectures = [Qwen3ForCausalLM.__name__]
            self.config.save_pretrained(Path(kwargs.get("save_directory", args[0] if args else "")))
        return saved


def next_token_projection(
    model: Qwen3ForCausalLM, active: Tensor, input_ids: Tensor, position_ids: Tensor
) -> Projection:
    """States [tokens, d] before the tokens that count, with the projection's weight.

    Args:
        model: student or teacher.
        active: [rows, length] bool, True where a label counts.
        input_ids: [rows, length].
        position_ids: [rows, length]; samples of a row begin at 0 each. Without a mask and without a cache transformers
            takes that as the sign of packed samples, and none of them attends to another
            (`find_packed_sequence_indices` of its masking_utils).
    """
    outputs = model.model(input_ids=input_ids, position_ids=position_ids, use_cache=False)
    return Projection(outputs.last_hidden_state[active], model.lm_head.weight, model.lm_head.weight.new_zeros(1))


def new_model(config: Qwen3Config) -> CausalStudent:
    """A model with random weights."""
    model = CausalStudent(config)
    model.generation_config = GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    )
    return model


def load_model(folder: str | Path, device: str = "cpu") -> CausalStudent:
    """A language model in float32 from safetensors, in evaluation mode; no code of the folder runs.

    Raises:
        UserError: no such folder, no safetensors, another model_type, a tensor that is missing or not finite.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder}: no config.json there. Give a folder that scripts/train_causal_lm.py wrote.")
    load_config(folder / "config.json")
    if not any(folder.glob("model*.safetensors")):
        raise UserError(f"{folder}: no model.safetensors. Save the model with save_pretrained(); pickles are refused.")
    disable_progress_bar()
    set_verbosity_error()
    try:
        model, loading = CausalStudent.from_pretrained(  # pyright: ignore[reportGeneralTypeIssues]
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{folder}: cannot be loaded ({str(error).strip().splitlines()[0]})") from error
    for what in ("missing", "unexpected"):
        if tensors := sorted(loading[f"{what}_keys"]):
            raise UserError(f"{folder}: {len(tensors)} tensors are {what}, {tensors[0]} among them")
    for tensor, values in model.state_dict().items():
        if not values.isfinite().all():
            raise UserError(f"{folder}: the weights of {tensor} are not finite; train it again, with a lower rate")
    return model.to(device).eval()  # pyright: ignore[reportArgumentType]
