"""A vocabulary map: which target pieces a source piece may turn into, so that the engine projects to those alone.

CTranslate2 reads `vmap.txt` in the model's folder: a line is a source piece, a tab and its candidates; the line of the
empty piece holds those that are always candidates. Lexical probabilities are those of IBM Model 1 (Brown et al. 1993,
https://aclanthology.org/J93-2003/), as in the lexical shortlists of Marian and of Devlin 2017.
"""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from marian_distill.evaluation.metrics import metric_for
from marian_distill.export.ctranslate2 import list_file
from marian_distill.files import atomic_writer, changing
from marian_distill.languages import languages_of
from marian_distill.locks import folder_lock
from marian_distill.pieces import EOS, PAD, SentencePieceTokenizer
from marian_distill.runtime.ctranslate2 import VOCABULARY_MAP, CTranslate2Translator

ROUNDS = 4  # of expectation and maximisation


def lexical_probabilities(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], vocabulary_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """IBM Model 1: source ids, target ids and p(target | source) of every pair of pieces that meet in a sentence.

    Args:
        sources: ids of each source sentence; its `</s>` plays the part of the empty word.
        targets: ids of its translation.
        vocabulary_size: ids are below it.

    Returns:
        Three arrays [pairs of pieces], sorted by source id, then target id.
    """
    source_flat, target_flat = (
        np.concatenate([np.asarray(row, np.int64) for row in rows]) for rows in (sources, targets)
    )
    source_lengths = np.array([len(row) for row in sources])
    target_lengths = np.array([len(row) for row in targets])
    # Every target token meets every source token of its sentence: `token` says which target token a meeting is of.
    meetings = np.repeat(source_lengths, target_lengths)
    token = np.repeat(np.arange(len(target_flat)), meetings)
    first_source = np.repeat(np.cumsum(source_lengths) - source_lengths, target_lengths)
    within = np.arange(len(token)) - np.repeat(np.cumsum(meetings) - meetings, meetings)
    keys = source_flat[first_source[token] + within] * vocabulary_size + target_flat[token]
    pairs, pair_of = np.unique(keys, return_inverse=True)
    source_of = pairs // vocabulary_size
    probabilities = np.ones(len(pairs))
    for _ in range(ROUNDS):
        weights = probabilities[pair_of]
        weights /= np.bincount(token, weights)[token]
        counts = np.bincount(pair_of, weights)
        probabilities = counts / np.bincount(source_of, counts)[source_of]
    return source_of, pairs % vocabulary_size, probabilities


def candidates(
    pieces: SentencePieceTokenizer,
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    most: int,
    always: int,
) -> tuple[dict[int, list[int]], list[int]]:
    """Target ids that each source id may turn into, likeliest first, and those that are always candidates.

    Args:
        pieces: the tokenizer of both sides.
        sources, targets: ids of parallel sentences.
        most: candidates a source piece; the piece itself, which a name may be copied to, comes on top.
        always: the most frequent target pieces, on top of single bytes, digits and punctuation.
    """
    size = len(pieces.vocabulary)
    source_of, target_of, probabilities = lexical_probabilities(sources, targets, size)
    by_source: dict[int, list[int]] = {}
    order = np.lexsort((-probabilities, source_of))
    starts = np.flatnonzero(np.diff(source_of[order], prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        likeliest = order[start : min(end, start + most)]
        source = int(source_of[likeliest[0]])
        by_source[source] = list(dict.fromkeys([*target_of[likeliest].tolist(), source]))
    frequent = np.bincount(np.concatenate([np.asarray(row) for row in targets]), minlength=size).argsort()[::-1][
        :always
    ]
    plain = {index for piece, index in pieces.vocabulary.items() if _is_plain(piece)}
    return by_source, sorted({*frequent.tolist(), *plain})


def _is_plain(piece: str) -> bool:
    """Bytes, `</s>`, and pieces without a letter: digits, currency signs, punctuation."""
    byte = piece.startswith("<0x") and piece.endswith(">")
    return piece == EOS or byte or (piece != PAD and not any(character.isalpha() for character in piece))


def map_lines(pieces: SentencePieceTokenizer, by_source: dict[int, list[int]], always: Sequence[int]) -> list[str]:
    """The lines of vmap.txt, without their line ends."""
    names = pieces.pieces
    rows = [("", always), *((names[source], found) for source, found in sorted(by_source.items()))]
    return [f"{piece}\t{' '.join(names[index] for index in found)}" for piece, found in rows]


def covered_share(
    by_source: dict[int, list[int]],
    always: Sequence[int],
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
) -> float:
    """Share of target tokens that are candidates of their own sentence."""
    covered = total = 0
    for source, target in zip(sources, targets, strict=True):
        possible = set(always).union(*(by_source.get(index, ()) for index in source))
        covered += sum(index in possible for index in target)
        total += len(target)
    return covered / max(total, 1)


def pair_ids(
    translator: CTranslate2Translator, sources: Sequence[str], targets: Sequence[str]
) -> tuple[list[list[int]], list[list[int]]]:
    """Ids of source texts, with the direction's tag, and of target texts; each sentence ends in `</s>`."""
    pieces = translator.pieces
    source_pieces, target_pieces = (
        pieces.source_pieces(sources, translator.source_tags[translator.direction]),
        pieces.target_pieces(targets),
    )
    return [pieces.ids(row) for row in source_pieces], [pieces.ids(row) for row in target_pieces]


@dataclass(frozen=True)
class Comparison:
    """The whole vocabulary against a map of it, each by its name: `whole`, `map`.

    Attributes:
        metric: the score's name.
        scores: of the translations.
        seconds: of each round.
    """

    metric: str
    scores: dict[str, float]
    seconds: dict[str, list[float]]

    @property
    def speedup(self) -> float:
        """How many times as fast the map is: the median of the rounds."""
        return median(whole / part for whole, part in zip(self.seconds["whole"], self.seconds["map"], strict=True))

    @property
    def lost(self) -> float:
        """Points of the score that the map costs."""
        return self.scores["whole"] - self.scores["map"]


def compare(
    model_dir: Path,
    direction: str,
    lines: Sequence[str],
    sources: Sequence[str],
    references: Sequence[str],
    rounds: int,
) -> Comparison:
    """Translate with and without a map, turn by turn, one sentence at a time on one thread as a phone does.

    Args:
        model_dir: a CTranslate2 folder; it stays as it is, also where it has a map.
        direction: of the test file.
        lines: what `map_lines` gave.
        sources, references: texts of the test file, whose first line is a header.
        rounds: how often.
    """
    whole = CTranslate2Translator(model_dir, direction, intra_threads=1)
    whole.use_vmap = False
    with tempfile.TemporaryDirectory() as trial:  # the same folder with the new map
        for file in model_dir.iterdir():
            if file.name not in ("config.json", VOCABULARY_MAP):
                Path(trial, file.name).symlink_to(file.resolve())
        shutil.copyfile(model_dir / "config.json", Path(trial, "config.json"))
        list_file(trial, VOCABULARY_MAP, listed=False)
        _write_map(Path(trial), lines)
        mapped = CTranslate2Translator(trial, direction, intra_threads=1)
    metric = metric_for(languages_of(direction)[1])
    scores: dict[str, float] = {}
    seconds: dict[str, list[float]] = {"whole": [], "map": []}
    for _ in range(rounds):
        for name, translator in (("whole", whole), ("map", mapped)):
            start = time.perf_counter()
            hypotheses = [translator.translate([text], line)[0] for line, text in enumerate(sources, start=2)]
            seconds[name].append(time.perf_counter() - start)
            scores[name] = metric.corpus(hypotheses, references)["score"]
    return Comparison(metric.name, scores, seconds)


def place_map(model_dir: Path, lines: Sequence[str] | None) -> None:
    """Put a map into a CTranslate2 folder in place of an earlier one, or take that away (None).

    The folder translates after a kill at any point, with the old map, the new one or none; it may then be replaced by
    another export, and another call completes it.
    """
    with folder_lock(model_dir), changing(model_dir, VOCABULARY_MAP, "config.json"):
        list_file(model_dir, VOCABULARY_MAP, listed=False)  # a listed map must be the one that is there
        if lines is None:
            (model_dir / VOCABULARY_MAP).unlink(missing_ok=True)
        else:
            _write_map(model_dir, lines)
            list_file(model_dir, VOCABULARY_MAP)


def _write_map(folder: Path, lines: Sequence[str]) -> None:
    with atomic_writer(folder / VOCABULARY_MAP) as stream:
        stream.writelines(f"{line}\n" for line in lines)
