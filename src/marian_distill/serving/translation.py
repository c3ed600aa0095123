"""A request's texts to sentences in the queue, and their translations back to texts: what every route answers with."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from marian_distill.languages import DIRECTIONS, Direction, Language, languages_of
from marian_distill.runtime.prompt import language_of
from marian_distill.runtime.protection import Format, Protected, ProtectedTranslator
from marian_distill.runtime.segmentation import join_segments
from marian_distill.runtime.spans import sentences_of
from marian_distill.serving.batching import Batcher
from marian_distill.serving.limits import Limits, RequestError
from marian_distill.serving.models import Models, Search
from marian_distill.text.numbers import numbers_kept


@dataclass(frozen=True)
class Wish:
    """What a request asks for, in whichever dialect.

    Args:
        texts: to be translated.
        source: None to detect it, of each text by itself.
        target: None for the other language than the source.
        alternatives: further translations of each text.
        split_sentences: translate sentence by sentence; else line by line.
    """

    texts: list[str]
    source: Language | None = None
    target: Language | None = None
    beam_size: int | None = None
    alternatives: int = 0
    split_sentences: bool = True
    format: Format = "text"
    glossary: Mapping[str, str] = field(default_factory=dict)


class Answer(NamedTuple):
    """What the engine says of a sentence: translations with their scores, best first, and what may be wrong."""

    translations: list[tuple[str, float]]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Translation:
    """A text's translation, as routes tell it."""

    text: str
    source: Language
    target: Language
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Plan(NamedTuple):
    """A text on its way: its languages, and the sentences of each of its lines; no lines when it stays as it is."""

    text: str
    source: Language
    target: Language
    lines: list[list[str]]


def detect(text: str) -> tuple[Language, float]:
    """The language of a text by its script, and how sure that is, from 0 to 1."""
    language = language_of(text)
    return (language, 1.0) if language else ("en", 0.5)


class Service:
    """Translates for the routes.

    Args:
        models: loaded.
        limits: of each request.
        batcher: entered; its engine calls are `translate_batch` of the same models.
        beam_size: where a request names none.
    """

    def __init__(self, models: Models, limits: Limits, batcher: Batcher[Search, Answer], beam_size: int = 1) -> None:
        self.models = models
        self.limits = limits
        self.batcher = batcher
        self.beam_size = beam_size

    async def translate(self, wish: Wish) -> list[Translation]:
        """Translate all texts of a request; `RequestError` for more than it may ask for."""
        self.limits.check_texts(wish.texts)
        return await self.translate_unbounded(wish)

    async def translate_unbounded(self, wish: Wish) -> list[Translation]:
        """Translate texts of any length; every sentence may be in a batch with those of other requests."""
        plans = [self.plan(text, wish) for text in wish.texts]
        answers = self._submit(plans, wish)
        try:
            await asyncio.gather(*answers)
        finally:
            for answer in answers:  # of a request that failed or is cancelled: out of the queue
                answer.cancel()
        found = iter([answer.result() for answer in answers])
        return [_translation(plan, found, wish.alternatives) for plan in plans]

    def stream(self, wish: Wish) -> tuple[Plan, AsyncIterator[tuple[str, Answer]]]:
        """The plan of the one text; each of its sentences and its answer, in order, as soon as it is there."""
        self.limits.check_texts(wish.texts)
        plan = self.plan(wish.texts[0], wish)
        answers = self._submit([plan], wish)
        sentences = [sentence for line in plan.lines for sentence in line] or [plan.text]
        return plan, self._streamed(sentences, answers or [_done(Answer([(plan.text, 0.0)]))])

    async def _streamed(
        self, sentences: list[str], answers: list[asyncio.Future[Answer]]
    ) -> AsyncIterator[tuple[str, Answer]]:
        try:
            for sentence, answer in zip(sentences, answers, strict=True):
                yield sentence, await answer
        finally:
            for answer in answers:
                answer.cancel()

    def plan(self, text: str, wish: Wish) -> Plan:
        """A text's languages and sentences; `RequestError` (400) when no model translates that way."""
        source = wish.source or detect(text)[0]
        target = wish.target or ("zh" if source == "en" else "en")
        if source == target or not text.strip():
            return Plan(text, source, target, [])
        if f"{source}-{target}" not in self.models.directions:
            known = " and ".join(self.models.directions)
            raise RequestError(400, f"no model here translates {source}-{target}; there is {known}")
        if wish.format == "html":
            return Plan(text, source, target, [[text]])
        if wish.split_sentences:
            return Plan(text, source, target, sentences_of(text))
        lines = [line.strip() for line in text.split("\n")]
        return Plan(text, source, target, [[line] if line else [] for line in lines])

    def _submit(self, plans: Sequence[Plan], wish: Wish) -> list[asyncio.Future[Answer]]:
        """Queue the sentences of all texts, each direction's together; their answers in the order of the texts."""
        beam_size = wish.beam_size or self.beam_size
        self.limits.check_search(beam_size, wish.alternatives, len(wish.glossary))
        search = Search("en-zh", beam_size, wish.alternatives, wish.format, tuple(wish.glossary.items()))
        by_direction: dict[Direction, Iterator[asyncio.Future[Answer]]] = {}
        for direction in DIRECTIONS:
            mine = [plan for plan in plans if (plan.source, plan.target) == languages_of(direction)]
            sentences = [sentence for plan in mine for line in plan.lines for sentence in line]
            answers = self.batcher.submit(search._replace(direction=direction), sentences)
            by_direction[direction] = iter(answers)
        return [
            next(by_direction[f"{plan.source}-{plan.target}"])  # pyright: ignore[reportArgumentType]
            for plan in plans
            for line in plan.lines
            for _ in line
        ]


def _done(answer: Answer) -> asyncio.Future[Answer]:
    future = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    return future


def _translation(plan: Plan, found: Iterator[Answer], alternatives: int) -> Translation:
    """Put the answers of a text's sentences together; the k-th alternative is made of the k-th of each sentence."""
    if not plan.lines:
        same = plan.source == plan.target and plan.text.strip()
        warnings = [f"the text is {plan.target} already"] if same else []
        return Translation(plan.text, plan.source, plan.target, warnings=warnings)
    lines = [[next(found) for _ in line] for line in plan.lines]
    answers = [answer for line in lines for answer in line]
    texts: dict[str, float] = {}
    for rank in range(1 + alternatives):
        chosen = [[_ranked(answer, rank) for answer in line] for line in lines]
        scores = [score for line in chosen for _, score in line]
        if len(plan.lines) == len(answers) == 1:  # HTML, or a sentence: as it is
            text = chosen[0][0][0]
        else:
            text = "\n".join(join_segments([text for text, _ in line], plan.target) for line in chosen)
        texts.setdefault(text, sum(scores) / len(scores))
    (best, _), *others = texts.items()
    warnings = list(dict.fromkeys(warning for answer in answers for warning in answer.warnings))
    return Translation(best, plan.source, plan.target, others, warnings)


def _ranked(answer: Answer, rank: int) -> tuple[str, float]:
    """A sentence's translation of a rank; where it has fewer, its best."""
    return answer.translations[rank if rank < len(answer.translations) else 0]


def translate_batch(models: Models, search: Search, sentences: list[str]) -> list[Answer]:
    """What the engine says of a batch; called in a thread of the `Batcher`."""
    model = models.of(search.direction)
    if model is None:
        raise RequestError(400, f"no model here translates {search.direction}")
    asked: Any = {"direction": search.direction, "format": search.format, "glossary": dict(search.glossary)}
    best = ProtectedTranslator(model.with_beam(search.beam_size), numbers_kept).check(sentences, **asked)
    if not search.alternatives:
        return [Answer([(one.text, 0.0)], one.warnings) for one in best]
    count = 1 + search.alternatives
    wider = ProtectedTranslator(model.with_beam(max(search.beam_size, count)))
    found = wider.translate_n_best(sentences, count, **asked)
    return [_with_others(one, others) for one, others in zip(best, found, strict=True)]


def _with_others(best: Protected, found: list[tuple[str, float]]) -> Answer:
    """The best translation, whose numbers are checked, before the others of a beam."""
    scores = dict(found)
    score = scores.pop(best.text, 0.0)
    return Answer([(best.text, score), *scores.items()], best.warnings)
