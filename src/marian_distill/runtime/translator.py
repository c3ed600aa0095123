"""What every translator of this project can do, and the rules that they share: language tags, long text, n best."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol, TypedDict

from marian_distill.errors import UserError
from marian_distill.languages import DIRECTIONS, TAGS, Direction, languages_of
from marian_distill.pieces import EOS, SentencePieceTokenizer
from marian_distill.runtime.segmentation import join_segments, one_line, segment_line

logger = logging.getLogger(__name__)

# The bound of the phone app, in target tokens.
MAX_DECODING_LENGTH = 96
# Hypotheses side by side where nothing else is asked for: at the prompt, in evaluation, in forward translation.
BEAM_SIZE = 4
# A beam of more would take gigabytes; no translation gets better by it.
MAX_BEAM_SIZE = 64
# The position table of a model that does not say otherwise: the engine raises on anything longer.
MAX_POSITIONS = 512
# Beyond some thousands an engine ends in a segmentation fault.
MAX_THREADS = 256


class FolderConfig(TypedDict, total=False):
    """What translating reads of a model folder's config.json."""

    directions: list[str]
    source_tags: dict[str, str | None]
    max_position_embeddings: int
    sha256: dict[str, str]  # of the other files, where this project exported the folder


class Translator(Protocol):
    """Anything that turns source texts into target texts: a phone folder, a board, a Hugging Face model.

    Nothing of a call stays behind: callers of several directions may share one.
    """

    source_tags: Mapping[Direction, str | None]  # what sources begin with, of each direction that the model does
    direction: Direction  # where a call names none

    @property
    def compute_type(self) -> str:
        """What the weights are computed in, as the engine sees it: `int8_float32`, `float32`."""
        ...

    def translate(self, texts: Sequence[str], first_line: int = 1, *, direction: str | None = None) -> list[str]:
        """Translate texts, one result each, in their order.

        Args:
            texts: source texts of any length; line breaks are kept.
            first_line: the number of the first text, for warnings that name a line.
            direction: one of `source_tags`, else a `UserError`; the translator's own when None.
        """
        ...


class PieceTranslator(Protocol):
    """A translator that works on pieces; `translate_texts` makes a `Translator` of it."""

    source_tags: Mapping[Direction, str | None]
    direction: Direction
    pieces: SentencePieceTokenizer
    max_segment_length: int  # in source tokens (see `segment_bound`)

    def decode_pieces(self, sources: list[list[str]], beam_size: int | None = None) -> list[list[str]]:
        """Best target pieces for each list of source pieces, `</s>` included when decoding ended by itself.

        Args:
            sources: with tag and `</s>`.
            beam_size: the translator's own when None.
        """
        ...


class BeamTranslator(PieceTranslator, Protocol):
    """One that can tell all hypotheses of its beam; `n_best` makes translations of them."""

    beam_size: int

    def decode_n_best(self, sources: list[list[str]], beam_size: int) -> list[list[tuple[list[str], float]]]:
        """For each list of source pieces `beam_size` hypotheses and their mean log-probabilities, best first."""
        ...


def source_tags(directions: Sequence[Direction]) -> dict[Direction, str | None]:
    """The language tag that the source of each direction starts with, or None.

    English → Chinese always takes `>>cmn_Hans<<`. Chinese → English takes none, as phones send none, unless one model
    does both directions and the tag is all that tells them apart.
    """
    tags: dict[Direction, str | None] = {}
    for direction in directions:
        target = languages_of(direction)[1]
        tags[direction] = TAGS[target] if target == "zh" or len(directions) > 1 else None
    return tags


def declared_directions(config: Mapping) -> tuple[Direction, ...]:
    """The directions that a model folder's config.json declares under `directions`; empty when it says nothing."""
    return tuple(direction for direction in DIRECTIONS if direction in config.get("directions", ()))


def tags_of(config: Mapping) -> dict[Direction, str | None]:
    """The source tag of each direction that a model folder's config.json declares, the first of them its default.

    A model that declares none may be of either direction alone, English → Chinese first. The tag is what the folder's
    `source_tags` says, or else follows from the directions.
    """
    declared = declared_directions(config)
    tags = config.get("source_tags")
    if tags:
        return {direction: tags.get(direction) for direction in declared or DIRECTIONS}
    return source_tags(declared) if declared else {one: source_tags([one])[one] for one in DIRECTIONS}


def checked_direction(
    possible: Iterable[Direction], direction: str | None, default: Direction | None = None
) -> Direction:
    """The direction that is asked for, or the default (the first that is possible) when None.

    Raises:
        UserError: one that the model was not trained for.
    """
    possible = tuple(possible)
    for one in possible:
        if direction == one:
            return one
    if direction is not None:
        raise UserError(f"direction {direction!r}: this model translates {' or '.join(possible)}")
    return default or possible[0]


def checked_beam_size(beam_size: int) -> int:
    """The beam size, or a `UserError` when it is not from 1 to `MAX_BEAM_SIZE`."""
    if not 1 <= beam_size <= MAX_BEAM_SIZE:
        raise UserError(f"beam size {beam_size}: expected 1 (greedy) to {MAX_BEAM_SIZE}")
    return beam_size


def checked_threads(threads: int) -> int:
    """The number of threads, or a `UserError` when it is not from 0 to `MAX_THREADS`."""
    if not 0 <= threads <= MAX_THREADS:
        raise UserError(f"{threads} threads: expected 0 (as the engine chooses) to {MAX_THREADS}")
    return threads


def segment_bound(config: Mapping, max_decoding_length: int) -> int:
    """Longest segment, in source tokens, whose translation fits in `max_decoding_length` target tokens.

    A source token gives 0.6 to 1.3 target tokens (5th and 95th percentile, English news to Chinese, 32 k pieces), so
    1.5 leaves room. No segment has more than 128 tokens, the length that models are trained on.

    Raises:
        UserError: the position table (`max_position_embeddings` of the folder's config.json, 512 when it says nothing)
            is shorter than the decoding length: the engine would raise in mid-sentence.
    """
    positions = config.get("max_position_embeddings", MAX_POSITIONS)
    if not 12 <= max_decoding_length <= positions:
        raise UserError(f"maximum decoding length {max_decoding_length}: this model takes 12 to {positions} tokens")
    return min(128, max_decoding_length * 2 // 3)


def segment_texts(
    translator: PieceTranslator, texts: Sequence[str], direction: Direction
) -> list[list[list[list[str]]]]:
    """For each text, for each of its lines, the pieces of segments no longer than the translator takes."""
    pieces, tag, most = translator.pieces, translator.source_tags[direction], translator.max_segment_length

    def source_length(segment: str) -> int:
        return len(pieces.source_pieces([segment], tag)[0])

    lines = [[line.strip() for line in text.split("\n")] for text in texts]
    # All lines at once, which is many times faster than one by one; hardly any is too long.
    encoded = iter(pieces.source_pieces([line for text in lines for line in text], tag))

    def segments(line: str) -> list[list[str]]:
        whole = next(encoded)
        if line and len(whole) <= most:
            return [whole]
        return pieces.source_pieces(segment_line(line, source_length, most), tag)

    return [[segments(line) for line in text] for text in lines]


def translate_texts(
    translator: PieceTranslator, texts: Sequence[str], first_line: int = 1, direction: str | None = None
) -> list[str]:
    """Translate texts of any length by way of segments; line breaks and blank lines stay.

    Args:
        translator: called once, with all segments.
        texts: source texts.
        first_line: number of the first text. A hypothesis that met the output bound is told on stderr by line number.
        direction: the translator's own when None.
    """
    chosen = checked_direction(translator.source_tags, direction, translator.direction)
    segmented = segment_texts(translator, texts, chosen)
    hypotheses = translator.decode_pieces([segment for lines in segmented for line in lines for segment in line])
    decoded = zip(hypotheses, translator.pieces.decode_all(hypotheses), strict=True)
    target_language = languages_of(chosen)[1]

    translations = []
    for number, lines in enumerate(segmented, start=first_line):
        translated = [list(islice(decoded, len(line))) for line in lines]
        if any(hypothesis[-1:] != [EOS] for line in translated for hypothesis, _ in line):
            logger.warning("line %d: the translation met the maximum decoding length and was cut there", number)
        joined = (join_segments([one_line(text) for _, text in line], target_language) for line in translated)
        translations.append("\n".join(joined))
    return translations


def n_best(
    translator: BeamTranslator,
    texts: Sequence[str],
    count: int,
    *,
    finished: bool = False,
    direction: str | None = None,
) -> list[list[tuple[str, float]]]:
    """For each text its best translations with their mean log-probabilities a token, best first, none of them twice.

    There may be fewer than `count`: two hypotheses can be the same text cut into other pieces. A text of several
    segments has one translation, with the mean of the segments' scores.

    Args:
        translator: its beam is used.
        texts: source texts.
        count: translations a text; at most the beam size.
        finished: leave out what met the output bound and was cut there: a text may have no translation then.
        direction: the translator's own when None.
    """
    if not 1 <= count <= translator.beam_size:
        raise UserError(f"{count} best translations: expected 1 to the beam size, {translator.beam_size}")
    chosen = checked_direction(translator.source_tags, direction, translator.direction)
    segmented = segment_texts(translator, texts, chosen)
    segments = [segment for lines in segmented for line in lines for segment in line]
    results = iter(translator.decode_n_best(segments, translator.beam_size))
    target_language = languages_of(chosen)[1]

    found = []
    for lines in segmented:
        decoded = [list(islice(results, len(line))) for line in lines]
        if [len(line) for line in decoded] == [1]:
            distinct: dict[str, float] = {}
            for pieces, score in decoded[0][0]:
                if finished and pieces[-1:] != [EOS]:
                    continue
                distinct.setdefault(translator.pieces.decode(pieces), score)
            found.append(list(distinct.items())[:count])
            continue
        best = [[hypotheses[0] for hypotheses in line] for line in decoded]
        if finished and any(pieces[-1:] != [EOS] for line in best for pieces, _ in line):
            found.append([])
            continue
        spoken = [[one_line(translator.pieces.decode(pieces)) for pieces, _ in line] for line in best]
        joined = (join_segments(line, target_language) for line in spoken)
        scores = [score for line in best for _, score in line]
        found.append([("\n".join(joined), sum(scores) / max(len(scores), 1))])
    return found


def translate_corpus(translator: Translator, sentences: Iterable[str], chunk_size: int = 1024) -> Iterator[str]:
    """Translate a stream of any length in order, holding `chunk_size` sentences in memory at a time.

    The translator batches a chunk by length: the larger it is, the less padding, and the less waiting of the threads.
    """
    stream, first_line = iter(sentences), 1
    while chunk := list(islice(stream, chunk_size)):
        yield from translator.translate(chunk, first_line)
        first_line += len(chunk)


class TextTranslator:
    """What makes a `Translator` of one that decodes pieces, and `n_best` translations of one with a beam."""

    def translate(
        self: PieceTranslator, texts: Sequence[str], first_line: int = 1, *, direction: str | None = None
    ) -> list[str]:
        """Translate texts of any length, one result each, in their order (see `Translator`)."""
        return translate_texts(self, texts, first_line, direction)

    def translate_n_best(
        self: BeamTranslator,
        texts: Sequence[str],
        count: int,
        *,
        finished: bool = False,
        direction: str | None = None,
    ) -> list[list[tuple[str, float]]]:
        """For each text its `count` best translations and their scores (see `n_best`)."""
        return n_best(self, texts, count, finished=finished, direction=direction)
