"""What a request may ask for, who may ask, and how often: bounded unless the operator says otherwise."""

import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from marian_distill.errors import UserError

MOST_CLIENTS = 10_000  # addresses whose requests are counted; the one that was silent longest is forgotten


class RequestError(Exception):
    """An answer that is no translation: its status, one line, and after how many seconds to ask again."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True)
class Limits:
    """Bounds of a request and of the server; what exceeds one is refused, never cut."""

    texts: int = 128  # in a request; as Google's API
    characters: int = 5_000  # in a text
    body_bytes: int = 256 * 1024
    file_bytes: int = 2 * 1024 * 1024
    alternatives: int = 10
    beam_size: int = 10
    glossary_terms: int = 200
    waiting_sentences: int = 8_192  # in the queue, of all requests; beyond it: 503
    requests_a_minute: int = 6_000  # from one address, 0 for any number; a browser extension sends hundreds a page
    seconds: float = 60.0  # for a request, from its first byte to its answer
    file_seconds: float = 600.0
    connections: int = 2_048

    def check_texts(self, texts: list[str]) -> None:
        """`RequestError` (400) for too many texts, or one that is too long or holds half a character."""
        if len(texts) > self.texts:
            raise RequestError(400, f"Invalid request: request ({len(texts)}) exceeds text limit ({self.texts})")
        longest = max(map(len, texts), default=0)
        if longest > self.characters:
            raise RequestError(400, f"Invalid request: request ({longest}) exceeds text limit ({self.characters})")
        for text in texts:
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise RequestError(400, "Invalid request: half of a surrogate pair, which is no character") from error

    def check_search(self, beam_size: int, alternatives: int, glossary_terms: int) -> None:
        """`RequestError` (400) for a beam, alternatives or a glossary beyond the bounds."""
        for name, value, least, most in (
            ("beam_size", beam_size, 1, self.beam_size),
            ("alternatives", alternatives, 0, self.alternatives),
            ("glossary terms", glossary_terms, 0, self.glossary_terms),
        ):
            if not least <= value <= most:
                raise RequestError(400, f"Invalid request: {name} {value}, expected {least} to {most}")


class RateLimiter:
    """A bucket of requests for each client, filled again evenly over a minute.

    Args:
        requests_a_minute: also how many may come at once; 0: any number.
        clock: seconds, never backwards.
    """

    def __init__(self, requests_a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests_a_minute = requests_a_minute
        self.clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: (requests left, when)

    def admit(self, client: str) -> None:
        """Count a request; `RequestError` (429) when the client has none left."""
        if not self.requests_a_minute:
            return
        now, a_second = self.clock(), self.requests_a_minute / 60
        left, then = self._buckets.pop(client, (float(self.requests_a_minute), now))
        left = min(self.requests_a_minute, left + (now - then) * a_second)
        self._buckets[client] = (max(left - 1, 0.0) if left >= 1 else left, now)
        while len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            seconds = math.ceil((1 - left) / a_second)
            raise RequestError(429, f"Slowdown: {self.requests_a_minute} per 1 minute", retry_after=seconds)


class Keys:
    """The API keys that are let in; with none of them everybody is.

    Only their SHA-256 is kept. All are compared, each in constant time, so that how long it takes tells nothing.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = [_digest(key) for key in keys]

    @classmethod
    def of_file(cls, path: Path) -> "Keys":
        """A key a line; blank lines and those that begin with # are passed over."""
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: not valid UTF-8 ({error.reason})") from error
        keys = [line for line in lines if line and not line.startswith("#")]
        if not keys:
            raise UserError(f"{path}: no key in it; write one a line")
        return cls(keys)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def check(self, key: str | None) -> None:
        """`RequestError`: 401 where a key is needed and none came, 403 for one that is not known."""
        if not self._digests:
            return
        if not key:
            raise RequestError(401, "Please contact the server operator to get an API key")
        digest = _digest(key)
        if not sum(hmac.compare_digest(digest, one) for one in self._digests):
            raise RequestError(403, "Invalid API key")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
