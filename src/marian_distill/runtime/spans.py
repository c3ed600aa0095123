"""What a translation must hold as its source does: placeholders, addresses, code, emoji, tags, a glossary's terms.

Each becomes one `MASK` character of a `Masked` text, which can be cut into sentences and put together again; what it
stands for goes along beside it, in order.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from marian_distill.errors import UserError
from marian_distill.languages import Language, is_han
from marian_distill.runtime.segmentation import MASK, split_sentences, would_run_together


@dataclass(frozen=True)
class Span:
    """One part of a text that a model is not trusted with.

    Args:
        target: what stands in its place in the translation, to the character.
        source: words that the model may translate in their place: a glossary's term, the inside of an element.
        translation: what `source` is in the translation; where it is found there, `target` takes its place.
        detached: no part of the sentence's grammar (an emoji, a tag): at the edge of a sentence it is set aside.
        others: the same with other translations of `source`.
    """

    target: str = ""
    source: str = ""
    translation: str = ""
    detached: bool = False
    others: "tuple[Span, ...]" = ()


@dataclass(frozen=True)
class Element(Span):
    """A part of a text between two tags, which is to stand between them in the translation, once that is known."""

    opening: str = ""
    inside: "Masked" = field(default_factory=lambda: Masked(""))
    closing: str = ""


class Masked(NamedTuple):
    """A text, source or target, with `MASK` for each of its spans, in their order."""

    text: str
    spans: tuple[Span, ...] = ()

    def cut(self, texts: list[str]) -> list["Masked"]:
        """The spans dealt out to texts that are this one's, cut."""
        parts, first = [], 0
        for text in texts:
            last = first + text.count(MASK)
            parts.append(Masked(text, self.spans[first:last]))
            first = last
        return parts

    def filled(self, write: Callable[[Span], str]) -> str:
        """The text with what `write` makes of each span in its place."""
        between = self.text.split(MASK)
        return between[0] + "".join(write(span) + text for span, text in zip(self.spans, between[1:], strict=True))

    def written(self, escape: Callable[[str], str]) -> str:
        """The text with the target of each span in its place, and of what stands between them what `escape` makes.

        A word of a span is kept apart from words beside it, and an address from Chinese too: readers would take what
        follows for a part of it.
        """
        between = [escape(text) for text in self.text.split(MASK)]
        written = between[0]
        for span, after in zip(self.spans, between[1:], strict=True):
            target = span.target
            is_address = ADDRESS.match(target) is not None
            for text in filter(None, (target, after)):
                left, right = written[-1:], text[0]
                if left and (would_run_together(left, right) or (is_address and left.isalnum() and right.isalnum())):
                    written += " "
                written += text
        return written


# Pictures, dingbats and signs; a flag is a pair, a family is joined, a skin colour or a selector may follow.
_PICTURE = "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\u25aa-\u25fe\u3030\u303d\u3297\u3299]"
_EMOJI = (
    f"(?:[0-9#*]\ufe0f?\u20e3|(?:{_PICTURE}|[\u00a9\u00ae\u203c-\u2bff](?=\ufe0f))"
    f"(?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u20e3\U000e0020-\U000e007f]|\u200d{_PICTURE})*)"
)
_ADDRESS = r"[!#-&(-;=?-_a-~]"  # visible ASCII without quotes and angle brackets
_LAST = r"[\w/=&#~+}-]"  # no full stop or bracket that belongs to the sentence
_FILES = "py|js|ts|json|ya?ml|toml|txt|md|csv|html?|css|sh|exe|zip|pdf|docx?|xlsx?|png|jpe?g|gif|mp[34]"
_DOMAINS = "com|org|net|edu|gov|io|cn|dev|app|info|ai|hk|tw|uk|jp|de|fr|eu"
# What each is; where several begin at one place, the first of them. In ASCII: Han characters end each.
# Every pattern reads a text once, however it is made: a run of letters is entered at its beginning alone.
_LITERALS = {
    "empty": r"<(?P<element>[A-Za-z][\w:.-]*)(?:\s[^<>]*)?></(?P=element)\s*>",  # <b0></b0>
    "tag": r"</?(?P<tag_name>[A-Za-z][\w:.-]*)[^<>]*>|<!--(?:(?!<!--).)*?-->",
    "emoji": rf"{_EMOJI}(?:\s?{_EMOJI})*",
    "code": r"``[^\n]+?``|`[^`\n]+`",
    "url": rf"(?:https?|ftps?|wss?|file)://{_ADDRESS}*{_LAST}|(?:mailto|tel):{_ADDRESS}*\w|www\.{_ADDRESS}*{_LAST}",
    "email": r"(?<![\w.+%-])[\w.+%-]++@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "domain": rf"(?<![\w.@-])(?:[A-Za-z0-9-]+\.)+(?:{_DOMAINS})\b(?:/(?:{_ADDRESS}*{_LAST})?)?",
    "braces": r"\{\{[^{}\n]{1,80}\}\}|\{%[^{}\n]{1,80}%\}|[$#%]?\{[^{}\n]{0,80}\}"
    r"|｛[^｛｝\n]{1,80}｝|\[\[[^\[\]\n]{1,80}\]\]",
    # After a number a percent sign is its own, but for `%1$s`.
    "percent": r"(?:(?<!%)%\d{1,3}\$|(?<![\d%])(?<!\d )%(?:\(\w+\))?)[-+#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?"
    r"(?:hh?|ll?|[Lzjt])?[diouxXeEfFgGcsrpaA@](?![A-Za-z]{3})",
    "name": r"\$[A-Za-z_]\w+|(?<!\w)@[A-Za-z_]\w+(?:/[\w-]+)?|(?<![\w&])#[A-Za-z_]\w+|(?<!\w):[a-z][\w+-]+:(?!\w)",
    "entity": r"&(?:#\d{1,7}|#x[\da-fA-F]{1,6}|[A-Za-z]\w{1,31});",
    "path": r"(?<![\w/.])(?:~|\.{1,2})?(?:/[\w.@-]*[\w@-]){2,}/?|\b[A-Za-z]:\\[\w.\\-]*[\w\\-]",
    "identifier": r"(?<![\w.-])(?<!::)(?:--[a-z][\w-]+(?:=[\w./-]+)?|\w++(?:(?:\.|::)\w++)*+\(\)"
    r"|(?:[A-Za-z0-9]++\.)*+_*+[A-Za-z0-9]++_\w++(?:\.\w++)*+|[a-z]{2,}[A-Z]\w*|v\d+(?:\.\d+)+"
    rf"|[\w-]+\.(?:{_FILES})\b|[\da-fA-F]{{8}}(?:-[\da-fA-F]{{4}}){{3}}-[\da-fA-F]{{12}})",
    "unwritable": f"[{MASK}\ud800-\udfff\0]",  # what no tokenizer takes
}
ADDRESS = re.compile(f"{_LITERALS['url']}|{_LITERALS['email']}", re.ASCII)
LITERAL = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _LITERALS.items()), re.ASCII | re.DOTALL)
# In nearly every text this finds nothing, ten times as quickly: a character that is none of a sentence's own, or one
# that is beside another that makes something else of it (`a.B`, `aB`, `--`, `v1`, `$x`, `()`).
_UNUSUAL = re.compile(
    r"[^a-uw-z0-9\s,;!?'\"…—–’‘“”，。！？；：、（）《》\u4e00-\u9fff]"
    r"(?:(?<![A-Z.:v$%()-])|(?<=[a-z][A-Z])|(?<=[.:])(?=[^\W\d])|(?<=-)(?=-)|(?<=v)(?=\d)|(?<=\$)(?=[A-Za-z_{])"
    r"|(?<=%)(?:(?<!\d%)(?<!\d %)|(?=\d{1,3}\$))|(?<=\()(?=\))|(?<=[\da-fA-F]{8}-))"
)
_DETACHED = frozenset(("empty", "tag", "emoji", "entity", "unwritable"))
_BLOCK = re.compile(r"```.*?```|<!--(?:(?!<!--).)*?-->", re.DOTALL)
_WHOLE = re.compile(f"{_BLOCK.pattern}|{LITERAL.pattern}", re.ASCII | re.DOTALL)
MAX_DEPTH = 8  # elements within elements that are placed with their text


class _Written(NamedTuple):
    """What a `SentenceBuilder` has of a `Masked`."""

    texts: list[str]
    spans: list[Span]


class Glossary:
    """Terms and what each is to be in the translation; English ones are words, in any case; the longest one wins.

    Args:
        terms: source term → translation.
        language: of the terms.

    Raises:
        UserError: an empty term or translation.
    """

    def __init__(self, terms: Mapping[str, str], language: Language) -> None:
        self.language = language
        self.terms = {term.strip().lower(): translation.strip() for term, translation in terms.items()}
        if empty := [term for term, translation in self.terms.items() if not term or not translation]:
            raise UserError(f"glossary: the term {empty[0]!r} or its translation is empty")
        self.lengths = sorted({len(term) for term in self.terms}, reverse=True)

    def masked(self, text: str) -> Masked:
        """The text with its terms masked."""
        lower = text.lower()
        if len(lower) != len(text):  # a letter whose small one is two: none of an English or a Chinese term
            lower = text
        found, written, start, last = [], [], 0, 0
        while start < len(text) and self.lengths:
            term = self._at(lower, start)
            if term is None:
                start += 1
                continue
            written.append(text[last:start])
            last = start = start + len(term)
            translation = self.terms[term]
            found.append(Span(translation, text[last - len(term) : last], translation))
        return Masked(MASK.join([*written, text[last:]]), tuple(found))

    def _at(self, text: str, start: int) -> str | None:
        """The longest term that begins here."""
        if start and _in_a_word(text[start - 1], text[start]):
            return None
        for length in self.lengths:
            end = start + length
            term = text[start:end]
            if term in self.terms and not (end < len(text) and _in_a_word(text[end - 1], text[end])):
                return term
        return None


def _in_a_word(left: str, right: str) -> bool:
    """Whether no word ends between two characters: both letters or digits, and neither Han."""
    return left.isalnum() and right.isalnum() and not (is_han(left) or is_han(right))


class SentenceBuilder:
    """Puts the masked text of a line or of an HTML block together: text, what is kept, elements around parts of it.

    Args:
        glossary: of the source language.
        escape: what the target of a span in text goes through: HTML's `&` is `&amp;` in an address too.
    """

    def __init__(self, glossary: Glossary | None = None, escape: Callable[[str], str] = str) -> None:
        self.glossary = glossary
        self.escape = escape
        self.open: list[tuple[str, str, _Written]] = []  # name and tag of each element, and what came before it
        self.written = _Written([], [])

    def add_text(self, text: str) -> None:
        """Text without tags; what is to be kept in it is found here."""
        last = 0
        for match in LITERAL.finditer(text) if _UNUSUAL.search(text) else ():
            self._add_words(text[last : match.start()])
            last, kind = match.end(), match.lastgroup
            if kind == "tag" and match["tag_name"]:
                self.add_tag(match["tag_name"], match[0])
            else:
                self.add_literal(self.escape(match[0]), detached=kind in _DETACHED)
        self._add_words(text[last:])

    def _add_words(self, text: str) -> None:
        if text:
            words = self.glossary.masked(text) if self.glossary else Masked(text)
            self.written.texts.append(words.text)
            self.written.spans.extend(replace(span, target=self.escape(span.target)) for span in words.spans)

    def add_literal(self, literal: str, detached: bool = False) -> None:
        """What is to come back to the character; one that directly follows another is one with it."""
        texts, spans = self.written
        last = spans[-1] if texts and texts[-1] == MASK else None
        if last and not isinstance(last, Element) and not last.source:
            spans[-1] = Span(last.target + literal, detached=last.detached and detached)
        else:
            texts.append(MASK)
            spans.append(Span(literal, detached=detached))

    def add_tag(self, name: str, tag: str) -> None:
        """An opening or a closing tag. One without its other half is a literal, and so is one in very deep ones."""
        if tag.startswith("</"):
            if name not in (opened for opened, *_ in self.open):
                self.add_literal(tag, detached=True)
                return
            while self.open[-1][0] != name:
                self._leave_open()
            self._close(tag)
        elif tag.endswith("/>") or len(self.open) >= MAX_DEPTH:
            self.add_literal(tag, detached=True)
        else:
            self.open.append((name, tag, self.written))
            self.written = _Written([], [])

    def _leave_open(self) -> None:
        _, tag, before = self.open.pop()
        inside, self.written = self.written, before
        self.add_literal(tag, detached=True)
        self.written.texts.extend(inside.texts)
        self.written.spans.extend(inside.spans)

    def _close(self, closing: str) -> None:
        _, opening, before = self.open.pop()
        inside, self.written = Masked("".join(self.written.texts), tuple(self.written.spans)), before
        if inside.text.strip():
            self.written.texts.append(MASK)
            self.written.spans.append(Element(opening=opening, inside=inside, closing=closing))
        else:
            self.add_literal(opening + inside.text + closing, detached=True)

    def finish(self) -> Masked:
        """What was put together; the builder is as new afterwards."""
        while self.open:
            self._leave_open()
        (texts, spans), self.written = self.written, _Written([], [])
        return Masked("".join(texts), tuple(spans))


def sentences_of(text: str) -> list[list[str]]:
    """The sentences of each line as they are written, for callers that translate sentence by sentence.

    What must come back is whole in them, whatever stops it holds; a block of code is one sentence, of several lines.
    """
    kept = (match[0] for match in _WHOLE.finditer(text))
    lines = [split_sentences(line) for line in _WHOLE.sub(MASK, text).split("\n")]
    return [[re.sub(MASK, lambda _: next(kept), sentence) for sentence in line] for line in lines]


def parse_text(text: str, glossary: Glossary | None = None) -> list[str | Masked]:
    """Text in its order: strings (line breaks, blocks of code) stay as they are, each `Masked` line is translated."""
    parts: list[str | Masked] = []
    builder, last = SentenceBuilder(glossary), 0

    def add_lines(lines: str) -> None:
        for number, line in enumerate(lines.split("\n")):
            if number:
                parts.append("\n")
            builder.add_text(line.strip())
            parts.append(builder.finish())

    for match in _BLOCK.finditer(text):
        if "\n" in match[0]:
            add_lines(text[last : match.start()])
            parts.append(match[0])
            last = match.end()
    add_lines(text[last:])
    return [part for part in parts if part != Masked("")]
