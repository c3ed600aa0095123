import pytest

from marian_distill.errors import UserError
from marian_distill.serving import limits
from marian_distill.serving.limits import Keys, Limits, RateLimiter, RequestError


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_minute_s_requests_may_come_at_once_and_no_more():
    clock = Clock()
    rate = RateLimiter(60, clock)
    for _ in range(60):
        rate.admit("a")
    with pytest.raises(RequestError, match="Slowdown: 60 per 1 minute") as refused:
        rate.admit("a")
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    rate.admit("b")  # another client
    clock.now = 1.0
    rate.admit("a")
    with pytest.raises(RequestError):
        rate.admit("a")


def test_refused_requests_do_not_lengthen_the_wait():
    clock = Clock()
    rate = RateLimiter(6, clock)
    for _ in range(6):
        rate.admit("a")
    for _ in range(100):
        with pytest.raises(RequestError) as refused:
            rate.admit("a")
    assert refused.value.retry_after == 10
    clock.now = 10.0
    rate.admit("a")


def test_the_table_of_clients_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(limits, "MOST_CLIENTS", 3)
    rate = RateLimiter(1, Clock())
    for client in "abcd":
        rate.admit(client)
    assert list(rate._buckets) == ["b", "c", "d"]


def test_0_lifts_the_rate():
    rate = RateLimiter(0)
    for _ in range(10_000):
        rate.admit("a")


def test_keys():
    keys = Keys(["one", "two"])
    keys.check("two")
    for key, status in ((None, 401), ("", 401), ("three", 403), ("oné\ud800", 403)):
        with pytest.raises(RequestError) as refused:
            keys.check(key)
        assert refused.value.status == status
    Keys().check(None)


def test_a_file_of_keys(tmp_path):
    (tmp_path / "keys").write_text("# of the office\n\n  abc \n")
    Keys.of_file(tmp_path / "keys").check("abc")
    (tmp_path / "keys").write_text("# none\n")
    with pytest.raises(UserError, match="no key in it"):
        Keys.of_file(tmp_path / "keys")


@pytest.mark.parametrize("texts", [["a"] * 3, ["abcdef"], ["\ud800"]])
def test_texts_are_bounded(texts):
    bounds = Limits(texts=2, characters=5)
    bounds.check_texts(["abcde"] * 2)
    with pytest.raises(RequestError) as refused:
        bounds.check_texts(texts)
    assert refused.value.status == 400


@pytest.mark.parametrize("search", [(11, 0, 0), (0, 0, 0), (1, 11, 0), (1, -1, 0), (1, 0, 201)])
def test_searches_are_bounded(search):
    Limits().check_search(10, 10, 200)
    with pytest.raises(RequestError):
        Limits().check_search(*search)
