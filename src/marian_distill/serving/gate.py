"""The outermost layer of the server: a request's body whole and bounded, its time bounded, its client still there.

An ASGI middleware (https://asgi.readthedocs.io/en/latest/specs/www.html). The body is read before a route sees it, so
that a slow client holds no route; when the client leaves, its route is cancelled and its sentences leave the queue.
"""

import asyncio
import time
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marian_distill.serving.limits import Limits, RateLimiter, RequestError
from marian_distill.serving.metrics import Metrics

FILE_ROUTES = ("/translate_file", "/api/translate_file")
CLIENT_GONE = 499  # in the metrics alone: nobody is there to be told


class Gate:
    """Lets requests in, one by one, within limits, and counts their answers.

    Args:
        app: the routes.
        limits: of each request.
        rate: requests of each client.
        metrics: where answers are counted.
        refusal: the answer to a path's request that is refused, in the shape that its clients expect.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        rate: RateLimiter,
        metrics: Metrics,
        refusal: Callable[[str, RequestError], Response],
    ) -> None:
        self.app = app
        self.limits = limits
        self.rate = rate
        self.metrics = metrics
        self.refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), CLIENT_GONE

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.metrics.in_flight.inc()
        try:
            await self._answer(scope, receive, counted_send)
        except RequestError as error:
            if status == CLIENT_GONE:
                await self.refusal(scope["path"], error)(scope, receive, counted_send)
        finally:
            self.metrics.in_flight.dec()
            route = scope.get("route")
            self.metrics.on_request(getattr(route, "path", "other"), status, time.perf_counter() - start)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then answer; `RequestError` for what is refused here."""
        is_file = scope["path"] in FILE_ROUTES
        most_bytes = self.limits.file_bytes if is_file else self.limits.body_bytes
        most_seconds = self.limits.file_seconds if is_file else self.limits.seconds
        if scope["method"] == "POST":
            self.rate.admit(scope["client"][0] if scope.get("client") else "")
        reading = True
        try:
            async with asyncio.timeout(most_seconds):
                body = await _read(receive, most_bytes)
                reading = False
                if body is not None:
                    await self._while_connected(scope, body, receive, send)
        except TimeoutError as error:
            if reading:
                raise RequestError(408, f"the request took more than {most_seconds:g} s to arrive") from error
            raise RequestError(503, f"no answer within {most_seconds:g} s: try again", retry_after=5) from error

    async def _while_connected(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Let the routes answer; when the client leaves, cancel them and answer nothing."""
        replayed = False

        async def receive_again() -> Message:
            nonlocal replayed
            if not replayed:
                replayed = True
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.Event().wait()  # that the client has gone is seen here, below
            raise AssertionError

        answering = asyncio.ensure_future(self.app(scope, receive_again, send))
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            leaving.cancel()
            if not answering.done():
                answering.cancel()
                await asyncio.wait((answering,))


async def _read(receive: Receive, most_bytes: int) -> bytes | None:
    """A request's body; None when the client left before its end. `RequestError` (413) as soon as it is too long."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most_bytes:
            raise RequestError(413, f"a body of more than {most_bytes} bytes")
        if not message.get("more_body"):
            return b"".join(parts)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
