"""One call's translations of texts that hold what must come back: attempt after attempt, and at last in parts.

Nothing is left to chance: a translation counts when everything was found in it, and what no attempt could do whole is
cut at sentences, at commas, and around what must come back, until it is kept because no model has seen it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from marian_distill.languages import Direction, Language, languages_of
from marian_distill.pieces import EOS
from marian_distill.runtime.html_text import escaped, parse_html
from marian_distill.runtime.prompt import PromptTranslator
from marian_distill.runtime.segmentation import (
    MASK,
    join_segments,
    one_line,
    segment_line,
    split_clauses,
    split_sentences,
)
from marian_distill.runtime.spans import Element, Glossary, Masked, Span, parse_text
from marian_distill.runtime.stand_ins import Disguise, Style, disguised, restored
from marian_distill.runtime.translator import BeamTranslator, checked_direction

Format = Literal["text", "html"]
Page = list[str | Masked]  # a text in its order: what stays as it is, and what is translated
WAYS = ("", "plain", "stand-in", "retry", "split")
RETRY_BEAM_SIZE = 8  # hypotheses that a later try chooses from
# What a model is shown, one after another until nothing is lost, and the beam: 0 is the translator's own.
# Cities first: a model that knows no better takes a number for a year or a price (docs/protection.md).
ATTEMPTS: tuple[tuple[Style, int], ...] = (
    ("words", 0),
    ("cities", 0),
    ("numbers", 0),
    ("words", RETRY_BEAM_SIZE),
    ("cities", RETRY_BEAM_SIZE),
    ("numbers", RETRY_BEAM_SIZE),
)
NUMBERS_DIFFER = "the numbers of the translation differ from the source's"
CUT = "the translation met the maximum decoding length and was cut there"
_MASK_OR_NUMBER = re.compile(rf"{MASK}|\d+(?:[.,:/]\d+)*")
_STOPS = ".。!！?？…:：;；,，"
_SPACE_BEFORE_SIGN = re.compile(r"\s+(?=[,.;:!?)])")
_WORD = re.compile(r"[^\W_]")
_LAST_DETACHED = re.compile(rf"(?P<before>\s*){MASK}(?P<stop>\s*[.!?。！？…]*)$")
_TO_CHINESE = str.maketrans(",.;:!?()", "，。；：！？（）")
_TO_ENGLISH = str.maketrans("，。；：！？（）、", ",.;:!?(),")


class Protectable(PromptTranslator, BeamTranslator, Protocol):
    """A translator that tells all hypotheses of its beam."""


@dataclass
class Found:
    """Translations of one part of a text, best first, with their scores; and how they were found."""

    alternatives: list[tuple[Masked, float]]
    way: str = "plain"
    warnings: list[str] = field(default_factory=list)

    @property
    def best(self) -> Masked:
        """The first of them."""
        return self.alternatives[0][0]


class Call:
    """One call's work, in batches: each attempt decodes all segments that are still without a translation."""

    def __init__(
        self,
        translator: Protectable,
        kept: Callable[[str, str], bool] | None,
        direction: str | None,
        format: Format,
    ) -> None:
        self.translator = translator
        self.kept = kept or (lambda source, translation: True)
        self.direction: Direction = checked_direction(translator.source_tags, direction, translator.direction)
        self.source_language: Language = languages_of(self.direction)[0]
        self.target_language: Language = languages_of(self.direction)[1]
        self.format = format

    def parsed(self, texts: Sequence[str], glossary: Mapping[str, str] | None) -> dict[int, Page]:
        """The texts that are more than plain text, by their number."""
        terms = Glossary(glossary, self.source_language) if glossary else None
        if self.format == "html":
            return {index: parse_html(text, terms) for index, text in enumerate(texts)}
        pages = {index: parse_text(text, terms) for index, text in enumerate(texts)}
        return {index: page for index, page in pages.items() if not _is_plain(page)}

    def written(self, masked: Masked) -> str:
        """The text with what stands for each of its spans."""
        return masked.written(escaped if self.format == "html" else str)

    def translate_pages(self, pages: dict[int, Page]) -> dict[int, Found]:
        """Translations of pages, by their number."""
        found = iter(self._translate([part for page in pages.values() for part in page if isinstance(part, Masked)]))
        return {
            index: _together([next(found) if isinstance(part, Masked) else _as_it_is(part) for part in page])
            for index, page in pages.items()
        }

    def _translate(self, texts: list[Masked]) -> list[Found]:
        """Translations of lines or blocks of any length."""
        if not texts:
            return []
        texts = self._with_elements_translated(texts)
        segmented = [text.cut(segment_line(text.text, self._length, self._most)) for text in texts]
        found = iter(self._translate_segments([segment for segments in segmented for segment in segments]))
        return [self._joined([next(found) for _ in segments]) for segments in segmented]

    @property
    def _most(self) -> int:
        return self.translator.max_segment_length

    def _length(self, text: str) -> int:
        return len(self._pieces([text.replace(MASK, " 4731 ")])[0])

    def _pieces(self, texts: list[str]) -> list[list[str]]:
        return self.translator.pieces.source_pieces(texts, self.translator.source_tags[self.direction])

    def _with_elements_translated(self, texts: list[Masked]) -> list[Masked]:
        """The texts with a `Span` for each `Element`: what is inside is translated by itself."""
        elements = [span for text in texts for span in text.spans if isinstance(span, Element)]
        spans = map(self._as_span, elements, self._translate([one.inside for one in elements]))
        return [
            text._replace(spans=tuple(next(spans) if isinstance(one, Element) else one for one in text.spans))
            for text in texts
        ]

    def _as_span(self, element: Element, found: Found) -> Span:
        insides = [_without_added_stop(element.inside, one) for one, _ in found.alternatives]
        targets = [element.opening + self.written(inside) + element.closing for inside in insides]
        if not all(span.translation for span in insides[0].spans):
            return Span(targets[0])
        source = element.inside.filled(lambda span: span.source)
        translations = [inside.filled(lambda span: span.translation) for inside in insides]
        known = [Span(*one) for one in zip(targets, [source] * len(targets), translations, strict=True) if one[2]]
        return replace(known[0], others=tuple(known[1:])) if known else Span(targets[0])

    def _translate_segments(self, segments: list[Masked]) -> list[Found]:
        """Translations of segments that the translator takes whole."""
        edges = [_without_edges(segment) for segment in segments]
        found = self._attempt([core for _, core, _ in edges])
        return [
            _together([_as_it_is(before), one, _as_it_is(after)])
            for (before, _, after), one in zip(edges, found, strict=True)
        ]

    def _attempt(self, sources: list[Masked]) -> list[Found]:
        """Translations of segments: by the first attempt that loses nothing, or else in parts."""
        done = {index: _as_it_is(source) for index, source in enumerate(sources) if not _WORD.search(source.text)}
        second_best: dict[int, Found] = {}  # something is wrong with these
        tried: set[int] = set()
        for style, beam_size in ATTEMPTS:
            disguises = self._disguised({i: one for i, one in enumerate(sources) if i not in done}, style)
            decoded = self._decode([pieces for _, pieces in disguises.values()], beam_size)
            for (index, (disguise, _)), hypotheses in zip(disguises.items(), decoded, strict=True):
                if found := self._chosen(sources[index], disguise, hypotheses):
                    found.way = "plain" if not sources[index].spans else "retry" if index in tried else "stand-in"
                    if found.warnings:
                        second_best.setdefault(index, found)
                    else:
                        done[index] = found
                tried.add(index)
        left = [index for index in range(len(sources)) if index not in done]
        done.update(
            zip(left, self._in_parts([(sources[index], second_best.get(index)) for index in left]), strict=True)
        )
        return [done[index] for index in range(len(sources))]

    def _disguised(self, sources: dict[int, Masked], style: Style) -> dict[int, tuple[Disguise, list[str]]]:
        """Those that the style has stand-ins for, and that fit, as the model sees them: text and pieces."""
        found = {
            index: disguise
            for index, source in sources.items()
            if (disguise := disguised(source, style, self.source_language, self.target_language))
        }
        pieces = self._pieces([disguise.text for disguise in found.values()])
        fitting = zip(found.items(), pieces, strict=True)
        return {index: (one, row) for (index, one), row in fitting if len(row) <= self._most or not one.sought}

    def _decode(self, pieces: list[list[str]], beam_size: int) -> list[list[tuple[str, float, bool]]]:
        """For each source the texts of its hypotheses, their scores, and whether they came to an end."""
        if not pieces:
            return []
        decoded = self.translator.decode_n_best(pieces, beam_size or self.translator.beam_size)
        texts = iter(self.translator.pieces.decode_all(row for found in decoded for row, _ in found))
        return [[(next(texts), score, row[-1:] == [EOS]) for row, score in found] for found in decoded]

    def _chosen(self, source: Masked, disguise: Disguise, hypotheses: list[tuple[str, float, bool]]) -> Found | None:
        """The hypotheses in which everything was found, those with the source's numbers first; None without any."""
        whole, cut = [], []
        for text, score, ended in hypotheses:
            if masked := restored(one_line(text), disguise):
                (whole if ended else cut).append((masked, score))
        if not whole:
            return Found(cut[:1], warnings=[CUT]) if cut and not source.spans else None
        right = [one for one in whole if self._keeps_numbers(source, one[0])]
        return Found(right or whole, warnings=[] if right else [NUMBERS_DIFFER])

    def _keeps_numbers(self, source: Masked, translation: Masked) -> bool:
        """Whether the words between what comes back to the character hold the same numbers."""
        return self.kept(
            source.filled(lambda span: span.source or " "), translation.filled(lambda span: span.translation or " ")
        )

    def _in_parts(self, sources: list[tuple[Masked, Found | None]]) -> list[Found]:
        """Translations of what no attempt could do whole; each comes with its best one that is not quite right."""
        parts = [_parts(source, second_best is None) for source, second_best in sources]
        found = iter(self._translate_segments([part for row in parts for part in row]) if any(parts) else [])
        results = []
        for (source, second_best), row in zip(sources, parts, strict=True):
            joined = self._joined([self._as_part(part, next(found)) for part in row])
            if len(row) > 1:
                joined.way = "split"
            joined.warnings = [warning for warning in joined.warnings if warning != NUMBERS_DIFFER]
            if second_best and (joined.warnings or not row or not self._keeps_numbers(source, joined.best)):
                joined = second_best
            elif not self._keeps_numbers(source, joined.best):
                joined.warnings.append(NUMBERS_DIFFER)
            results.append(joined)
        return results

    def _as_part(self, source: Masked, found: Found) -> Found:
        """A translation that is a part of a sentence's: signs alone become the target language's."""
        if not _WORD.search(source.text):
            signs = source.text.translate(_TO_CHINESE if self.target_language == "zh" else _TO_ENGLISH)
            found.alternatives = [(source._replace(text=signs), 0.0)]
        else:
            found.alternatives = [(_without_added_stop(source, one), score) for one, score in found.alternatives]
        return found

    def _joined(self, parts: list[Found]) -> Found:
        """One line of segments."""

        def glue(texts: list[str]) -> str:
            joined = join_segments([text for text in texts if text], self.target_language)
            return _SPACE_BEFORE_SIGN.sub("", joined) if len(texts) > 1 else joined

        return _together(parts, glue)


def _is_plain(page: Page) -> bool:
    return not any(isinstance(part, Masked) and part.spans for part in page) and all(
        part == "\n" for part in page if isinstance(part, str)
    )


def _as_it_is(part: str | Masked) -> Found:
    """What is its own translation."""
    masked = part if isinstance(part, Masked) else Masked(MASK, (Span(part),))
    return Found([(masked, 0.0)], way="")


def _together(parts: list[Found], glue: Callable[[list[str]], str] = "".join) -> Found:
    """One translation of several: with all alternatives where one part alone was translated, else the best of each."""

    def row(chosen: list[Masked]) -> Masked:
        return Masked(glue([one.text for one in chosen]), tuple(span for one in chosen for span in one.spans))

    warnings = [warning for part in parts for warning in part.warnings]
    way = max((part.way for part in parts), key=WAYS.index, default="")
    translated = [index for index, part in enumerate(parts) if part.way]
    best = [part.best for part in parts]
    if len(translated) == 1:
        [index] = translated
        alternatives = [
            (row([*best[:index], one, *best[index + 1 :]]), score) for one, score in parts[index].alternatives
        ]
    else:
        scores = [parts[index].alternatives[0][1] for index in translated]
        alternatives = [(row(best), sum(scores) / max(len(scores), 1))]
    return Found(alternatives, way, list(dict.fromkeys(warnings)))


def _without_edges(source: Masked) -> tuple[Masked, Masked, Masked]:
    """A segment without what is no part of its grammar at its beginning and end; a full stop stays with the words."""
    text, spans, first, after = source.text, list(source.spans), 0, Masked("")
    start = 0
    while text.startswith(MASK, start) and spans[first].detached:
        start, first = len(text) - len(text[start + 1 :].lstrip()), first + 1
    before = Masked(text[:start], source.spans[:first])
    text, spans = text[start:], spans[first:]
    while spans and spans[-1].detached and (match := _LAST_DETACHED.search(text)):
        text = text[: match.start()] + match["stop"].strip()
        after = Masked(match["before"] + MASK + after.text, (spans.pop(), *after.spans))
    return before, Masked(text, tuple(spans)), after


def _parts(source: Masked, is_lost: bool) -> list[Masked]:
    """A segment in parts that lose less, two at least where spans were lost; none where there is nothing to cut.

    Where only numbers differ, the same segment with its numbers as spans.
    """
    if not is_lost:
        masked = _with_numbers_masked(source)
        return [masked] if len(masked.spans) > len(source.spans) else []
    for split in (split_sentences, split_clauses):
        texts = split(source.text)
        if len(texts) > 1:
            return source.cut(texts)
    between = source.text.split(MASK)
    middle = len(between) // 2
    sides = MASK.join(between[:middle]).strip(), MASK, MASK.join(between[middle:]).strip()
    return [part for part in source.cut(list(sides)) if part.text]


def _with_numbers_masked(source: Masked) -> Masked:
    spans, waiting = [], iter(source.spans)
    for match in _MASK_OR_NUMBER.finditer(source.text):
        spans.append(next(waiting) if match[0] == MASK else Span(match[0], match[0], match[0]))
    return Masked(_MASK_OR_NUMBER.sub(MASK, source.text), tuple(spans))


def _without_added_stop(source: Masked, translation: Masked) -> Masked:
    """The translation of a part of a sentence without the full stop that the model ends every sentence with."""
    if source.text.rstrip()[-1:] not in _STOPS and translation.text[-1:] in (".", "。"):
        return translation._replace(text=translation.text[:-1])
    return translation
