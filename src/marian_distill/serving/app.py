"""The server's application: its own API, those of `compatible`, and the page at `/`.

POST /api/translate           one text or a list
POST /api/translate/stream    one text, sentence by sentence, as server-sent events
POST /api/translate_file      txt, md, html, srt in a form
GET  /models /health /metrics /openapi.json
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from marian_distill.errors import UserError
from marian_distill.serving.answers import Server, refusal
from marian_distill.serving.batching import Batcher
from marian_distill.serving.compatible import compatible_routes
from marian_distill.serving.files import FileTranslation, file_response, translate_file
from marian_distill.serving.gate import Gate
from marian_distill.serving.limits import Keys, Limits, RateLimiter, RequestError
from marian_distill.serving.metrics import Metrics
from marian_distill.serving.models import Models, Search
from marian_distill.serving.schemas import (
    Health,
    ModelFacts,
    Problem,
    TextTranslation,
    TranslateAnswer,
    TranslateRequest,
)
from marian_distill.serving.translation import Answer, Service, translate_batch

PAGE = Path(__file__).parent / "page"
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
PROBLEMS: dict[int | str, dict] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "It cannot be translated, or exceeds a limit.",
        401: "An API key is needed.",
        403: "The API key is not known.",
        408: "The request took too long to arrive.",
        413: "The body is too large.",
        422: "The body has another shape.",
        429: "Too many requests from this address; see Retry-After.",
        500: "The engine failed.",
        503: "Too many sentences are waiting; see Retry-After.",
    }.items()
}


def create_app(
    models: Models,
    limits: Limits | None = None,
    keys: Keys | None = None,
    beam_size: int = 1,
    batch_tokens: int = 1024,
) -> FastAPI:
    """The application, ready for an ASGI server.

    Args:
        models: loaded.
        limits: the defaults when None.
        keys: everybody is let in when None.
        beam_size: where a request names none.
        batch_tokens: see `Batcher`.
    """
    limits, keys = limits or Limits(), keys or Keys()
    batcher: Batcher[Search, Answer] = Batcher(
        partial(translate_batch, models), batch_tokens=batch_tokens, most_waiting=limits.waiting_sentences
    )
    metrics = Metrics(batcher.__len__)
    batcher.on_batch = metrics.on_batch
    server = Server(Service(models, limits, batcher, beam_size), models, limits, keys)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with models:
            async with batcher:
                yield

    # Their pages for the API load scripts from elsewhere: none here; /openapi.json is what they would show.
    app = FastAPI(
        title="distill-zh-en", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    _add_problems(app)
    _add_api(app, server)
    _add_facts(app, server, metrics)
    # Their problems have their own shapes.
    described: dict[int | str, dict] = {
        status: {"description": one["description"]} for status, one in PROBLEMS.items()
    }
    app.include_router(compatible_routes(server), responses=described)
    if PAGE.is_dir():
        _add_page(app)
    app.add_middleware(
        Gate, limits=limits, rate=RateLimiter(limits.requests_a_minute), metrics=metrics, refusal=refusal
    )
    app.add_middleware(  # as LibreTranslate has it: pages and extensions of any origin may ask
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Retry-After", "Content-Disposition"],
        max_age=20 * 24 * 3600,
    )
    return app


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(RequestError)
    async def refused(request: Request, error: RequestError) -> Response:
        return refusal(request.url.path, error)

    @app.exception_handler(UserError)
    async def mistaken(request: Request, error: UserError) -> Response:
        return refusal(request.url.path, RequestError(400, str(error)))

    @app.exception_handler(RequestValidationError)
    async def misshapen(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        is_json = first["type"] != "json_invalid"
        place = ".".join(str(part)[:40] for part in first["loc"])
        return refusal(request.url.path, RequestError(422 if is_json else 400, f"{place}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def not_there(request: Request, error: HTTPException) -> Response:
        answer = refusal(request.url.path, RequestError(error.status_code, str(error.detail)))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return refusal(request.url.path, RequestError(500, "the engine failed; the server's log says why"))


def _add_api(app: FastAPI, server: Server) -> None:
    @app.post("/api/translate", responses=PROBLEMS)
    async def translate(body: TranslateRequest, request: Request) -> TranslateAnswer:
        """Translate one text or a list of them, each in its own direction."""
        start = time.perf_counter()
        server.admit(request, {"api_key": body.api_key})
        found = await server.service.translate(body.wish())
        return TranslateAnswer(
            translations=[TextTranslation.of(one) for one in found],
            model=_models_of(server, {f"{one.source}-{one.target}" for one in found}),
            milliseconds=_milliseconds_since(start),
        )

    events = {200: {"content": {"text/event-stream": {}}, "description": "Events."}}

    @app.post("/api/translate/stream", responses={**PROBLEMS, **events}, response_class=StreamingResponse)
    async def translate_stream(body: TranslateRequest, request: Request) -> Response:
        """Translate one text; an event for each of its sentences as soon as it is there, then `done`."""
        start = time.perf_counter()
        server.admit(request, {"api_key": body.api_key})
        wish = body.wish()
        if len(wish.texts) != 1:
            raise RequestError(400, f"{len(wish.texts)} texts: a stream is of one")
        plan, sentences = server.service.stream(wish)
        model = _models_of(server, {f"{plan.source}-{plan.target}"})
        languages = {"source": plan.source, "target": plan.target}

        async def written() -> AsyncIterator[str]:
            index = 0
            async for source_text, answer in sentences:
                found = {"text": answer.translations[0][0], "warnings": list(answer.warnings)}
                yield _event({"index": index, "source_text": source_text, **found, **languages})
                index += 1
            yield _event({"milliseconds": _milliseconds_since(start), "model": model}, "done")

        return _event_stream(written())

    file = {200: {"content": {"application/octet-stream": {}}, "description": "The file, translated."}}

    @app.post("/api/translate_file", responses={**PROBLEMS, **file}, response_class=Response)
    async def translate_a_file(
        request: Request,
        file: UploadFile = File(description="txt, md, html or srt, in UTF-8"),  # noqa: B008 (as FastAPI has it)
        source: str = Form("auto"),
        target: str | None = Form(None),
        api_key: str | None = Form(None),
    ) -> Response:
        """Translate a file; what is no text in it stays as it is.

        A client that accepts `text/event-stream` is told how much is done, `{"share": 0.5}`, and at the end gets an
        event `done`, `{"name", "text"}`.
        """
        server.admit(request, {"api_key": api_key})
        if "text/event-stream" not in request.headers.get("accept", ""):
            return file_response(*await translate_file(server, file, source, target))
        translation = await FileTranslation.of_upload(file, source, target)

        async def written() -> AsyncIterator[str]:
            async for share in translation.run(server.service):
                yield _event({"share": share})
            yield _event({"name": translation.name, "text": translation.text()}, "done")

        return _event_stream(written())


def _event_stream(events: AsyncIterator[str]) -> Response:
    """Events as they come; what fails after the first is an event `error`."""

    async def written() -> AsyncIterator[str]:
        try:
            async for event in events:
                yield event
        except (UserError, RequestError, RuntimeError, ValueError) as error:
            yield _event({"error": str(error)}, "error")

    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # a proxy passes each event on at once
    return StreamingResponse(written(), media_type="text/event-stream", headers=headers)


def _event(data: dict, name: str = "") -> str:
    """A server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    return f"{f'event: {name}' + chr(10) if name else ''}data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _models_of(server: Server, directions: set[str]) -> str:
    found = [server.models.of(direction) for direction in sorted(directions)]
    return ", ".join(dict.fromkeys(model.name for model in found if model))


def _milliseconds_since(start: float) -> float:
    return round(1000 * (time.perf_counter() - start), 2)


def _add_facts(app: FastAPI, server: Server, metrics: Metrics) -> None:
    @app.get("/models")
    async def models() -> list[ModelFacts]:
        """The models of this server."""
        return [ModelFacts(**one) for one in server.models.describe()]

    @app.get("/health")
    async def health() -> Health:
        """That the server answers."""
        return Health()

    @app.get("/metrics", response_class=Response, responses={401: PROBLEMS[401], 403: PROBLEMS[403]})
    async def metrics_text(request: Request) -> Response:
        """Counts and times for Prometheus, none of them by client."""
        server.admit(request)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


class PageFiles(StaticFiles):
    """The page's files, which load nothing from elsewhere."""

    def file_response(self, *args, **kwargs) -> Response:
        """A file, with the headers of the page."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(PAGE_HEADERS)
        return response


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGE / "index.html", headers=PAGE_HEADERS)

    app.mount("/page", PageFiles(directory=PAGE))
