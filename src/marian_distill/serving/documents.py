"""Files to texts and back: plain text, Markdown, HTML, subtitles (SubRip). What is no text stays as it is.

A document is a list of parts: strings that stay, and `Text`s that are translated.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

from marian_distill.languages import Language, is_han
from marian_distill.serving.limits import RequestError
from marian_distill.serving.translation import Format

CHUNK = 4_000  # characters of HTML that are translated at once: others get their turn in between


class Text(NamedTuple):
    """A part of a document that is translated."""

    text: str


_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_PREFIX = re.compile(r"\s*(?:>\s?)*(?:(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?|#{1,6}\s+)?")
_NOT_TEXT = re.compile(r"\s*(?:[-=*_|: ]*|\[[^\]]+\]:\s.*|<!--.*-->)\s*")
_TIMES = re.compile(r"\s*\d+:\d\d:\d\d[,.]\d+\s*-->")
_BLOCK_END = re.compile(
    r"<(script|style|pre|textarea)\b.*?</\1\s*>|</(?:p|div|li|h[1-6]|t[dhr]|section|article|blockquote)\s*>",
    re.I | re.S,
)


def parts_of(name: str, content: bytes) -> tuple[list[str | Text], Format]:
    """A file's parts in their order, and the format of its texts: `text` or `html`.

    Raises:
        RequestError: 400 for a kind of file that is not known, or bytes that are no UTF-8.
    """
    reader = READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        raise RequestError(400, f"Invalid request: file format not supported; there is {', '.join(READERS)}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(400, f"Invalid request: the file is not valid UTF-8 ({error.reason})") from error
    return list(reader(text.replace("\r\n", "\n"))), "html" if reader is _html else "text"


def name_in(name: str, target: Language) -> str:
    """A translated file's name: `menu.md` → `menu.zh.md`."""
    path = PurePath(name.replace("\\", "/"))
    return f"{path.stem}.{target}{path.suffix}"


def _plain(text: str) -> Iterator[str | Text]:
    for line in text.splitlines(keepends=True):
        yield Text(line.strip())
        yield "\n" if line.endswith("\n") else ""


def _markdown(text: str) -> Iterator[str | Text]:
    """Line by line; the lines of a paragraph together."""
    paragraph: list[str] = []
    fence = "---" if text.startswith("---\n") else ""  # front matter
    for number, line in enumerate(text.splitlines()):
        opening = _FENCE.match(line)
        if fence or opening or _NOT_TEXT.fullmatch(line):
            yield from _paragraph(paragraph)
            if not fence and opening:
                fence = opening[1]
            elif fence and number and line.strip().startswith(fence):
                fence = ""
            yield f"{line}\n"
            continue
        prefix = _PREFIX.match(line)
        start = prefix[0] if prefix else ""
        if start.strip() or "|" in line:
            yield from _paragraph(paragraph)
        if line.strip().startswith("|"):
            for cell in re.split(r"(\s*(?<!\\)\|\s*)", line):
                yield cell if not cell.strip() or cell.strip() == "|" else Text(cell)
            yield "\n"
        elif start.strip():
            yield start
            paragraph.append(line[len(start) :])
        else:
            paragraph.append(line)
    yield from _paragraph(paragraph)


def _paragraph(lines: list[str]) -> Iterator[str | Text]:
    if lines:
        yield Text(_one_line(lines))
        yield "\n"
        lines.clear()


def _one_line(lines: list[str]) -> str:
    """Lines put together: with spaces, but not between Han characters."""
    joined = ""
    for line in map(str.strip, lines):
        joined += (" " if joined and line and not (is_han(joined[-1]) or is_han(line[0])) else "") + line
    return joined


def _subtitles(text: str) -> Iterator[str | Text]:
    """The lines of a cue together; its number and times stay."""
    for cue in re.split(r"(\n{2,})", text):
        lines = cue.split("\n")
        times = next((number for number, line in enumerate(lines) if _TIMES.match(line)), None)
        if times is None:
            yield cue
            continue
        yield "".join(f"{line}\n" for line in lines[: times + 1])
        yield Text(_one_line(lines[times + 1 :]))


def _html(text: str) -> Iterator[str | Text]:
    """Chunks that end with a block."""
    start = 0
    for match in _BLOCK_END.finditer(text):
        if match.end() - start >= CHUNK:
            yield Text(text[start : match.end()])
            start = match.end()
    yield Text(text[start:])


READERS = {".txt": _plain, ".md": _markdown, ".srt": _subtitles, ".html": _html, ".htm": _html}
