"""The routes of other servers' APIs: translating as `dialects.DIALECTS` has it, and what their clients ask besides."""

import secrets
import time
from collections import OrderedDict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from marian_distill.languages import languages_of
from marian_distill.serving.answers import Server, values_of
from marian_distill.serving.dialects import DEEPL, DIALECTS, GOOGLE, GOOGLE_PATHS, LIBRE, NAMES, Dialect
from marian_distill.serving.documents import READERS
from marian_distill.serving.files import file_response, translate_file
from marian_distill.serving.limits import RequestError
from marian_distill.serving.models import languages_from
from marian_distill.serving.translation import detect

MOST_DOWNLOADS = 64
DOWNLOAD_SECONDS = 1_800.0
FRONTEND_TIMEOUT = 500  # milliseconds that a page waits for more typing


def compatible_routes(server: Server) -> APIRouter:
    """Routes of LibreTranslate, DeepL, Google, Immersive Translate, kiss-translator and DeepLX."""
    router = APIRouter()
    for dialect in DIALECTS:
        for path in dialect.paths:
            _add_translation(router, server, path, dialect)
    _add_libretranslate(router, server)
    _add_deepl(router, server)
    for path in GOOGLE_PATHS:
        _add_google(router, server, path)
    return router


def _add_translation(router: APIRouter, server: Server, path: str, dialect: Dialect) -> None:
    async def translate(request: Request) -> Response:
        values = await values_of(request)
        server.admit(request, values)
        return JSONResponse(dialect.write(values, await server.service.translate(dialect.wish(values))))

    texts = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    language = {"type": "string"}
    fields = {**dict.fromkeys(dialect.texts, texts), dialect.source: language, dialect.target: language}
    schema = {"type": "object", "properties": fields, "required": [dialect.target]}
    described = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    methods = ["POST", "GET"] if path in GOOGLE_PATHS else ["POST"]
    for method in methods:  # an operation each, or they would share one name in the OpenAPI document
        extra = described if method == "POST" else None
        router.add_api_route(path, translate, methods=[method], openapi_extra=extra, tags=["compatible"])


def _add_libretranslate(router: APIRouter, server: Server) -> None:
    downloads = Downloads()

    @router.post("/detect", tags=["compatible"])
    async def detect_language(request: Request) -> Any:
        values = await values_of(request)
        server.admit(request, values)
        text = values.get("q")
        if not isinstance(text, str) or not text:
            raise RequestError(400, "Invalid request: missing q parameter")
        server.limits.check_texts([text])
        language, confidence = detect(text)
        return [{"confidence": round(100 * confidence), "language": LIBRE[language]}]

    @router.get("/languages", tags=["compatible"])
    async def languages() -> Any:
        targets = languages_from(server.models.directions)
        return [
            {"code": LIBRE[one], "name": NAMES[one], "targets": [LIBRE[target] for target in targets.get(one, [])]}
            for one in LIBRE
        ]

    @router.get("/frontend/settings", tags=["compatible"])
    async def settings() -> Any:
        source, target = languages_of(server.models.directions[0])
        return {
            "charLimit": server.limits.characters,
            "frontendTimeout": FRONTEND_TIMEOUT,
            "apiKeys": bool(server.keys),
            "keyRequired": bool(server.keys),
            "suggestions": False,
            "filesTranslation": True,
            "supportedFilesFormat": list(READERS),
            "language": {
                "source": {"code": LIBRE[source], "name": NAMES[source]},
                "target": {"code": LIBRE[target], "name": NAMES[target]},
            },
        }

    @router.post("/translate_file", tags=["compatible"])
    async def translate_a_file(request: Request) -> Any:
        values = await values_of(request)
        server.admit(request, values)
        form = await request.form(max_files=1)
        name, content = await translate_file(server, form.get("file"), values.get("source"), values.get("target"))
        return {"translatedFileUrl": f"{request.base_url}download_file/{downloads.add(name, content)}"}

    @router.get("/download_file/{name}", tags=["compatible"], responses={404: {"description": "Not any more."}})
    async def download_file(name: str) -> Response:
        return file_response(*downloads.get(name))


class Downloads:
    """Translated files that wait to be fetched: a limited number, for half an hour, in memory alone."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[float, str, bytes]] = OrderedDict()

    def add(self, name: str, content: bytes) -> str:
        """Keep a file; the name that it is fetched by."""
        self._forget()
        secret = f"{secrets.token_urlsafe(16)}.{name.rpartition('.')[2]}"
        self._files[secret] = (time.monotonic(), name, content)
        return secret

    def get(self, secret: str) -> tuple[str, bytes]:
        """Name and content; `RequestError` (404) when it is not there any more."""
        self._forget()
        if secret not in self._files:
            raise RequestError(404, "no such file, or not any more")
        return self._files[secret][1:]

    def _forget(self) -> None:
        oldest = time.monotonic() - DOWNLOAD_SECONDS
        while self._files and (len(self._files) >= MOST_DOWNLOADS or next(iter(self._files.values()))[0] < oldest):
            self._files.popitem(last=False)


def _add_deepl(router: APIRouter, server: Server) -> None:
    @router.get("/v2/languages", tags=["compatible"])
    async def languages(request: Request) -> Any:
        server.admit(request)
        values = await values_of(request)
        targets = languages_from(server.models.directions)
        is_target = values.get("type") == "target"
        known = {one for listed in targets.values() for one in listed} if is_target else set(targets)
        more = {"supports_formality": False} if is_target else {}
        return [{"language": DEEPL[one], "name": NAMES[one], **more} for one in DEEPL if one in known]

    @router.get("/v2/usage", tags=["compatible"])
    async def usage(request: Request) -> Any:
        server.admit(request)
        return {"character_count": 0, "character_limit": 1_000_000_000_000}  # nothing is counted against anybody


def _add_google(router: APIRouter, server: Server, path: str) -> None:
    @router.get(f"{path}/languages", tags=["compatible"])
    async def languages(request: Request) -> Any:
        server.admit(request)
        return {"data": {"languages": [{"language": GOOGLE[one], "name": NAMES[one]} for one in GOOGLE]}}

    @router.post(f"{path}/detect", tags=["compatible"])
    async def detect_languages(request: Request) -> Any:
        values = await values_of(request)
        server.admit(request, values)
        texts: list = values["q"] if isinstance(values.get("q"), list) else [values.get("q")]
        if not all(isinstance(text, str) and text for text in texts):
            raise RequestError(400, "Invalid request: missing q parameter")
        server.limits.check_texts(texts)
        found = [detect(text) for text in texts]
        return {
            "data": {
                "detections": [
                    [{"language": GOOGLE[language], "confidence": confidence, "isReliable": confidence == 1}]
                    for language, confidence in found
                ]
            }
        }
