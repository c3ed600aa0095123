"""Start a liquid student from another model of its width: layer by layer, all that has the same shape.

A Marian model has all parts of a liquid one but convolution and cell, which stand where its decoder has
self-attention. What a cell gives is a tenth of what it is added to at first: such a student translates from the start.
"""

import re

import torch

from marian_distill.errors import UserError
from marian_distill.students.kind import InitPlan, InitReport
from marian_distill.students.layer_maps import parse_layer_map, spread_layers
from marian_distill.students.liquid.modeling import LiquidModel
from marian_distill.students.student import Student
from marian_distill.students.zero_pad import zero_pad_row

_LAYER = re.compile(r"^(encoder\.)?layers\.(\d+)\.(.+)$")
# What has to be alike, and where a teacher's config has it; what it lacks is alike.
_ALIKE = {
    "d_model": ("d_model",),
    "attention_heads": ("attention_heads", "encoder_attention_heads", "decoder_attention_heads"),
    "activation_function": ("activation_function",),
    "cell": ("cell",),
}
_BY_VOCABULARY = ("embeddings.weight", "encoder.embeddings.weight", "bias")


@torch.no_grad()
def initialise(student: LiquidModel, teacher: Student, plan: InitPlan) -> InitReport:
    """Copy what fits, in place.

    A tensor is *copied* when it keeps its name, *mapped* when its layer comes from a layer map, *skipped* when the
    teacher has none such, or its vocabulary, shape or cell's wiring differs. Without a map, equal layer counts keep
    their names and others are spread evenly.

    Raises:
        UserError: another width, other heads, another kind of cell; an option that Marian students alone have.
    """
    for option, asked in (("shrink", plan.shrink), ("pieces", plan.transfer_pieces)):
        if asked:
            raise UserError(f"--init-from-teacher-{option}: a liquid student takes tensors as they are; leave it out")
    for what, fields in _ALIKE.items():
        for field in fields:
            here, there = getattr(student.config, what), getattr(teacher.config, field, getattr(student.config, what))
            if here != there:
                raise UserError(
                    f"a liquid student with {what} {here!r} cannot start from a teacher with {field} {there!r}"
                )
    if not getattr(teacher.config, "scale_embedding", True):
        raise UserError("a liquid student scales its embeddings and cannot start from a teacher that does not")
    maps = {side: _layer_map(student, teacher, plan, side) for side in ("encoder", "decoder")}
    sources = {name: _source(name, maps) for name in student.state_dict()}
    given, report = teacher.parts(), InitReport()
    for name, tensor in student.state_dict().items():
        source, is_mapped = sources[name]
        cell = name.rpartition("cell.")[0]
        if source not in given:
            report.skipped[name] = f"a {teacher.config.model_type} model has none"
        elif name in _BY_VOCABULARY and not plan.same_vocabulary:
            report.skipped[name] = "vocabulary differs"
        elif tensor.shape != given[source].shape:
            report.skipped[name] = f"shape {list(given[source].shape)} → {list(tensor.shape)}"
        elif "cell." in name and not _same_wiring(student, teacher, cell, sources):
            report.skipped[name] = "the wiring differs"
        else:
            tensor.copy_(given[source])
            (report.mapped if is_mapped else report.copied).append(name)
    zero_pad_row(student)
    return report


def _layer_map(student: LiquidModel, teacher: Student, plan: InitPlan, side: str) -> list[int] | None:
    here, there = (getattr(model.config, f"{side}_layers") for model in (student, teacher))
    text = getattr(plan, f"{side}_layer_map")
    if text is not None:
        return parse_layer_map(text, here, there, side)
    return None if here == there else spread_layers(here, there)


def _source(name: str, maps: dict[str, list[int] | None]) -> tuple[str, bool]:
    """The teacher's name of a student's tensor, and whether a layer map chose it."""
    match = _LAYER.match(name)
    layer_map = maps["encoder" if match and match[1] else "decoder"] if match else None
    if match is None or layer_map is None:
        return name, False
    return f"{match[1] or ''}layers.{layer_map[int(match[2])]}.{match[3]}", True


def _same_wiring(student: LiquidModel, teacher: Student, prefix: str, sources: dict[str, tuple[str, bool]]) -> bool:
    """Whether the cell's buffers, which say where synapses are, are the teacher's."""
    given = dict(teacher.named_buffers())
    own = {name: buffer for name, buffer in student.named_buffers() if name.startswith(f"{prefix}cell.")}
    return all(torch.equal(buffer, given[sources[name][0]]) for name, buffer in own.items())
