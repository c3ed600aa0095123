"""Translations that are tried again where they lost something of their source, and marked where that does not help.

What must not be lost is the caller's to say: a function of source and translation, such as one that compares numbers.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from marian_distill.languages import Direction, languages_of
from marian_distill.pieces import EOS, is_tag
from marian_distill.runtime.prompt import PromptTranslator
from marian_distill.runtime.segmentation import join_segments
from marian_distill.runtime.translator import BeamTranslator, checked_direction, segment_texts

logger = logging.getLogger(__name__)

RETRY_BEAM_SIZE = 8  # hypotheses that a second try chooses from


class Checkable(PromptTranslator, BeamTranslator, Protocol):
    """A translator that tells all hypotheses of its beam."""


class Checked(NamedTuple):
    """A translation, and whether nothing was lost in it."""

    text: str
    kept: bool


class CheckedTranslator:
    """A translator around another one, that looks at what it says.

    Args:
        translator: does the work.
        kept: whether a translation (second) keeps what its source (first) holds.
    """

    def __init__(self, translator: Checkable, kept: Callable[[str, str], bool]) -> None:
        self.translator = translator
        self.kept = kept
        self.source_tags: Mapping[Direction, str | None] = translator.source_tags
        self.direction: Direction = translator.direction

    @property
    def compute_type(self) -> str:
        """What the translator inside computes in."""
        return self.translator.compute_type

    def translate_n_best(
        self, texts: Sequence[str], count: int, *, direction: str | None = None
    ) -> list[list[tuple[str, float]]]:
        """For each text its `count` best translations and their scores, unchecked: all of them are shown."""
        return self.translator.translate_n_best(texts, count, direction=direction)

    def translate(self, texts: Sequence[str], first_line: int = 1, *, direction: str | None = None) -> list[str]:
        """Translate texts (see `Translator`); one that loses something all the same is told on stderr by its line."""
        checked = self.check(texts, first_line, direction=direction)
        for number, one in enumerate(checked, start=first_line):
            if not one.kept:
                logger.warning("line %d: the numbers of the translation differ from the source's", number)
        return [one.text for one in checked]

    def check(self, texts: Sequence[str], first_line: int = 1, *, direction: str | None = None) -> list[Checked]:
        """Translate texts; what loses something is taken from a wider beam, sentence by sentence, where that helps."""
        chosen = checked_direction(self.source_tags, direction, self.direction)
        checked = []
        translations = self.translator.translate(texts, first_line, direction=chosen)
        for text, first in zip(texts, translations, strict=True):
            if self.kept(text, first):
                checked.append(Checked(first, True))
                continue
            second = self._second_try(text, chosen)
            kept = self.kept(text, second)
            checked.append(Checked(second if kept else first, kept))
        return checked

    def _second_try(self, text: str, direction: Direction) -> str:
        translator, pieces = self.translator, self.translator.pieces
        target_language = languages_of(direction)[1]
        lines = []
        for segments in segment_texts(translator, [text], direction)[0]:
            chosen = []
            for segment, found in zip(segments, translator.decode_n_best(segments, RETRY_BEAM_SIZE), strict=True):
                source = pieces.source.decode([piece for piece in segment if piece != EOS and not is_tag(piece)])
                hypotheses = pieces.decode_all(names for names, _ in found)
                chosen.append(next((one for one in hypotheses if self.kept(source, one)), hypotheses[0]))
            lines.append(join_segments(chosen, target_language))
        return "\n".join(lines)
