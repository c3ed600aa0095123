"""Writing text with a language model, over any engine: what a prompt becomes, where text ends, what it cost.

An engine gives ids one by one; here they become text as soon as it is sure, and stop strings end it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from marian_distill.errors import UserError
from marian_distill.runtime.memory import peak_memory_mb
from marian_distill.tokenizer_file import TextStream, TokenizerFile


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen.

    Attributes:
        temperature: 0 takes the likeliest token; 1 draws as the model says.
        top_k: draw from the k likeliest alone; 0: from all.
        top_p: draw from the fewest likeliest tokens that have this probability together.
        repetition_penalty: divides the logits of tokens that were there before (Keskar et al. 2019); 1: none.
        max_new_tokens: where a text is cut that does not end by itself.
        stop: strings that end the text; they are not part of it.
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.95
    repetition_penalty: float = 1.0
    max_new_tokens: int = 200
    stop: Sequence[str] = ()


class TokenGenerator(Protocol):
    """An engine with a language model."""

    tokenizer: TokenizerFile
    context: int  # the most tokens that prompt and text have together

    @property
    def compute_type(self) -> str:
        """What the weights are computed in, as the engine sees it."""
        ...

    def generate(self, prompt: list[int], sampling: Sampling) -> Iterator[int]:
        """Ids that follow a prompt, one by one as they are made; the end token ends them and is not among them.

        Args:
            prompt: ids, the start token first.
            sampling: all of it but `stop` is obeyed.
        """
        ...

    def log_probabilities(self, rows: list[list[int]]) -> list[list[float]]:
        """For each row of ids the natural log-probability of every id but the first, given those before it."""
        ...


@dataclass
class Cost:
    """What texts cost, in the order of their making; `report` sums it up."""

    started: float = field(default_factory=time.perf_counter)
    first_token_seconds: list[float] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0  # while tokens were made, first ones included

    def report(self) -> dict[str, float | int | None]:
        """Tokens a second, the mean delay of the first token in ms, this process's peak memory in MB."""
        delays = self.first_token_seconds
        peak = peak_memory_mb()
        return {
            "tokens": self.tokens,
            "tokens_per_second": round(self.tokens / self.seconds, 1) if self.seconds else None,
            "first_token_ms": round(1000 * sum(delays) / len(delays), 1) if delays else None,
            "peak_memory_mb": None if peak is None else round(peak, 1),
        }


def stream_text(generator: TokenGenerator, prompt: str, sampling: Sampling, cost: Cost | None = None) -> Iterator[str]:
    """How the model goes on from a prompt, in pieces of whole characters, each as soon as it is sure.

    Of a prompt that leaves no room for the text in the model's context the beginning is dropped.

    Raises:
        UserError: `max_new_tokens` leaves no room for a prompt.
    """
    tokenizer = generator.tokenizer
    room = generator.context - sampling.max_new_tokens
    if room < 1:
        raise UserError(
            f"--max-new-tokens {sampling.max_new_tokens}: this model's context is {generator.context} tokens, prompt "
            f"included; give {generator.context - 1} or fewer"
        )
    ids = tokenizer.encode([prompt])[0]
    prompt_ids = [tokenizer.start_id, *ids[max(0, len(ids) - room + 1) :]]
    stream, held = TextStream(tokenizer), ""
    for index in _counted(generator.generate(prompt_ids, sampling), cost):
        held += stream.add(index)
        sure, held, ended = _split_at_stop(held, sampling.stop)
        if sure:
            yield sure
        if ended:
            return
    sure, held, ended = _split_at_stop(held + stream.end(), sampling.stop)
    if sure or held:
        yield sure if ended else sure + held


def _counted(ids: Iterator[int], cost: Cost | None) -> Iterator[int]:
    start = time.perf_counter()
    for number, index in enumerate(ids):
        if cost is not None:
            now = time.perf_counter()
            if number == 0:
                cost.first_token_seconds.append(now - start)
            cost.tokens += 1
            cost.seconds += now - start
        yield index
        start = time.perf_counter()  # what the reader does with the text is not the model's time


def _split_at_stop(text: str, stop: Sequence[str]) -> tuple[str, str, bool]:
    """What may be shown, what may yet turn out to begin a stop string, whether one was met."""
    places = [place for one in stop if (place := text.find(one)) >= 0]
    if places:
        return text[: min(places)], "", True
    longest = max((_overlap(text, one) for one in stop), default=0)
    return text[: len(text) - longest], text[len(text) - longest :], False


def _overlap(text: str, stop: str) -> int:
    """Characters at the text's end that a stop string begins with."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)
