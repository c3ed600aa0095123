"""The one way in which a Marian model is loaded: from safetensors, whole, nothing else, every number finite."""

from pathlib import Path
from typing import TypeVar

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import MarianConfig, MarianMTModel
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from marian_distill.errors import UserError
from marian_distill.files import read_json_object

Model = TypeVar("Model", bound=MarianMTModel)


def load_marian(name: str | Path, kind: type[Model] = MarianMTModel, device: str = "cpu") -> Model:
    """A Marian model in float32, whatever it is stored in, in evaluation mode; no code of the folder runs.

    Args:
        name: a local folder, or a model's name on the hub.
        kind: the class that it becomes.
        device: a torch device.

    Raises:
        UserError: no such model, no safetensors, a config that no model has; a tensor that is missing, unexpected, of
            another shape, cut off, or not finite.
    """
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"device {device!r}: this machine has none that torch can use; give cpu")
    folder = Path(name)
    if folder.is_dir():
        read_config(folder)
        if not any(folder.glob("model*.safetensors")):
            raise UserError(
                f"{name}: no model.safetensors. Save the model with save_pretrained(); pickles are refused."
            )
    disable_progress_bar()  # of loading, which takes a moment
    set_verbosity_error()  # its report of what is missing is pages; ours is a line
    try:
        model, loading = kind.from_pretrained(  # pyright: ignore[reportGeneralTypeIssues]
            name, dtype=torch.float32, use_safetensors=True, local_files_only=folder.is_dir(), output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{name}: no Marian model in safetensors there ({reason})") from error
    for what in ("missing", "unexpected"):
        if tensors := sorted(loading[f"{what}_keys"]):
            where = "from" if what == "missing" else "in"
            raise UserError(f"{name}: {len(tensors)} tensors are {what} {where} the file, {tensors[0]} among them")
    for tensor, values in model.state_dict().items():
        if not values.isfinite().all():
            raise UserError(f"{name}: the weights of {tensor} are not finite; train it again, with a lower rate")
    return model.to(device).eval()


def read_config(folder: str | Path) -> MarianConfig:
    """config.json of a local folder; `UserError` when it is none of a Marian model."""
    path = Path(folder) / "config.json"
    values = read_json_object(path)
    if values.get("model_type") != "marian":
        raise UserError(f"{path}: model_type {values.get('model_type')!r}, expected 'marian'")
    try:
        return MarianConfig.from_dict(values)
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise UserError(f"{path}: {str(error).strip()}") from error
