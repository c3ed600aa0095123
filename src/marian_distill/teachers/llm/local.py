"""Answers of an engine on this machine: the chat template, what all prompts begin with, batches of like length.

Most of a translation prompt is the same for every text. Its tokens are computed once (the engine keeps their keys and
values), and only what follows them, the text, is computed for each; texts of like length go together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from marian_distill.errors import UserError
from marian_distill.languages import Direction
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.prompt import Conversation, Prompt
from marian_distill.teachers.llm.teacher import Answer


class Generated(NamedTuple):
    """Ids of an answer without what ended it, the mean log-probability with it, whether it ended by itself."""

    ids: list[int]
    score: float
    finished: bool


class Engine(Protocol):
    """A language model that goes on from ids."""

    context: int  # the most tokens that prompt and answer have together
    most_padding: int  # tokens by which the prompts of a batch may differ
    provenance: dict[str, Any]

    def batch_rows(self, tokens: int) -> int:
        """How many answers are made at once, where prompt and answer have so many tokens."""
        ...

    def generate(
        self, prefix: list[int], suffixes: Sequence[list[int]], count: int, sampling: Sampling
    ) -> list[list[Generated]]:
        """`count` continuations of `prefix` + each suffix; a suffix has at least one id."""
        ...


class LocalBackend:
    """A `Backend` over an engine and its tokenizer.

    Args:
        engine: makes ids.
        tokenizer: of transformers, with a chat template.
        chat_template_kwargs: the prompt file's.
    """

    def __init__(self, engine: Engine, tokenizer: Any, chat_template_kwargs: Mapping[str, Any]) -> None:
        self.engine, self.tokenizer = engine, tokenizer
        self.chat_template_kwargs = dict(chat_template_kwargs)
        self.provenance = engine.provenance

    def answer(
        self,
        conversations: Sequence[Conversation],
        count: int,
        sampling: Sampling,
        limits: Sequence[int] | None = None,
    ) -> list[list[Answer]]:
        """`count` answers to each conversation; none to one that leaves no room in the model's context."""
        prompts = self.prompt_ids(conversations)
        prefix = shared_prefix(prompts)
        answers: list[list[Answer]] = [[] for _ in prompts]
        limits = limits or [sampling.max_new_tokens] * len(prompts)
        for rows, bound in self._batches([len(prompt) for prompt in prompts], limits, count):
            suffixes = [prompts[row][len(prefix) :] for row in rows]
            generated = self.engine.generate(prefix, suffixes, count, replace(sampling, max_new_tokens=bound))
            for row, several in zip(rows, generated, strict=True):
                texts = self.tokenizer.batch_decode([one.ids for one in several], skip_special_tokens=True)
                answers[row] = [Answer(text, *one[1:]) for text, one in zip(texts, several, strict=True)]
        return answers

    def prompt_ids(self, conversations: Sequence[Conversation]) -> list[list[int]]:
        """Ids of conversations in the model's own form, up to where it is the model's turn."""
        return chat_ids(self.tokenizer, conversations, self.chat_template_kwargs)

    def _batches(self, lengths: Sequence[int], limits: Sequence[int], count: int) -> Iterator[tuple[list[int], int]]:
        """Rows of like length and the bound of their answers; the longest first, which need the most memory."""
        order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
        order = [row for row in order if lengths[row] < self.engine.context]
        while order:
            longest = lengths[order[0]]
            alike = [row for row in order if lengths[row] >= longest - self.engine.most_padding]
            room = self.engine.context - longest
            most = min(room, max(limits[row] for row in alike))
            rows = alike[: max(1, self.engine.batch_rows(longest + most) // count)]
            yield rows, min(room, max(limits[row] for row in rows))
            order = order[len(rows) :]


def chat_ids(
    tokenizer: Any, conversations: Sequence[Conversation], chat_template_kwargs: Mapping[str, Any]
) -> list[list[int]]:
    """Ids of conversations in the model's own form, up to where it is the model's turn."""
    rendered = tokenizer.apply_chat_template(
        list(conversations), add_generation_prompt=True, tokenize=False, **chat_template_kwargs
    )
    return tokenizer(rendered, add_special_tokens=False).input_ids


def chat_prompts(prompt: Prompt, tokenizer: Any) -> Callable[[Sequence[str], Direction], list[list[int]]]:
    """How sentences are put to a model by a prompt file: sentences and their direction → ids."""

    def ask(sources: Sequence[str], direction: Direction) -> list[list[int]]:
        conversations = [prompt.conversation(source, direction) for source in sources]
        return chat_ids(tokenizer, conversations, prompt.chat_template_kwargs)

    return ask


def shared_prefix(prompts: Sequence[list[int]]) -> list[int]:
    """What all prompts begin with; each keeps a token of its own."""
    if not prompts:
        return []
    first, last = min(prompts), max(prompts)  # in the order of lists: what these two share, all do
    pairs = enumerate(zip(first, last, strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), len(first))
    return first[: min(shared, *(len(prompt) - 1 for prompt in prompts))]


def load_chat_tokenizer(name: str | Path) -> Any:
    """The tokenizer of a folder or of a model of the hub; a `UserError` where it has no chat template."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"--teacher-llm {name}: no tokenizer that transformers can load ({error})") from error
    if not getattr(tokenizer, "chat_template", None):
        raise UserError(
            f"--teacher-llm {name}: its tokenizer has no chat template. Take an instruction-tuned model; in a "
            "CTranslate2 folder copy chat_template.jinja (or tokenizer_config.json) of the model it was made from."
        )
    return tokenizer
