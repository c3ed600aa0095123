"""Translations that hold what must come back, whatever the model: placeholders, addresses, code, tags, terms, amounts.

A model sees a stand-in for each, and what it says is checked. Where a stand-in is lost, others are tried, then a wider
beam; at last the text is translated in parts around what must come back. A text that holds nothing of the kind is
translated as if this module were not there.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from marian_distill.languages import Direction
from marian_distill.runtime.attempts import Call, Format, Protectable
from marian_distill.runtime.spans import parse_text

logger = logging.getLogger(__name__)


class Protected(NamedTuple):
    """A translation and what became of it.

    Args:
        text: the translation.
        warnings: what may be wrong with it, in words.
        way: `plain` where nothing had to be protected; `stand-in` where the first ones came back, `retry` where others
            or a wider beam did, `split` where a part of the text was translated in pieces.
    """

    text: str
    warnings: tuple[str, ...] = ()
    way: str = "plain"


class ProtectedTranslator:
    """A translator around another one, that sees to it that what must come back does.

    Args:
        translator: does the work.
        kept: whether a translation (second) keeps the amounts of its source (first), `text.numbers.numbers_kept`, say;
            nobody looks when None.
        glossary: of the calls that give none.
    """

    def __init__(
        self,
        translator: Protectable,
        kept: Callable[[str, str], bool] | None = None,
        glossary: Mapping[str, str] | None = None,
    ) -> None:
        self.translator = translator
        self.kept = kept
        self.glossary = glossary
        self.source_tags: Mapping[Direction, str | None] = translator.source_tags
        self.direction: Direction = translator.direction

    @property
    def compute_type(self) -> str:
        """What the translator inside computes in."""
        return self.translator.compute_type

    @property
    def beam_size(self) -> int:
        """The translator's own."""
        return self.translator.beam_size

    def translate(
        self,
        texts: Sequence[str],
        first_line: int = 1,
        *,
        direction: str | None = None,
        format: Format = "text",
        glossary: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Translate texts (see `Translator`); what is wrong with one is told on stderr by its line.

        Args:
            texts: plain text, or HTML.
            first_line: the number of the first text.
            direction: the translator's own when None.
            format: in HTML tags, attributes, comments, code and what says `translate="no"` stay as they are.
            glossary: source term → what it is in the translation, always; the translator's own when None.
        """
        protected = self.check(texts, first_line, direction=direction, format=format, glossary=glossary)
        for number, one in enumerate(protected, start=first_line):
            for warning in one.warnings:
                logger.warning("line %d: %s", number, warning)
        return [one.text for one in protected]

    def check(
        self,
        texts: Sequence[str],
        first_line: int = 1,
        *,
        direction: str | None = None,
        format: Format = "text",
        glossary: Mapping[str, str] | None = None,
    ) -> list[Protected]:
        """Translate texts as `translate` does; the warnings of each come with it."""
        one_call = Call(self.translator, self.kept, direction, format)
        pages = one_call.parsed(texts, self.glossary if glossary is None else glossary)
        plain = ["" if index in pages else text for index, text in enumerate(texts)]  # every line keeps its number
        first = self.translator.translate(plain, first_line, direction=one_call.direction)
        results = {index: Protected(one) for index, one in enumerate(first) if index not in pages}
        if self.kept:
            for index, one in results.items():
                if not self.kept(texts[index], one.text):
                    pages[index] = parse_text(texts[index])
        for index, found in one_call.translate_pages(pages).items():
            if index in results and found.warnings:  # no better than the first
                results[index] = results[index]._replace(warnings=tuple(found.warnings))
            else:
                results[index] = Protected(one_call.written(found.best), tuple(found.warnings), found.way)
        return [results[index] for index in range(len(texts))]

    def translate_n_best(
        self,
        texts: Sequence[str],
        count: int,
        *,
        direction: str | None = None,
        format: Format = "text",
        glossary: Mapping[str, str] | None = None,
    ) -> list[list[tuple[str, float]]]:
        """For each text its `count` best translations that hold what they must, with scores; amounts may differ."""
        one_call = Call(self.translator, None, direction, format)
        pages = one_call.parsed(texts, self.glossary if glossary is None else glossary)
        plain = ["" if index in pages else text for index, text in enumerate(texts)]
        first = self.translator.translate_n_best(plain, count, direction=one_call.direction)
        results = {index: one for index, one in enumerate(first) if index not in pages}
        for index, found in one_call.translate_pages(pages).items():
            distinct: dict[str, float] = {}
            for masked, score in found.alternatives:
                distinct.setdefault(one_call.written(masked), score)
            results[index] = list(distinct.items())[:count]
        return [results[index] for index in range(len(texts))]
