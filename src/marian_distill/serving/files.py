"""Translating a file that is sent in a form."""

from pathlib import PurePath
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import Response

from marian_distill.serving.answers import Server
from marian_distill.serving.dialects import language_of_code
from marian_distill.serving.documents import Text, name_in, parts_of
from marian_distill.serving.limits import RequestError
from marian_distill.serving.translation import Wish, detect

TEXTS_AT_ONCE = 64  # of a file in the queue: others' requests get their turn in between
SAMPLE = 2_000  # characters that tell a file's language
TYPES = {".html": "text/html", ".htm": "text/html", ".md": "text/markdown", ".srt": "application/x-subrip"}


async def translate_file(
    server: Server, upload: object, source_code: object, target_code: object
) -> tuple[str, bytes]:
    """Name and bytes of a file's translation; the codes are any that clients send."""
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise RequestError(400, "Invalid request: missing file parameter")
    parts, markup = parts_of(upload.filename, await upload.read())
    texts = [part.text for part in parts if isinstance(part, Text)]
    source = language_of_code(source_code) or detect("\n".join(texts)[:SAMPLE])[0]
    target = language_of_code(target_code) or ("zh" if source == "en" else "en")
    translations: list[str] = []
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        wish = Wish(texts[first : first + TEXTS_AT_ONCE], source, target, format=markup)
        translations += [one.text for one in await server.service.translate_unbounded(wish)]
    found = iter(translations)
    written = "".join(part if isinstance(part, str) else next(found) for part in parts)
    return name_in(upload.filename, target), written.encode("utf-8")


def file_response(name: str, content: bytes) -> Response:
    """A file to be saved under its name; it is never shown in a browser as a page of this server."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    media_type = TYPES.get(PurePath(name).suffix.lower(), "text/plain")
    return Response(content, media_type=f"{media_type}; charset=utf-8", headers=headers)
