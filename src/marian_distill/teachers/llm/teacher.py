"""A language model as a teacher: a prompt, and whatever answers it."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from marian_distill.languages import Direction
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.answers import clean_answer
from marian_distill.teachers.llm.prompt import Conversation, Prompt

SPARE_TOKENS = 16


class Answer(NamedTuple):
    """What a model said: its text, its mean log-probability a token where it is known, whether it came to an end."""

    text: str
    score: float | None
    finished: bool


class Backend(Protocol):
    """What answers conversations: an engine on this machine, or a server."""

    provenance: dict[str, Any]  # which model it is, and how it computes

    def answer(
        self,
        conversations: Sequence[Conversation],
        count: int,
        sampling: Sampling,
        limits: Sequence[int] | None = None,
    ) -> list[list[Answer]]:
        """`count` answers to each conversation; none to one that is refused or too long.

        `limits`: how many tokens each may have at least, before it is cut; by default `sampling.max_new_tokens`.
        """
        ...


class TextTeacher:
    """A `teachers.sequence.Teacher` over a language model.

    Args:
        backend: answers.
        prompt: how a text is put to it.
        direction: from which language into which.
        max_new_tokens: the most that an answer may have; one that met the bound is never a translation.
    """

    def __init__(self, backend: Backend, prompt: Prompt, direction: Direction, max_new_tokens: int = 256) -> None:
        self.backend, self.prompt, self.direction = backend, prompt, direction
        self.max_new_tokens = max_new_tokens

    def translate_n_best(
        self, texts: Sequence[str], count: int, *, finished: bool = False
    ) -> list[list[tuple[str, float | None]]]:
        """For each text its distinct translations, cleaned, the likeliest first; of one, the likeliest that there is.

        `finished`: without those that met the token limit, hence perhaps none.
        """
        conversations = [self.prompt.conversation(text, self.direction) for text in texts]
        limits = [min(self.max_new_tokens, token_limit(text)) for text in texts]
        answered = self.backend.answer(conversations, count, self.prompt.drawing(count, self.max_new_tokens), limits)
        return [
            distinct_translations(text, [one for one in answers if one.finished or not finished])
            for text, answers in zip(texts, answered, strict=True)
        ]


def token_limit(text: str) -> int:
    """Tokens that no translation of a text reaches, for what runs on to be stopped: three times as many as usual.

    A token is four bytes of English and three of Chinese, a translation about as many tokens as its source.
    """
    return SPARE_TOKENS + len(text.encode()) * 3 // 4


def distinct_translations(source: str, answers: Sequence[Answer]) -> list[tuple[str, float | None]]:
    """The translations in answers with their scores, none twice; best first, where scores are known."""
    found: dict[str, float | None] = {}
    for answer in sorted(answers, key=lambda one: float("-inf") if one.score is None else one.score, reverse=True):
        found.setdefault(clean_answer(answer.text, source), answer.score)
    return list(found.items())
