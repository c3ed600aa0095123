"""The kinds of students that there are, found by a config's `model_type`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig

from marian_distill.errors import UserError
from marian_distill.files import read_json_object
from marian_distill.students.kind import AnyKind, Export

# By what an exported model is known.
EXPORTED = {"model.bin": "a CTranslate2 folder", "bundle.json": "a bundle"}


def _marian() -> AnyKind:
    from marian_distill.students.marian.kind import Marian

    return Marian()


def _liquid() -> AnyKind:
    from marian_distill.students.liquid.kind import Liquid

    return Liquid()


def _causal() -> AnyKind:
    from marian_distill.students.causal.kind import Causal

    return Causal()


KINDS: dict[str, Callable[[], AnyKind]] = {"marian": _marian, "liquid": _liquid, "qwen3": _causal}


def kind_of(model_type: object, where: str = "config") -> AnyKind:
    """The kind that a config's `model_type` names; a `UserError` that names those there are, if none."""
    if not isinstance(model_type, str) or model_type not in KINDS:
        raise UserError(f"{where}: model_type {model_type!r}; the kinds of students are {', '.join(KINDS)}")
    return KINDS[model_type]()


def kind_of_folder(model_dir: str | Path, export: Export | None = None) -> AnyKind:
    """The kind of the model in a local folder; `UserError` where it does not have the `export` that is asked for."""
    kind = kind_of(read_folder_config(model_dir).get("model_type"), str(Path(model_dir) / "config.json"))
    if export is not None:
        check_export(kind, export, str(model_dir))
    return kind


def read_folder_config(model_dir: str | Path) -> dict[str, Any]:
    """config.json of a Hugging Face folder; `UserError` for the folder of an exported model."""
    for file, what in EXPORTED.items():
        if (Path(model_dir) / file).is_file():
            raise UserError(f"{model_dir}: {what}; give the Hugging Face folder that it was exported from")
    return read_json_object(Path(model_dir) / "config.json")


def check_export(kind: AnyKind, export: Export, where: str) -> None:
    """`UserError` where a kind lacks an export; it names those that it has."""
    if export not in kind.exports:
        raise UserError(
            f"{where}: a {kind.name} student has no {export} export; it has {', '.join(sorted(kind.exports))}"
        )


def read_student_config(path: str | Path) -> tuple[AnyKind, PreTrainedConfig]:
    """A student config (a JSON file with a `model_type`), checked, and its kind."""
    values = read_json_object(path)
    kind = kind_of(values.get("model_type"), str(path))
    config = kind.read_config(values, str(path))
    kind.check_config(config, str(path))
    return kind, config


def parameter_count(config: PreTrainedConfig) -> int:
    """Parameters of a student with this config, tied ones once; no memory is spent."""
    with torch.device("meta"):
        student = kind_of(config.model_type).student(config)
    return sum(parameter.numel() for parameter in student.parameters())
