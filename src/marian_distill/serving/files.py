"""Translating a file that is sent in a form."""

from collections.abc import AsyncIterator
from pathlib import PurePath
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import Response

from marian_distill.languages import Language
from marian_distill.serving.answers import Server
from marian_distill.serving.dialects import language_of_code
from marian_distill.serving.documents import Text, name_in, parts_of
from marian_distill.serving.limits import RequestError
from marian_distill.serving.translation import Format, Service, Wish, detect

TEXTS_AT_ONCE = 64  # of a file in the queue: others' requests get their turn in between
SAMPLE = 2_000  # characters that tell a file's language
TYPES = {".html": "text/html", ".htm": "text/html", ".md": "text/markdown", ".srt": "application/x-subrip"}


class FileTranslation:
    """A file on its way: some of its texts are translated at a time, and what is no text stays as it is."""

    def __init__(self, name: str, content: bytes, source_code: object, target_code: object) -> None:
        self._parts, markup = parts_of(name, content)
        self._markup: Format = markup
        self._texts = [part.text for part in self._parts if isinstance(part, Text)]
        self._source: Language = language_of_code(source_code) or detect("\n".join(self._texts)[:SAMPLE])[0]
        self._target: Language = language_of_code(target_code) or ("zh" if self._source == "en" else "en")
        self._translations: list[str] = []
        self.name = name_in(name, self._target)

    @classmethod
    async def of_upload(cls, upload: object, source_code: object, target_code: object) -> "FileTranslation":
        """As it came in a form; the codes are any that clients send."""
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise RequestError(400, "Invalid request: missing file parameter")
        return cls(upload.filename, await upload.read(), source_code, target_code)

    async def run(self, service: Service) -> AsyncIterator[float]:
        """Translate; tells from time to time how much is done, up to 1."""
        for first in range(0, len(self._texts), TEXTS_AT_ONCE):
            wish = Wish(self._texts[first : first + TEXTS_AT_ONCE], self._source, self._target, format=self._markup)
            self._translations += [one.text for one in await service.translate_unbounded(wish)]
            yield len(self._translations) / len(self._texts)

    def text(self) -> str:
        """The whole file, translated."""
        found = iter(self._translations)
        return "".join(part if isinstance(part, str) else next(found) for part in self._parts)


async def translate_file(
    server: Server, upload: object, source_code: object, target_code: object
) -> tuple[str, bytes]:
    """Name and bytes of a file's translation."""
    file = await FileTranslation.of_upload(upload, source_code, target_code)
    async for _ in file.run(server.service):
        pass
    return file.name, file.text().encode("utf-8")


def file_response(name: str, content: bytes) -> Response:
    """A file to be saved under its name; it is never shown in a browser as a page of this server."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    media_type = TYPES.get(PurePath(name).suffix.lower(), "text/plain")
    return Response(content, media_type=f"{media_type}; charset=utf-8", headers=headers)
