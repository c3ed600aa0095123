"""The queue by itself, around engines that are plain functions."""

import asyncio
import threading
import time

import pytest

from marian_distill.serving.batching import Batcher
from marian_distill.serving.limits import RequestError


class Engine:
    """Upper case, noting its batches; may be held up, and fails on what says so."""

    def __init__(self):
        self.batches: list[list[str]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, kind, texts):
        self.batches.append(texts)
        assert self.go_on.wait(10)
        if any("fail" in text for text in texts):
            raise RuntimeError("this engine fails")
        return [f"{kind} {text.upper()}" for text in texts]


def run(scenario, engine, **options):
    async def entered():
        async with Batcher(engine, **options) as batcher:
            return await asyncio.wait_for(scenario(batcher), 20)

    return asyncio.run(entered())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_the_first_starts_at_once_and_those_that_come_meanwhile_are_one_batch():
    engine = Engine()
    engine.go_on.clear()

    async def scenario(batcher):
        first = batcher.submit("a", ["one"])
        await until(lambda: engine.batches)
        later = [batcher.submit("a", [text])[0] for text in ("two", "three", "four")]
        engine.go_on.set()
        return await asyncio.gather(*first, *later)

    assert run(scenario, engine) == ["a ONE", "a TWO", "a THREE", "a FOUR"]
    assert [sorted(batch) for batch in engine.batches] == [["one"], ["four", "three", "two"]]


def test_a_batch_is_of_one_kind_within_its_budget_and_near_in_length():
    engine = Engine()
    engine.go_on.clear()
    long = "x" * 400  # 101 tokens

    async def scenario(batcher):
        first = batcher.submit("a", ["first"])
        await until(lambda: engine.batches)
        found = [*batcher.submit("a", ["s1", long, "s2", long, "s3"]), *batcher.submit("b", ["other"])]
        engine.go_on.set()
        await asyncio.gather(*first, *found)

    run(scenario, engine, batch_tokens=110)
    assert engine.batches[1] == ["s1", "s2", "s3", long]  # the longest wait first, then by length, 3 + 101 tokens
    assert sorted(engine.batches[2:]) == [["other"], [long]]


def test_a_failed_batch_fails_only_what_is_at_fault():
    engine = Engine()

    async def scenario(batcher):
        return await asyncio.gather(*batcher.submit("a", ["one", "fail", "two"]), return_exceptions=True)

    one, failed, two = run(scenario, engine)
    assert (one, two) == ("a ONE", "a TWO")
    assert isinstance(failed, RuntimeError)


def test_what_nobody_waits_for_any_more_leaves_the_queue():
    engine = Engine()
    engine.go_on.clear()

    async def scenario(batcher):
        first = batcher.submit("a", ["one"])
        await until(lambda: engine.batches)
        gone, there = batcher.submit("a", ["gone", "there"])
        gone.cancel()
        await asyncio.sleep(0)
        assert len(batcher) == 1
        engine.go_on.set()
        return await asyncio.gather(*first, there)

    assert run(scenario, engine) == ["a ONE", "a THERE"]
    assert engine.batches == [["one"], ["there"]]


def test_the_queue_is_bounded():
    engine = Engine()
    engine.go_on.clear()

    async def scenario(batcher):
        with pytest.raises(RequestError, match="4 sentences in a request: at most 3") as never:
            batcher.submit("a", ["x"] * 4)
        first = batcher.submit("a", ["one"])
        await until(lambda: engine.batches)
        waiting = batcher.submit("a", ["two", "three"])
        with pytest.raises(RequestError) as later:
            batcher.submit("a", ["four", "five"])
        engine.go_on.set()
        await asyncio.gather(*first, *waiting)
        return never.value.status, later.value.status, later.value.retry_after

    assert run(scenario, engine, most_waiting=3) == (413, 503, 1)


def test_it_ends_when_all_that_wait_are_answered():
    def slow(kind, texts):
        time.sleep(0.05)
        return texts

    async def scenario():
        async with Batcher(slow, batch_tokens=1) as batcher:
            answers = batcher.submit("a", ["one", "two", "three"])
        return [answer.result() for answer in answers]  # no waiting: they are done

    assert asyncio.run(scenario()) == ["one", "two", "three"]


def test_batches_tell_how_long_they_took():
    told = []

    async def scenario(batcher):
        await asyncio.gather(*batcher.submit("a", ["one", "two"]))

    run(scenario, Engine(), on_batch=lambda *facts: told.append(facts))
    [(sentences, seconds, waited)] = told
    assert sentences == 2
    assert 0 < seconds < 5
    assert 0 <= waited < 5
