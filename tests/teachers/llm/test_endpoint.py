"""The client against a real server on 127.0.0.1 that answers, refuses, fails for a while, is slow, talks nonsense."""

import itertools
import json
import threading
import time

import pytest

from marian_distill.errors import UserError
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.endpoint import Endpoint
from toy_chat import asked, completion, serving

GREEDY = Sampling(temperature=0.0, max_new_tokens=12)
DRAWN = Sampling(temperature=0.7, top_p=0.9, top_k=20, repetition_penalty=1.05, max_new_tokens=12)


def conversations(count):
    return [[{"role": "user", "content": f"text {number}"}] for number in range(count)]


def endpoint(server, **options):
    return Endpoint(server.url, **{"first_wait": 0.01, **options})


def in_turn(*replies):
    """Says one after another, the last again and again."""
    left, lock = itertools.chain(replies, itertools.repeat(replies[-1])), threading.Lock()

    def say(request):
        with lock:
            return next(left)

    return say


def test_answers_keep_the_order_and_several_are_on_their_way():
    def say(request):
        time.sleep(0.05 if asked(request).endswith("0") else 0.02)
        return completion(asked(request).upper())

    with serving(say) as server:
        answers = endpoint(server, concurrency=4).answer(conversations(12), 1, GREEDY)
        assert [one.text for (one,) in answers] == [f"TEXT {number}" for number in range(12)]
        assert answers[0][0].score == -0.5
        assert 2 <= server.most_busy <= 4
        assert server.requests[0] == {
            "model": "toy",
            "messages": server.requests[0]["messages"],
            "max_tokens": 12,
            "temperature": 0.0,
            "logprobs": True,
        }


def test_drawing_is_asked_for_with_a_seed_of_the_text():
    with serving(lambda request: completion("a", "b")) as server:
        for _ in range(2):
            answers = endpoint(
                server, log_probabilities=False, chat_template_kwargs={"enable_thinking": False}
            ).answer(conversations(2), 2, DRAWN)
        assert [[one.text for one in several] for several in answers] == [["a", "b"]] * 2
        seeds = {asked(request): request["seed"] for request in server.requests}
        assert [request["seed"] for request in server.requests if asked(request) == "text 0"] == [seeds["text 0"]] * 2
        assert seeds["text 0"] != seeds["text 1"]
        request = server.requests[0]
        assert (request["n"], request["top_p"], request["top_k"], request["repetition_penalty"]) == (2, 0.9, 20, 1.05)
        assert request["chat_template_kwargs"] == {"enable_thinking": False}
        assert "logprobs" not in request


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {"retry-after": "0.1"}, "slow down"),
        (500, {}, "oops"),
        (503, {}, ""),
        (200, {}, "<html>no JSON</html>"),
        (200, {}, '{"choices": [{"message": null}]}'),
        (200, {}, '{"choices": NaN}'),
    ],
    ids=["429", "500", "503", "no JSON", "no message", "NaN"],
)
def test_what_fails_for_a_while_is_asked_again(trouble):
    with serving(in_turn(trouble, trouble, completion("好"))) as server:
        start = time.monotonic()
        ((answer,),) = endpoint(server).answer(conversations(1), 1, GREEDY)
        assert (answer.text, len(server.requests)) == ("好", 3)
        assert time.monotonic() - start >= (0.2 if trouble[0] == 429 else 0.0)
    with serving(in_turn(trouble)) as server, pytest.raises(UserError, match="3 times; the same command goes on"):
        endpoint(server, retries=2).answer(conversations(1), 1, GREEDY)


def test_a_time_out_is_asked_again():
    slow = iter([True])

    def say(request):
        time.sleep(0.6 if next(slow, False) else 0)
        return completion("好")

    with serving(say) as server:
        assert endpoint(server, timeout=0.25).answer(conversations(1), 1, GREEDY)[0][0].text == "好"
        assert len(server.requests) == 2


def test_what_met_the_token_limit_is_not_finished():
    with serving(lambda request: completion("半句", finish="length", logprob=None)) as server:
        ((answer,),) = endpoint(server).answer(conversations(1), 1, GREEDY)
        assert (answer.finished, answer.score) == (False, None)


def test_one_refused_conversation_has_no_answer_but_refused_options_are_an_error():
    def say(request):
        return (400, {}, "too long") if asked(request) == "text 1" else completion("好")

    with serving(say) as server:
        answers = endpoint(server, concurrency=1).answer(conversations(3), 1, GREEDY)
        assert [len(several) for several in answers] == [1, 0, 1]
    refused = pytest.raises(UserError, match="HTTP 400 Bad Request: unknown field: logprobs")
    with serving(lambda request: (400, {}, "unknown field: logprobs")) as server, refused:
        endpoint(server).answer(conversations(3), 1, GREEDY)


def test_a_wrong_key_and_a_right_one():
    with serving(lambda request: (401, {}, '{"error": "invalid key"}')) as server:
        with pytest.raises(UserError, match=r"HTTP 401 Unauthorized \(the key\? see --api-key-variable\)"):
            endpoint(server, api_key="secret").answer(conversations(20), 1, GREEDY)
        assert server.keys == ["Bearer secret"]
    refused = pytest.raises(UserError, match="HTTP 401")
    with serving(in_turn(completion("好")), models=(401, {}, "no key")) as server, refused:
        endpoint(server)


def test_which_model():
    two = (200, {}, json.dumps({"data": [{"id": "small"}, {"id": "large"}]}))
    with serving(in_turn(completion("好")), models=two) as server:
        assert endpoint(server, model="large").model == "large"
        with pytest.raises(UserError, match="the server has small, large"):
            endpoint(server)
        with pytest.raises(UserError, match="--teacher-llm huge: the server has small, large"):
            endpoint(server, model="huge")
    with serving(in_turn(completion("好")), models=(404, {}, "")) as server:
        assert endpoint(server, model="mine").model == "mine"
    refused = pytest.raises(UserError, match="has no list of models")
    with serving(in_turn(completion("好")), models=(200, {}, "[]")) as server, refused:
        endpoint(server)


def test_nobody_is_there():
    with serving(in_turn(completion("好"))) as server:
        url = server.url
    with pytest.raises(UserError, match="cannot be reached"):
        Endpoint(url)
    with pytest.raises(UserError, match="expected a URL"):
        Endpoint("127.0.0.1:8000")


def test_requests_start_no_faster_than_the_limit():
    with serving(in_turn(completion("好"))) as server:
        start = time.monotonic()
        endpoint(server, requests_per_second=20, concurrency=8).answer(conversations(6), 1, GREEDY)
        assert time.monotonic() - start >= 5 / 20
