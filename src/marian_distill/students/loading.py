"""The one way in which a model is loaded: from safetensors, whole, nothing else, every number finite."""

from pathlib import Path

import torch
from huggingface_hub.errors import HFValidationError, StrictDataclassError
from safetensors import SafetensorError
from transformers import PreTrainedConfig
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from marian_distill.errors import UserError
from marian_distill.students.kind import AnyKind, kind_of, read_folder_config
from marian_distill.students.student import Student


def load_student(name: str | Path, device: str = "cpu") -> Student:
    """A model of any kind in float32, whatever it is stored in, in evaluation mode; no code of the folder runs.

    Args:
        name: a local folder, or a model's name on the hub.
        device: a torch device.

    Raises:
        UserError: no such model, no safetensors, a config that no kind has; a tensor that is missing, unexpected, of
            another shape, cut off, or not finite.
    """
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"device {device!r}: this machine has none that torch can use; give cpu")
    folder = Path(name)
    kind = find_kind(name)
    if folder.is_dir() and not any(folder.glob("model*.safetensors")):
        raise UserError(f"{name}: no model.safetensors. Save the model with save_pretrained(); pickles are refused.")
    disable_progress_bar()  # of loading, which takes a moment
    set_verbosity_error()  # its report of what is missing is pages; ours is a line
    try:
        model, loading = kind.student.from_pretrained(  # pyright: ignore[reportGeneralTypeIssues]
            name, dtype=torch.float32, use_safetensors=True, local_files_only=folder.is_dir(), output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{name}: no {kind.name} model in safetensors there ({reason})") from error
    for what in ("missing", "unexpected"):
        if tensors := sorted(loading[f"{what}_keys"]):
            where = "from" if what == "missing" else "in"
            raise UserError(f"{name}: {len(tensors)} tensors are {what} {where} the file, {tensors[0]} among them")
    for tensor, values in model.state_dict().items():
        if not values.isfinite().all():
            raise UserError(f"{name}: the weights of {tensor} are not finite; train it again, with a lower rate")
    return model.to(device).eval()


def find_kind(name: str | Path) -> AnyKind:
    """The kind of the model in a local folder, whose config is checked to be one of its kind, or on the hub."""
    return read_model_config(name)[0]


def read_model_config(name: str | Path) -> tuple[AnyKind, PreTrainedConfig]:
    """The config of the model in a local folder or on the hub, as its kind reads it, and that kind."""
    path = Path(name) / "config.json"
    if Path(name).is_dir():
        values, where = read_folder_config(name), str(path)
    else:
        where = str(name)
        try:
            values, _ = PreTrainedConfig.get_config_dict(name)
        except (OSError, ValueError, HFValidationError) as error:
            reason = str(error).strip().splitlines()[0]
            raise UserError(f"{name}: no model there ({reason})") from error
    kind = kind_of(values.get("model_type"), where)
    return kind, kind.read_config(values, where)
