"""Teachers that speak: what they say of each target token, from encoder-decoders and from language models."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import datasets
import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from marian_distill.errors import UserError
from marian_distill.languages import Direction, languages_of
from marian_distill.students.kind import Collator
from marian_distill.students.student import Student
from marian_distill.teachers.cache import Example, Kind, ShardContent, row_keys, uniform_numbers
from marian_distill.teachers.distributions import Kept, keep
from marian_distill.tokenizer_file import TokenizerFile, translation_prompts

LANGUAGES = {"en": "English", "zh": "Chinese"}
ENCODED_AT_ONCE = 1024

Prompts = Callable[[Sequence[str], Direction], list[list[int]]]  # sentences, direction → ids of what is asked


class Teacher(Protocol):
    """Gives logits of target tokens."""

    def logits(self, examples: Sequence[Example]) -> Tensor:
        """Of the examples' target tokens, one example after another, [tokens, the teacher's vocabulary]."""
        ...


class PairTeacher:
    """An encoder-decoder of any kind of student.

    Args:
        model: in evaluation mode.
        collate: of its kind.
        compiled: run its forward pass through torch.compile.
    """

    def __init__(self, model: Student, collate: Collator, compiled: bool = False) -> None:
        self._collate, self._device = collate, model.device
        self._project = torch.compile(model.project, dynamic=True) if compiled else model.project

    def logits(self, examples: Sequence[Example]) -> Tensor:
        """See `Teacher`."""
        rows = [
            {"input_ids": one.source if one.prompt is None else one.prompt, "labels": one.target} for one in examples
        ]
        batch = {name: tensor.to(self._device) for name, tensor in self._collate(rows).items()}
        projection = self._project(batch)
        return projection.products(slice(None)) + projection.bias


class CausalTeacher:
    """A language model that is given a prompt and the target.

    Args:
        model: in evaluation mode.
        own: the teacher's id of each of the student's pieces; None: they are the same.
        compiled: run its forward pass through torch.compile.
    """

    def __init__(self, model: PreTrainedModel, own: np.ndarray | None = None, compiled: bool = False) -> None:
        self._own, self._device = own, model.device
        self._forward: Callable[..., Any] = torch.compile(model, dynamic=True) if compiled else model

    def logits(self, examples: Sequence[Example]) -> Tensor:
        """See `Teacher`."""
        prompts = [_as(self._own, one.source) if one.prompt is None else one.prompt for one in examples]
        rows = [
            np.concatenate([prompt, _as(self._own, one.target)[:-1]])
            for prompt, one in zip(prompts, examples, strict=True)
        ]
        lengths = np.array([len(row) for row in rows])
        there = np.arange(lengths.max()) < lengths[:, None]
        # Padding stands on the right, where no token sees it.
        ids = np.zeros(there.shape, dtype=np.int64)
        ids[there] = np.concatenate(rows)
        spoken = there & (np.arange(lengths.max()) >= np.array([len(prompt) - 1 for prompt in prompts])[:, None])
        logits = self._forward(input_ids=torch.from_numpy(ids).to(self._device), use_cache=False).logits
        return logits[torch.from_numpy(spoken).to(logits.device)]


def _as(own: np.ndarray | None, ids: np.ndarray) -> np.ndarray:
    return np.asarray(ids) if own is None else own[ids]


def own_ids(student: Mapping[str, int], teacher: Mapping[str, int], names: tuple[str, str]) -> np.ndarray | None:
    """The teacher's id of each of the student's pieces, [vocabulary]; None where the vocabularies are the same.

    Args:
        student, teacher: piece → id.
        names: what they are called, for the message.

    Raises:
        UserError: the teacher lacks a piece that the student has.
    """
    if student == teacher:
        return None
    if missing := next((piece for piece in student if piece not in teacher), None):
        raise UserError(
            f"{names[1]}: has no piece {missing!r}, which the tokenizer {names[0]} has; a cache needs the teacher's "
            "own tokenizer, or one that scripts/trim_tokenizer.py made of it"
        )
    own = np.zeros(max(student.values()) + 1, dtype=np.int64)
    own[list(student.values())] = [teacher[piece] for piece in student]
    return own


@torch.inference_mode()
def speak(
    teacher: Teacher,
    examples: Sequence[Example],
    *,
    kind: Kind,
    k: int,
    exact: int,
    temperature: float,
    seed: int,
    own: Tensor | None,
    batch_size: int,
) -> ShardContent:
    """What a teacher says of the examples of a shard, in batches of like length; for the arguments see `keep`."""
    sources, targets = [one.source for one in examples], [one.target for one in examples]
    keys = row_keys(sources, targets)
    lengths = np.array([len(target) for target in targets], dtype=np.int32)
    parts: list[Kept | None] = [None] * len(examples)
    order = np.lexsort((lengths, np.array([len(source) for source in sources])))
    for first in range(0, len(order), batch_size):
        rows = order[first : first + batch_size]
        numbers = uniform_numbers(keys[rows], lengths[rows], seed)
        kept = keep(kind, k, exact, temperature, teacher.logits([examples[row] for row in rows]), numbers, own)
        columns = (np.split(column, np.cumsum(lengths[rows])[:-1]) for column in kept)
        for row, *columns_of_row in zip(rows, *columns, strict=True):
            parts[row] = Kept(*columns_of_row)
    ids, values, lost = (np.concatenate(column) for column in zip(*filter(None, parts), strict=True))
    if not np.isfinite(values.astype(np.float32)[:, [0, -1]]).all():
        raise UserError("the teacher's distributions are not finite numbers; give --teacher-dtype float32")
    return ShardContent(keys, lengths, ids, values, float(lost.sum()))


# Examples


def pair_examples(tokenized: datasets.Dataset, tagged: bool) -> Iterator[Example]:
    """Examples of `tokenize_parallel`; a tag in front of the source goes to the teacher, not into the row's key."""
    columns: Any = tokenized.select_columns(["input_ids", "labels"]).with_format("numpy")
    for batch in columns.iter(batch_size=ENCODED_AT_ONCE):
        for source, target in zip(batch["input_ids"], batch["labels"], strict=True):
            yield Example(source[tagged:], target, source)


def prompted_examples(
    pairs: Iterator[tuple[str, str]],
    direction: Direction,
    tokenizer: TokenizerFile,
    longest: int,
    prompts: Prompts | None,
) -> Iterator[Example]:
    """Examples of a language model that translates; those longer than `longest` tokens are left out.

    Args:
        pairs: English and Chinese.
        direction: whose target is learnt.
        tokenizer: the student's.
        longest: tokens of the student's prompt and target together.
        prompts: ids of what the teacher is asked; None: the same as the student.
    """
    source, target = (0, 1) if languages_of(direction)[0] == "en" else (1, 0)
    while batch := list(islice(pairs, ENCODED_AT_ONCE)):
        sources = [pair[source] for pair in batch]
        given = translation_prompts(tokenizer, sources, direction)
        asked = prompts(sources, direction) if prompts else [None] * len(batch)
        for prompt, question, ids in zip(
            given, asked, tokenizer.encode([pair[target] for pair in batch]), strict=True
        ):
            if len(prompt) + len(ids) <= longest:
                question = None if question is None else np.array(question)
                yield Example(np.array(prompt), np.array([*ids, tokenizer.end_id]), question)


def template_prompts(template: str, tokenizer: TokenizerFile) -> Prompts:
    """How a language model is asked by a text with `{source}` and, if it likes, `{language}` in it.

    Special tokens are written by their names, as in `<|im_start|>user`.
    """
    if "{source}" not in template:
        raise UserError("--prompt-file: no {source} in it, where the sentence would stand")

    def ask(sources: Sequence[str], direction: Direction) -> list[list[int]]:
        language = LANGUAGES[languages_of(direction)[1]]
        return tokenizer.encode(
            [template.replace("{language}", language).replace("{source}", source) for source in sources]
        )

    return ask


# Models


def load_language_model(name: str, dtype: torch.dtype, device: str) -> PreTrainedModel:
    """A language model of any class of transformers, from safetensors, in evaluation mode; no code of its own runs."""
    try:
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype=dtype, use_safetensors=True, local_files_only=Path(name).is_dir()
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{name}: no language model in safetensors there ({reason})") from error
    return model.to(device).eval()  # pyright: ignore[reportArgumentType]


class Int8Linear(nn.Module):
    """A linear layer whose weights are stored in eight bits, with a scale for each output.

    Args:
        linear: the layer that it stands for.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        scale = linear.weight.detach().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        self.rounded: Tensor
        self.scale: Tensor
        self.register_buffer("rounded", (linear.weight.detach() / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.bias = linear.bias

    @property
    def weight(self) -> Tensor:
        """Nearly the weights that the layer had, [outputs, inputs]."""
        return self.rounded * self.scale

    def forward(self, states: Tensor) -> Tensor:
        """The layer's product."""
        return nn.functional.linear(states, self.weight, self.bias)


def round_to_int8(model: PreTrainedModel) -> None:
    """Store the weights of the linear layers in eight bits, in place, but for the projection to the vocabulary."""
    projection = model.get_output_embeddings()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear) and child is not projection:
                setattr(module, name, Int8Linear(child))
