"""Test sentences that training text holds already, word for word or nearly: what a score on them says is memory.

Texts are compared without case, punctuation and spaces. Two are near when at least four fifths of the character
n-grams that either has are common to both (Jaccard). Of a test text only its rarest n-grams are indexed, as many as
make sure that a near text has one of them: prefix filtering, Bayardo, Ma & Srikant 2007, "Scaling Up All Pairs
Similarity Search". Training text is read once, a row at a time, and never held.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypedDict

from marian_distill.languages import Language

NEAR = 0.8
# Characters of an n-gram: about as much text in either language.
GRAM_LENGTHS: dict[Language, int] = {"en": 4, "zh": 2}
# In more test sentences than this only exact ones are looked for: the index of the others would not fit in 1 GB.
MOST_FOR_NEAR = 50_000
MOST_EXAMPLES = 10

Pairs = Sequence[tuple[str, str]]


class OverlapExample(TypedDict):
    """A test text, the training text that is most like it, and that one's origin."""

    language: Language
    similarity: float
    test: str
    training: str
    origin: str


class OverlapReport(TypedDict):
    """Of a test file's sentences, how many training text holds: both sides of a pair, or one side, exactly or nearly.

    `near` is None where it was not looked for; it counts what is not exact. The examples are the most similar first.
    """

    sentences: int
    pairs: int
    exact: dict[Language, int]
    near: dict[Language, int] | None
    examples: list[OverlapExample]


class _Match(NamedTuple):
    similarity: float
    training: str
    origin: str


def find_overlaps(
    tests: Mapping[str, Pairs], training: Iterable[tuple[str, str, str]]
) -> tuple[int, dict[str, OverlapReport]]:
    """Look for every test file's sentences in training text.

    Args:
        tests: by the file's name, its (English, Chinese) pairs.
        training: rows of (English, Chinese, origin), each looked at once.

    Returns:
        The number of training rows, and a report for each test file.
    """
    pairs = [pair for test in tests.values() for pair in test]
    near = len(pairs) <= MOST_FOR_NEAR
    english, chinese = (
        _Texts([pair[side] for pair in pairs], GRAM_LENGTHS[language], near)
        for side, language in enumerate(GRAM_LENGTHS)
    )
    wanted = {(normalised(en), normalised(zh)) for en, zh in pairs} - {("", "")}
    found: set[tuple[str, str]] = set()
    rows = 0
    for en, zh, origin in training:
        rows += 1
        pair = normalised(en), normalised(zh)
        english.look_up(pair[0], en, origin)
        chinese.look_up(pair[1], zh, origin)
        if pair in wanted:
            found.add(pair)
    return rows, {name: _report(test, english.best, chinese.best, found, near) for name, test in tests.items()}


def normalised(text: str) -> str:
    """Letters and digits alone, in one form and one case."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return text if text.isalnum() else "".join(filter(str.isalnum, text))


class _Texts:
    """The test texts of one language, and for each the training text that is most like it (`best`)."""

    def __init__(self, texts: Iterable[str], gram_length: int, near: bool) -> None:
        self.gram_length = gram_length
        self.best: dict[str, _Match | None] = {normalised(text): None for text in texts}
        self.grams = {text: self._grams(text) for text in self.best} if near else {}
        self.frequency = Counter(gram for grams in self.grams.values() for gram in grams)
        self.by_gram: defaultdict[str, list[str]] = defaultdict(list)
        for text, grams in self.grams.items():
            for gram in self._rarest(grams):
                self.by_gram[gram].append(text)

    def look_up(self, key: str, training: str, origin: str) -> None:
        """Note a training text, whose normalised form is `key`, with every test text that it is the most like."""
        if not key:
            return
        if key in self.best:
            self.best[key] = _Match(1.0, training, origin)
        for text, similarity in self._near(key) if self.grams else ():
            best = self.best[text]
            if best is None or similarity > best.similarity:
                self.best[text] = _Match(similarity, training, origin)

    def _near(self, key: str) -> Iterator[tuple[str, float]]:
        grams = self._grams(key)
        if len(grams & self.frequency.keys()) < NEAR * len(grams):
            return
        candidates = {text for gram in self._rarest(grams) for text in self.by_gram.get(gram, ())}
        for text in candidates:
            common = len(grams & self.grams[text])
            similarity = common / (len(grams) + len(self.grams[text]) - common)
            if similarity >= NEAR and text != key:
                yield text, similarity

    def _grams(self, key: str) -> frozenset[str]:
        n = self.gram_length
        return frozenset(key[start : start + n] for start in range(max(1, len(key) - n + 1)))

    def _rarest(self, grams: frozenset[str]) -> list[str]:
        """So many of the rarest n-grams that a near text cannot lack them all."""
        order = sorted(grams, key=lambda gram: (self.frequency[gram], gram))
        return order[: len(grams) - int(NEAR * len(grams)) + 1]


def _report(
    pairs: Pairs,
    english: Mapping[str, _Match | None],
    chinese: Mapping[str, _Match | None],
    found: set[tuple[str, str]],
    near: bool,
) -> OverlapReport:
    exact: dict[Language, int] = {"en": 0, "zh": 0}
    close: dict[Language, int] = {"en": 0, "zh": 0}
    examples: list[OverlapExample] = []
    sides: tuple[tuple[Language, Mapping[str, _Match | None]], ...] = (("en", english), ("zh", chinese))
    for side, (language, best) in enumerate(sides):
        for pair in pairs:
            match = best[normalised(pair[side])]
            if match is None:
                continue
            (exact if match.similarity == 1 else close)[language] += 1
            examples.append(
                OverlapExample(
                    language=language,
                    similarity=round(match.similarity, 3),
                    test=pair[side],
                    training=match.training,
                    origin=match.origin,
                )
            )
    return OverlapReport(
        sentences=len(pairs),
        pairs=sum((normalised(en), normalised(zh)) in found for en, zh in pairs),
        exact=exact,
        near=close if near else None,
        examples=sorted(examples, key=lambda example: -example["similarity"])[:MOST_EXAMPLES],
    )
