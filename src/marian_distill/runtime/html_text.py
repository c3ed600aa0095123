"""HTML to what is translated of it and what is not: tags, attributes, comments, scripts and code stay as they are.

By hand and not by `html.parser`, which gives no closing tag as it was written: what came back would be other HTML.
Whatever is not well formed is text or a literal; nothing is an error.
"""

import html
import re
import unicodedata
from collections.abc import Iterator

from marian_distill.runtime.spans import Glossary, Masked, SentenceBuilder

_TAG = re.compile(r"""</?(?P<name>[A-Za-z][\w:.-]*)(?:[^"'<>]++|"[^"]*+"|'[^']*+')*+>""")
_TAG_START = re.compile(r"</?[A-Za-z]")
_PLAIN_TAG = re.compile(r"</?(?P<name>[A-Za-z][\w:.-]*)[^<>]*+>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z]\w{1,31});", re.ASCII)
_NOT_TRANSLATED = re.compile(r"""\btranslate\s*=\s*["']?no\b|\bclass\s*=\s*(?:"[^"]*|'[^']*|)\bnotranslate\b""", re.I)
# Between these sentences end. Any other element is a part of its sentence.
BLOCKS = frozenset(
    """address article aside audio base blockquote body br button canvas caption center col colgroup dd details dialog
    dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html
    iframe input legend li link main math menu meta nav noscript object ol optgroup option p param pre progress script
    search section select source style summary svg table tbody td template textarea tfoot th thead title tr track ul
    video xmp""".split()  # noqa: SIM905
)
_RAW = frozenset(("script", "style", "textarea", "xmp"))  # markup in these is none
_NOUNS = frozenset(("code", "kbd", "samp", "var"))  # kept, and part of their sentence
_KEPT = _RAW | _NOUNS | {"pre", "svg", "math", "canvas", "object", "template"}
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)


def parse_html(text: str, glossary: Glossary | None = None) -> list[str | Masked]:
    """HTML in its order: strings stay as they are, of each `Masked` the text is translated.

    Text is unescaped and its white space is one space; it is escaped again where it is put back.
    """
    builder = SentenceBuilder(glossary, escaped)
    parts: list[str | Masked] = []

    def end_block() -> None:
        block = builder.finish()
        words = block.text.strip()
        before, _, after = block.text.partition(words) if words else (block.text, "", "")
        parts.append(before.replace("\xa0", "&nbsp;"))
        parts.append(block._replace(text=re.sub(r"\s+", " ", words)))
        parts.append(after.replace("\xa0", "&nbsp;"))

    for kind, name, token in _tokens(text):
        if kind == "text":
            _add_text(builder, token)
        elif name in BLOCKS:
            end_block()
            parts.append(token)
        elif kind == "tag" and name not in _VOID:
            builder.add_tag(name, token)
        else:
            builder.add_literal(token, detached=name not in _NOUNS)
    end_block()
    return [part for part in parts if part and part != Masked("")]


def _add_text(builder: SentenceBuilder, text: str) -> None:
    """Text whose entities for letters, punctuation and currencies become characters; other signs stay as written."""
    last, plain = 0, []
    for match in _ENTITY.finditer(text):
        character = html.unescape(match[0])
        plain.append(text[last : match.start()])
        last = match.end()
        if len(character) == 1 and (unicodedata.category(character)[0] in "LMNPZ" or character in "$€£¥°"):
            plain.append(character)
        else:
            builder.add_text("".join(plain))
            builder.add_literal(match[0], detached=True)
            plain = []
    builder.add_text("".join([*plain, text[last:]]))


def escaped(text: str) -> str:
    """Text as it stands in HTML between tags."""
    return html.escape(text, quote=False)


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    """Kind (text, tag, kept), element's name, and the token as it stands there; together they are the whole text."""
    position, tag_pattern = 0, _TAG
    while position < len(text):
        start = text.find("<", position)
        if start != position:
            yield "text", "", text[position : start if start >= 0 else len(text)]
            if start < 0:
                return
        if text.startswith(("<!", "<?"), start):
            ending = "-->" if text.startswith("<!--", start) else ">"
            position = _after(text, ending, start + 2)
            yield "kept", "", text[start:position]
            continue
        if not _TAG_START.match(text, start):
            yield "text", "", "<"
            position = start + 1
            continue
        match = tag_pattern.match(text, start)
        if match is None:  # a quotation mark without its other half: from here on they mean nothing
            tag_pattern = _PLAIN_TAG
            match = tag_pattern.match(text, start)
        if match is None:
            yield "kept", "", text[start]
            position = start + 1
            continue
        name, tag, position = match["name"].lower(), match[0], match.end()
        is_opening = not tag.startswith("</") and not tag.endswith("/>") and name not in _VOID
        if is_opening and (name in _KEPT or _NOT_TRANSLATED.search(tag)):
            position = _end_of(text, name, position)
            yield "kept", name, text[start:position]
        else:
            yield "tag", name, tag


def _after(text: str, ending: str, position: int) -> int:
    found = text.find(ending, position)
    return found + len(ending) if found >= 0 else len(text)


def _end_of(text: str, name: str, position: int) -> int:
    """Where the element ends whose opening tag ends at `position`, elements of its name in it counted."""
    depth = 1
    for match in re.compile(rf"<(?P<slash>/?){re.escape(name)}(?![\w:.-])[^>]*>", re.I).finditer(text, position):
        if match["slash"]:
            depth -= 1
        elif name not in _RAW and not match[0].endswith("/>"):
            depth += 1
        if depth == 0:
            return match.end()
    return len(text)
