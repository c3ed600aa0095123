"""The queue of sentences and the batches that the engine gets: the first starts at once, the next forms meanwhile.

All of the queue lives on the event loop, which needs no lock for it; the engine's calls run in threads. Nothing is
waited for on purpose: under load sentences gather while the engine works, and an idle server answers at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from marian_distill.serving.limits import RequestError

logger = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=Hashable)
Result = TypeVar("Result")
BYTES_A_TOKEN = 4  # of UTF-8: an English token has 4 letters, a Chinese one somewhat more than a character


def tokens_of(text: str) -> int:
    """About how many tokens a text has, without a tokenizer."""
    return 1 + len(text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN


@dataclass(eq=False)
class Waiting(Generic[Result]):
    """A sentence in the queue."""

    text: str
    answer: asyncio.Future[Result]
    tokens: int
    since: float = field(default_factory=time.perf_counter)


class Batcher(Generic[Kind, Result]):
    """Gathers sentences of one kind into batches and answers each of them.

    Args:
        translate: results for the sentences of one batch, in their order; called in a thread.
        batch_tokens: how many tokens a batch may hold (see `tokens_of`); one sentence may hold more.
        most_waiting: sentences in the queue; beyond it a request is refused with 503.
        workers: batches side by side.
        on_batch: told of each batch: its sentences, seconds in the engine, seconds that its first one waited.
    """

    def __init__(
        self,
        translate: Callable[[Kind, list[str]], Sequence[Result]],
        batch_tokens: int = 1024,
        most_waiting: int = 8_192,
        workers: int = 1,
        on_batch: Callable[[int, float, float], None] = lambda sentences, seconds, waited: None,
    ) -> None:
        self.translate = translate
        self.batch_tokens = batch_tokens
        self.most_waiting = most_waiting
        self.workers = workers
        self.on_batch = on_batch
        self._queues: dict[Kind, list[Waiting[Result]]] = {}  # each in the order of arrival; none is empty

    async def __aenter__(self) -> "Batcher[Kind, Result]":
        self._arrived = asyncio.Event()
        self._closing = False
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="engine")
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.workers)]
        return self

    async def __aexit__(self, *error: object) -> None:
        """Answer all that wait, then stop."""
        self._closing = True
        self._arrived.set()
        await asyncio.gather(*self._tasks)
        self._threads.shutdown()

    def __len__(self) -> int:
        """Sentences that wait."""
        return sum(map(len, self._queues.values()))

    def submit(self, kind: Kind, texts: Sequence[str]) -> list[asyncio.Future[Result]]:
        """Queue sentences; cancel a future to take its sentence out again.

        Raises:
            RequestError: 413 for more sentences than ever may wait, 503 for more than may wait now.
        """
        if len(texts) > self.most_waiting:
            raise RequestError(413, f"{len(texts)} sentences in a request: at most {self.most_waiting}")
        if len(self) + len(texts) > self.most_waiting:
            raise RequestError(503, f"{len(self)} sentences are waiting: try again", retry_after=1)
        loop = asyncio.get_running_loop()
        waiting = [Waiting(text, loop.create_future(), tokens_of(text)) for text in texts]
        if waiting:
            self._queues.setdefault(kind, []).extend(waiting)
            self._arrived.set()
        for one in waiting:
            one.answer.add_done_callback(partial(self._leave, kind, one))
        return [one.answer for one in waiting]

    def _leave(self, kind: Kind, one: Waiting[Result], answer: asyncio.Future[Result]) -> None:
        """Take a sentence whose answer nobody wants any more out of the queue."""
        queue = self._queues.get(kind, [])
        if answer.cancelled() and one in queue:
            queue.remove(one)
            if not queue:
                del self._queues[kind]

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._queues:
                if self._closing:
                    return
                self._arrived.clear()
                continue
            kind, batch = self._take()
            await self._answer(kind, batch)

    def _take(self) -> tuple[Kind, list[Waiting[Result]]]:
        """The sentence that waited longest and those of its kind nearest to it in length, up to the budget."""
        kind = min(self._queues, key=lambda kind: self._queues[kind][0].since)
        queue = self._queues[kind]
        first = queue[0]
        batch, tokens = [], 0
        for one in sorted(queue, key=lambda one: (one is not first, abs(one.tokens - first.tokens))):
            tokens += one.tokens
            if batch and tokens > self.batch_tokens:
                break
            batch.append(one)
        taken = set(batch)
        left = [one for one in queue if one not in taken]
        if left:
            self._queues[kind] = left
        else:
            del self._queues[kind]
        return kind, batch

    async def _answer(self, kind: Kind, batch: list[Waiting[Result]]) -> None:
        """Translate a batch; where that fails each sentence alone, so that only what is at fault fails."""
        loop = asyncio.get_running_loop()
        start = time.perf_counter()
        try:
            results = await loop.run_in_executor(self._threads, self.translate, kind, [one.text for one in batch])
        except (
            Exception
        ) as error:  # whatever an engine raises is the answer of what it was given, not the server's end
            if len(batch) > 1:
                logger.warning("a batch of %d failed (%s); its sentences are tried one by one", len(batch), error)
                for one in batch:
                    if not one.answer.done():
                        await self._answer(kind, [one])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        self.on_batch(len(batch), time.perf_counter() - start, start - batch[0].since)
        for one, result in zip(batch, results, strict=True):
            if not one.answer.done():
                one.answer.set_result(result)
