"""Answers of a server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp, a provider's.

https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html. Many requests are on their way at once, so that
the server can batch them; what fails for a while is asked again, later and later.
"""

import asyncio
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from marian_distill.errors import UserError
from marian_distill.files import parse_json
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.prompt import Conversation
from marian_distill.teachers.llm.teacher import Answer

# Asked again: a time-out, a conflict, too many requests, the server's own failures.
LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# Of this one conversation: too long, or what the server will not talk about.
REFUSED = frozenset({400, 413, 422})
LONGEST_WAIT = 60.0  # seconds between two attempts


class Endpoint:
    """A `Backend` over a server.

    Args:
        url: up to and with `/v1`.
        model: what the server calls it; None where it has one alone.
        api_key: sent as a bearer token; "" for none.
        concurrency: requests on their way at once.
        requests_per_second: 0 for no limit.
        timeout: seconds that a request may take.
        retries: how often a request is made again.
        first_wait: seconds before the first of them; each further one waits twice as long.
        log_probabilities: ask for them, for scores.
        seed: of what is drawn, together with the text.
        chat_template_kwargs: the prompt file's; vLLM and SGLang hand them to the model's chat template.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        api_key: str = "",
        concurrency: int = 32,
        requests_per_second: float = 0.0,
        timeout: float = 120.0,
        retries: int = 6,
        first_wait: float = 1.0,
        log_probabilities: bool = True,
        seed: int = 42,
        chat_template_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise UserError(f"--teacher-endpoint {url}: expected a URL such as http://127.0.0.1:8000/v1")
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.concurrency, self.seconds_between = concurrency, 1 / requests_per_second if requests_per_second else 0.0
        self.timeout, self.retries, self.first_wait = timeout, retries, first_wait
        self.log_probabilities, self.seed = log_probabilities, seed
        self.extra = {"chat_template_kwargs": dict(chat_template_kwargs)} if chat_template_kwargs else {}
        self.model = self._model(model)
        self._next_start = 0.0
        self._answered = False  # a request was: what is refused then is refused for its own sake
        self.provenance = {"teacher": self.model, "backend": "endpoint", "endpoint": self.url}

    def answer(
        self,
        conversations: Sequence[Conversation],
        count: int,
        sampling: Sampling,
        limits: Sequence[int] | None = None,
    ) -> list[list[Answer]]:
        """`count` answers to each conversation; none to one that the server refuses."""
        limits = limits or [sampling.max_new_tokens] * len(conversations)
        each = [replace(sampling, max_new_tokens=limit) for limit in limits]
        requests = [self._request(*one, count) for one in zip(conversations, each, strict=True)]
        return asyncio.run(self._answer_all(requests))

    async def _answer_all(self, requests: Sequence[dict[str, Any]]) -> list[list[Answer]]:
        self._next_start = 0.0  # of this loop's clock
        limits = httpx.Limits(max_connections=self.concurrency)
        turns = asyncio.Semaphore(self.concurrency)
        async with httpx.AsyncClient(headers=self.headers, timeout=self.timeout, limits=limits) as client:

            async def one(request: dict[str, Any]) -> list[Answer]:
                async with turns:
                    return await self._answer(client, request)

            try:
                async with asyncio.TaskGroup() as group:  # the first that fails ends the others
                    tasks = [group.create_task(one(request)) for request in requests]
            except* UserError as several:
                raise several.exceptions[0] from None
        return [task.result() for task in tasks]

    def _request(self, conversation: Conversation, sampling: Sampling, count: int) -> dict[str, Any]:
        draws = sampling.temperature > 0
        said = hashlib.sha256(repr((self.seed, conversation)).encode()).digest()
        options = {
            "temperature": sampling.temperature,
            **({"top_p": sampling.top_p, "n": count, "seed": int.from_bytes(said[:4], "big") >> 1} if draws else {}),
            **({"top_k": sampling.top_k} if draws and sampling.top_k else {}),
            **({"repetition_penalty": sampling.repetition_penalty} if sampling.repetition_penalty != 1.0 else {}),
            **({"logprobs": True} if self.log_probabilities else {}),
        }
        return {
            "model": self.model,
            "messages": conversation,
            "max_tokens": sampling.max_new_tokens,
            **options,
            **self.extra,
        }

    async def _answer(self, client: httpx.AsyncClient, request: dict[str, Any]) -> list[Answer]:
        trouble = ""
        for attempt in range(self.retries + 1):
            await self._wait_for_turn()
            wait = min(LONGEST_WAIT, self.first_wait * 2**attempt) * random.uniform(0.5, 1.0)
            try:
                response = await client.post(f"{self.url}/chat/completions", json=request)
            except httpx.TimeoutException:
                trouble = f"no answer within {self.timeout:g} s"
            except httpx.TransportError as error:
                trouble = str(error) or type(error).__name__
            else:
                if response.is_success:
                    answers = answers_of(response)
                    if answers is not None:
                        self._answered = True
                        return answers
                    trouble = f"an answer that is no chat completion: {response.text[:80]!r}"
                elif response.status_code in LATER:
                    trouble = said_by(response)
                    wait = max(wait, retry_after(response))
                elif response.status_code in REFUSED and self._answered:
                    return []
                else:
                    raise UserError(f"--teacher-endpoint {self.url}: {said_by(response)}")
            if attempt < self.retries:
                await asyncio.sleep(wait)
        times = f"{trouble}, {self.retries + 1} times"
        raise UserError(f"--teacher-endpoint {self.url}: {times}; the same command goes on where it was")

    async def _wait_for_turn(self) -> None:
        """Starts of requests are as far apart as the limit says."""
        if not self.seconds_between:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next_start)
        self._next_start = start + self.seconds_between
        await asyncio.sleep(start - now)

    def _model(self, wanted: str | None) -> str:
        """The model's name as the server has it."""
        try:
            response = httpx.get(f"{self.url}/models", headers=self.headers, timeout=self.timeout)
        except httpx.HTTPError as error:
            raise UserError(f"--teacher-endpoint {self.url}: cannot be reached ({error})") from error
        if response.status_code == 404 and wanted:  # not every server has the list
            return wanted
        if not response.is_success:
            raise UserError(f"--teacher-endpoint {self.url}: {said_by(response)}")
        try:
            names = [model["id"] for model in parse_json(response.text)["data"]]
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"--teacher-endpoint {self.url}: {self.url}/models has no list of models") from error
        name = names[0] if wanted is None and len(names) == 1 else wanted
        if name is None or name not in names:
            shown = ", ".join(map(str, names[:5])) or "no model"
            raise UserError(f"--teacher-llm {wanted}: the server has {shown}; name one of its models")
        return name


def answers_of(response: httpx.Response) -> list[Answer] | None:
    """The answers in a chat completion; None where it is none."""
    try:
        choices = parse_json(response.text)["choices"]
        return [
            Answer(str(one["message"]["content"] or ""), mean_of(one.get("logprobs")), one["finish_reason"] == "stop")
            for one in choices
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def mean_of(logprobs: Mapping[str, Any] | None) -> float | None:
    """Mean log-probability a token, where the server gives them."""
    values = [token["logprob"] for token in (logprobs or {}).get("content") or []]
    return sum(values) / len(values) if values else None


def retry_after(response: httpx.Response) -> float:
    """Seconds that the server asks to wait; 0 where it says nothing, or a date."""
    value = response.headers.get("retry-after", "")
    return min(LONGEST_WAIT, float(value)) if value.replace(".", "", 1).isdecimal() else 0.0


def said_by(response: httpx.Response) -> str:
    """Status and the server's own words, in short."""
    advice = " (the key? see --api-key-variable)" if response.status_code in (401, 403) else ""
    return f"HTTP {response.status_code} {response.reason_phrase}{advice}: {response.text[:200].strip()}"
