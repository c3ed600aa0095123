"""A vocabulary map: which target pieces a source piece may turn into, so that the engine projects to those alone.

CTranslate2 reads `vmap.txt` in the model's folder: a line is a source piece, a tab and its candidates; the line of the
empty piece holds those that are always candidates. Lexical probabilities are those of IBM Model 1 (Brown et al. 1993,
https://aclanthology.org/J93-2003/), as in the lexical shortlists of Marian and of Devlin 2017.
"""

from collections.abc import Sequence

import numpy as np

from marian_distill.pieces import EOS, PAD, MarianPieces

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
    pieces: MarianPieces, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], most: int, always: int
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


def map_lines(pieces: MarianPieces, by_source: dict[int, list[int]], always: Sequence[int]) -> list[str]:
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
