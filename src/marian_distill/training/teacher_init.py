"""Start a student from its teacher's weights, layer by layer.

Taking every n-th layer of the teacher follows Shleifer & Rush 2020, "Pre-trained Summarization Distillation"
(shrink and fine-tune), and Sanh et al. 2019, "DistilBERT".
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import torch
from transformers import MarianMTModel

from marian_distill.errors import UserError

_LAYER = re.compile(r"^model\.(encoder|decoder)\.layers\.(\d+)\.(.+)$")
_BY_VOCABULARY = re.compile(r"^(model\.shared|model\.(encoder|decoder)\.embed_tokens|lm_head|final_logits_bias)\b")


@dataclass
class InitReport:
    """Names of the student's tensors by where they came from."""

    copied: list[str] = field(default_factory=list)
    mapped: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for the log."""
        return f"{len(self.copied)} tensors copied, {len(self.mapped)} mapped, {len(self.skipped)} skipped"

    def as_dict(self) -> dict[str, object]:
        """For JSON: counts and names."""
        counts = {"copied": len(self.copied), "mapped": len(self.mapped), "skipped": len(self.skipped)}
        return {"counts": counts, **asdict(self)}


def parse_layer_map(text: str, student_layers: int, teacher_layers: int, side: str) -> list[int]:
    """Teacher layer of each student layer, from an option such as `0,5`.

    Args:
        text: comma-separated teacher layers, counted from 0.
        student_layers, teacher_layers: how many there are.
        side: "encoder" or "decoder", for the message.
    """
    try:
        layers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"{side} layer map {text!r}: expected teacher layers such as 0,5") from error
    if len(layers) != student_layers:
        raise UserError(
            f"{side} layer map {text!r}: {len(layers)} layers given, but the student's {side} has {student_layers}"
        )
    outside = [layer for layer in layers if not 0 <= layer < teacher_layers]
    if outside:
        raise UserError(
            f"{side} layer map {text!r}: layer {outside[0]} is not one of the teacher's 0..{teacher_layers - 1}"
        )
    return layers


def spread_layers(student_layers: int, teacher_layers: int) -> list[int]:
    """Evenly spaced teacher layers, the first and the last among them."""
    if student_layers == 1:
        return [teacher_layers - 1]
    return [round(index * (teacher_layers - 1) / (student_layers - 1)) for index in range(student_layers)]


@torch.no_grad()
def init_from_teacher(
    student: MarianMTModel,
    teacher: MarianMTModel,
    *,
    same_vocabulary: bool,
    encoder_layer_map: Sequence[int] | None = None,
    decoder_layer_map: Sequence[int] | None = None,
) -> InitReport:
    """Copy what fits from the teacher into the student, in place.

    A tensor is *copied* when it keeps its name, *mapped* when its layer comes from a layer map, *skipped* when the
    vocabulary or the shape differs. Without a map, equal layer counts keep their names and others are spread evenly.

    Args:
        student: changed in place.
        teacher: source of the weights.
        same_vocabulary: whether both give the same id to every piece; else embeddings, output and bias are skipped.
        encoder_layer_map, decoder_layer_map: teacher layer of each student layer.
    """
    maps: dict[str, Sequence[int] | None] = {"encoder": encoder_layer_map, "decoder": decoder_layer_map}
    for side in ("encoder", "decoder"):
        layers = [getattr(model.config, f"{side}_layers") for model in (student, teacher)]
        if maps[side] is None and layers[0] != layers[1]:
            maps[side] = spread_layers(*layers)
    report = InitReport()
    # A checkpoint may leave out tied tensors; the state dict of a built model has every name.
    teacher_tensors = teacher.state_dict()
    for name, tensor in student.state_dict().items():
        source_name, is_mapped = _teacher_name(name, maps)
        source = teacher_tensors[source_name]
        if _BY_VOCABULARY.match(name) and not same_vocabulary:
            report.skipped[name] = "vocabulary differs"
        elif source.shape != tensor.shape:
            report.skipped[name] = f"shape {list(source.shape)} → {list(tensor.shape)}"
        else:
            tensor.copy_(source)
            (report.mapped if is_mapped else report.copied).append(name)
    return report


def _teacher_name(name: str, maps: dict[str, Sequence[int] | None]) -> tuple[str, bool]:
    match = _LAYER.match(name)
    if match is None:
        return name, False
    side, index, rest = match.groups()
    layer_map = maps[side]
    if layer_map is None:
        return name, False
    return f"model.{side}.layers.{layer_map[int(index)]}.{rest}", True
