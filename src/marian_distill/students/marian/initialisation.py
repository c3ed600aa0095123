"""Start a student from its teacher's weights: layer by layer, narrower, with another vocabulary.

Taking every n-th layer of the teacher follows Shleifer & Rush 2020, "Pre-trained Summarization Distillation"
(shrink and fine-tune), and Sanh et al. 2019, "DistilBERT". A narrower student takes some of the teacher's dimensions
(Xu et al. 2024, "Initializing Models with Larger Ones", https://arxiv.org/abs/2311.18823). A new piece starts as the
mean of the teacher's rows for its text, the plain case of Minixhofer et al. 2022, "WECHSEL",
https://arxiv.org/abs/2112.06598.
"""

import logging
import re
from collections.abc import Sequence

import sentencepiece
import torch
from torch import Tensor
from transformers import MarianConfig, MarianMTModel

from marian_distill.errors import UserError
from marian_distill.pieces import EOS, PAD, UNK, SentencePieceTokenizer, is_tag
from marian_distill.students.kind import InitPlan, InitReport
from marian_distill.students.layer_maps import parse_layer_map, spread_layers
from marian_distill.students.zero_pad import zero_pad_row

logger = logging.getLogger(__name__)

_LAYER = re.compile(r"^model\.(encoder|decoder)\.layers\.(\d+)\.(.+)$")
_BLOCK = re.compile(r"^model\.(encoder|decoder)\.layers\.\d+\.(?:(fc)[12]|\w+_attn\.\w+_proj)\.")
_BY_VOCABULARY = re.compile(r"^(model\.shared|model\.(encoder|decoder)\.embed_tokens|lm_head|final_logits_bias)\b")


def initialise(student: MarianMTModel, teacher: MarianMTModel, plan: InitPlan) -> InitReport:
    """Start a student as the options ask for: `init_from_teacher` with layer maps and pieces looked up."""
    layers = {}
    for side in ("encoder", "decoder"):
        text = getattr(plan, f"{side}_layer_map")
        here, there = (getattr(model.config, f"{side}_layers") for model in (student, teacher))
        layers[f"{side}_layer_map"] = None if text is None else parse_layer_map(text, here, there, side)
    by_piece = plan.transfer_pieces and not plan.same_vocabulary
    report = init_from_teacher(
        student,
        teacher,
        same_vocabulary=plan.same_vocabulary,
        shrink=plan.shrink,
        piece_rows=teacher_rows(plan.pieces, plan.teacher_pieces) if by_piece else None,
        **layers,
    )
    zero_pad_row(student)
    return report


@torch.no_grad()
def init_from_teacher(
    student: MarianMTModel,
    teacher: MarianMTModel,
    *,
    same_vocabulary: bool,
    encoder_layer_map: Sequence[int] | None = None,
    decoder_layer_map: Sequence[int] | None = None,
    shrink: bool = False,
    piece_rows: Sequence[Sequence[int]] | None = None,
) -> InitReport:
    """Copy what fits from the teacher into the student, in place.

    A tensor is *copied* when it keeps its name, *mapped* when its layer comes from a layer map, *shrunk* when it takes
    some of the teacher's dimensions, *transferred* when its rows are means of the teacher's, *skipped* when the
    vocabulary differs or the student would compute something else with it (see `misfits`). Without a map, equal layer
    counts keep their names and others are spread evenly.

    Args:
        student: changed in place.
        teacher: source of the weights.
        same_vocabulary: whether both give the same id to every piece; else embeddings, output and bias are skipped.
        encoder_layer_map, decoder_layer_map: teacher layer of each student layer.
        shrink: let a narrower student take the teacher's dimensions that `Selection` chooses.
        piece_rows: the teacher's ids of which each of the student's pieces is the mean (see `teacher_rows`).

    Raises:
        UserError: another width, without `shrink` or wider than the teacher.
    """
    unfit = misfits(student.config, teacher.config, shrink=shrink)
    for what, reason in unfit.items():
        logger.warning("not taken from the teacher, hence random: %s (%s)", what, reason)
    maps: dict[str, Sequence[int] | None] = {"encoder": encoder_layer_map, "decoder": decoder_layer_map}
    for side in ("encoder", "decoder"):
        layers = [getattr(model.config, f"{side}_layers") for model in (student, teacher)]
        if maps[side] is None and layers[0] != layers[1]:
            maps[side] = spread_layers(*layers)
    report = InitReport()
    # A checkpoint may leave out tied tensors; the state dict of a built model has every name.
    teacher_tensors = teacher.state_dict()
    selection = Selection(student, teacher) if shrink else None
    for name, tensor in student.state_dict().items():
        source_name, is_mapped = _teacher_name(name, maps)
        source = teacher_tensors[source_name]
        by_piece = _BY_VOCABULARY.match(name) is not None and not same_vocabulary
        if by_piece and piece_rows is None:
            report.skipped[name] = "vocabulary differs"
            continue
        if reason := unfit.get(_part_of(name)):
            report.skipped[name] = reason
            continue
        if "embed_positions" in name and source.shape != tensor.shape:
            report.skipped[name] = "positions are computed, not learnt"
            continue
        narrowed = selection is not None and selection.narrows(source_name)
        if selection is not None and narrowed:
            source = selection.take(source_name, source)
        if by_piece and piece_rows is not None:
            source = _means(source, piece_rows, tensor)
        if source.shape != tensor.shape:
            report.skipped[name] = f"shape {list(source.shape)} → {list(tensor.shape)}"
            continue
        tensor.copy_(source)
        kind = report.transferred if by_piece else report.shrunk if narrowed else None
        (kind if kind is not None else report.mapped if is_mapped else report.copied).append(name)
    if report.transferred and piece_rows is not None:
        sizes = [len(rows) for rows in piece_rows]
        report.pieces = {
            "one row": sizes.count(1),
            "mean of several": sum(size > 1 for size in sizes),
            "new": sizes.count(0),
        }
    return report


def misfits(student: MarianConfig, teacher: MarianConfig, *, shrink: bool) -> dict[str, str]:
    """Parts of a model that mean something else in the student, though shapes may be equal, and why.

    Parts are `embeddings`, `encoder attention`, `encoder feed-forward` and the decoder's two.

    Raises:
        UserError: another width, without `shrink` or wider than the teacher.
    """
    if student.d_model > teacher.d_model or (student.d_model < teacher.d_model and not shrink):
        advice = (
            "" if student.d_model > teacher.d_model else "; --init-from-teacher-shrink takes some of its dimensions"
        )
        raise UserError(
            f"a student of width {student.d_model} cannot start from a teacher of width {teacher.d_model}{advice}"
        )
    found = {}
    if student.scale_embedding != teacher.scale_embedding:
        found["embeddings"] = f"scale_embedding {student.scale_embedding}, the teacher's {teacher.scale_embedding}"
    for side in ("encoder", "decoder"):
        heads, width = (
            [getattr(config, f"{side}_{name}") for config in (student, teacher)]
            for name in ("attention_heads", "ffn_dim")
        )
        if heads[0] != heads[1] and student.d_model == teacher.d_model:  # a narrower student takes whole heads
            found[f"{side} attention"] = f"{heads[0]} heads, the teacher's {heads[1]}"
        if student.activation_function != teacher.activation_function:
            reason = f"{student.activation_function}, the teacher's {teacher.activation_function}"
            found[f"{side} feed-forward"] = reason
        elif width[0] != width[1] and not shrink:
            found[f"{side} feed-forward"] = f"{width[0]} units, the teacher's {width[1]}"
    return found


def _part_of(name: str) -> str:
    """The part, as `misfits` names it, that a tensor belongs to; "" for norms and what has no part."""
    if block := _BLOCK.match(name):
        return f"{block[1]} {'feed-forward' if block[2] else 'attention'}"
    return "embeddings" if _BY_VOCABULARY.match(name) and not name.startswith("final_logits_bias") else ""


def _means(rows: Tensor, piece_rows: Sequence[Sequence[int]], fallback: Tensor) -> Tensor:
    """For each piece the mean of its rows [pieces, …]; the fallback's where it has none. Bias: [1, pieces]."""
    if fallback.shape[0] == 1:
        return _means(rows.T, piece_rows, fallback.T).T
    result = fallback.clone()
    for piece, chosen in enumerate(piece_rows):
        if chosen:
            result[piece] = rows[list(chosen)].mean(dim=0)
    return result


# Another vocabulary


def teacher_rows(pieces: SentencePieceTokenizer, teacher: SentencePieceTokenizer) -> list[list[int]]:
    """For each of the student's pieces, the teacher's ids whose rows it starts as the mean of.

    A piece that the teacher has is that piece; another is the teacher's pieces of its text. Bytes, tags and `<unk>`
    that the teacher lacks have none.
    """
    known = teacher.vocabulary
    rows = []
    for piece in pieces.pieces:
        if piece in known:
            rows.append([known[piece]])
        elif piece in (EOS, UNK, PAD) or is_tag(piece) or (piece.startswith("<0x") and piece.endswith(">")):
            rows.append([])
        else:
            processors = {id(processor): processor for processor in (teacher.source, teacher.target)}.values()
            spellings = [_spelling(piece, processor, known) for processor in processors]
            rows.append(min((s for s in spellings if s), key=len, default=[]))
    return rows


def _spelling(piece: str, processor: sentencepiece.SentencePieceProcessor, known: dict[str, int]) -> list[int]:
    """Ids of the pieces of a piece's text; none when a part of it is unknown."""
    begins_word = piece.startswith("▁")
    names = processor.encode(piece.replace("▁", " ").strip() or " ", out_type=str)
    if names and not begins_word:  # the processor puts a space before any text
        bare = names[0].removeprefix("▁")
        names = [bare, *names[1:]] if bare in known else names[1:] if names[0] == "▁" else names
    if any(name not in known for name in names):
        return []
    return [known[name] for name in names]


# Another width


class Selection:
    """Which of the teacher's dimensions a narrower student takes, the same ones wherever a dimension is used.

    Of the residual stream evenly spaced ones in each half: positions are sines in the first and cosines in the second,
    their frequencies fall along it, and so the student's own positions are those that the chosen dimensions knew. Of
    the heads evenly spaced ones; within a head, and among feed-forward units, those with the largest weights. What is
    summed over fewer dimensions is scaled up so that its variance stays.
    """

    def __init__(self, student: MarianMTModel, teacher: MarianMTModel) -> None:
        self.tensors = teacher.state_dict()
        self.student, self.teacher = student.config, teacher.config
        wide, narrow = self.teacher.d_model, self.student.d_model
        half = _evenly(narrow // 2, wide // 2)
        self.residual = torch.cat([half, half + wide // 2])
        self._inner: dict[str, Tensor] = {}

    def narrows(self, name: str) -> bool:
        """Whether the tensor has a dimension to choose from."""
        if self.student.d_model < self.teacher.d_model:
            return "final_logits_bias" not in name
        block = _BLOCK.match(name)
        if block is None or not block[2]:
            return False
        return getattr(self.student, f"{block[1]}_ffn_dim") != getattr(self.teacher, f"{block[1]}_ffn_dim")

    def take(self, name: str, tensor: Tensor) -> Tensor:
        """The chosen rows and columns of one of the teacher's tensors."""
        *path, module, kind = name.split(".")
        prefix = ".".join(path)
        if module in ("shared", "embed_tokens", "lm_head"):
            return tensor[:, self.residual] * self._gain(self.residual, self.teacher.d_model)
        if module in ("q_proj", "k_proj", "v_proj", "fc1"):
            outputs, inputs = self._units(prefix, module), self.residual
        elif module in ("out_proj", "fc2"):
            outputs, inputs = self.residual, self._units(prefix, module)
        else:  # a norm
            return tensor[self.residual]
        if kind == "bias":
            return tensor[outputs]
        return tensor[outputs][:, inputs] * self._gain(inputs, tensor.shape[1])

    @staticmethod
    def _gain(chosen: Tensor, total: int) -> float:
        return (total / len(chosen)) ** 0.5

    def _units(self, prefix: str, module: str) -> Tensor:
        """Chosen inner dimensions of a block: of its heads or of its feed-forward layer."""
        pair = {"fc1": "fc", "fc2": "fc", "q_proj": "qk", "k_proj": "qk"}.get(module, "vo")
        key = f"{prefix}.{pair}"
        if key not in self._inner:
            self._inner[key] = self._choose(prefix, pair)
        return self._inner[key]

    def _choose(self, prefix: str, pair: str) -> Tensor:
        first, second = {"fc": ("fc1", "fc2"), "qk": ("q_proj", "k_proj"), "vo": ("v_proj", "out_proj")}[pair]
        into, out = (self.tensors[f"{prefix}.{module}.weight"].float() for module in (first, second))
        importance = into.norm(dim=1) * (out.norm(dim=1) if pair == "qk" else out.norm(dim=0))
        side = prefix.split(".")[1]  # model.encoder.layers.0.self_attn
        if pair == "fc":
            return _largest(importance, getattr(self.student, f"{side}_ffn_dim"))
        heads, their_heads = (getattr(config, f"{side}_attention_heads") for config in (self.student, self.teacher))
        size, their_size = self.student.d_model // heads, self.teacher.d_model // their_heads
        if size > their_size or heads > their_heads:
            raise UserError(
                f"{heads} heads of {size} dimensions cannot be taken from the teacher's {their_heads} of {their_size}"
            )
        chosen = [
            _largest(importance[head * their_size : (head + 1) * their_size], size) + head * their_size
            for head in _evenly(heads, their_heads).tolist()
        ]
        return torch.cat(chosen)


def _evenly(count: int, total: int) -> Tensor:
    """`count` of `total` indices, evenly spaced from the first on."""
    return (torch.arange(count) * total + count // 2) // count


def _largest(importance: Tensor, count: int) -> Tensor:
    """Indices of the `count` largest, in their order."""
    if count > len(importance):
        raise UserError(f"a layer of {count} units cannot be taken from the teacher's {len(importance)}")
    return importance.topk(count).indices.sort().values


def _teacher_name(name: str, maps: dict[str, Sequence[int] | None]) -> tuple[str, bool]:
    match = _LAYER.match(name)
    if match is None:
        return name, False
    side, index, rest = match.groups()
    layer_map = maps[side]
    if layer_map is None:
        return name, False
    return f"model.{side}.layers.{layer_map[int(index)]}.{rest}", True
