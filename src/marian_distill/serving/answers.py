"""What all routes share: the server's parts, a request's values and key, and how a problem is told."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile
from starlette.responses import JSONResponse, Response

from marian_distill.files import parse_json
from marian_distill.serving.dialects import error_of
from marian_distill.serving.limits import Keys, Limits, RequestError
from marian_distill.serving.models import Models
from marian_distill.serving.translation import Service

KEY_FIELDS = ("api_key", "auth_key", "token", "key")  # of LibreTranslate, DeepL, MTranServer, Google
KEY_HEADERS = ("x-api-key", "x-goog-api-key")


@dataclass(frozen=True)
class Server:
    """What routes work with."""

    service: Service
    models: Models
    limits: Limits
    keys: Keys

    def admit(self, request: Request, values: dict[str, Any] | None = None) -> None:
        """`RequestError` (401, 403) when the request has no key that is let in, where keys are asked for."""
        if self.keys:
            self.keys.check(key_of(request, values or {}))


def key_of(request: Request, values: dict[str, Any]) -> str | None:
    """A request's API key: from `Authorization: Bearer KEY`, another header, the body or the query."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "deepl-auth-key") and key:
        return key.strip()
    found = [request.headers.get(name) for name in KEY_HEADERS]
    found += [fields.get(name) for fields in (values, request.query_params) for name in KEY_FIELDS]
    return next((key for key in found if key and isinstance(key, str)), None)


async def values_of(request: Request) -> dict[str, Any]:
    """What a request says in its query, its form or its JSON object; a field that comes more than once is a list."""
    values = _flat(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return {**values, **_flat(await request.form(max_files=1))}
    body = await request.body()
    if not body.strip():
        return values
    try:
        sent = parse_json(body.decode("utf-8"))
    except ValueError as error:
        raise RequestError(400, "Invalid JSON format") from error
    if not isinstance(sent, dict):
        raise RequestError(400, "Invalid JSON format: expected an object")
    return {**values, **sent}


def _flat(fields: ImmutableMultiDict[str, Any] | FormData) -> dict[str, Any]:
    listed = {name: [value for value in fields.getlist(name) if not isinstance(value, UploadFile)] for name in fields}
    return {name: values[0] if len(values) == 1 else values for name, values in listed.items() if values}


def refusal(path: str, error: RequestError) -> Response:
    """A problem in the shape that the clients of a path expect."""
    shape, keyless = error_of(path)
    status = keyless if error.status == 401 else error.status
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    message = error.message.encode("utf-8", "replace").decode("utf-8")
    return JSONResponse(shape(status, message), status, headers)
