"""What the benchmarks run on: parallel text and a joint tokenizer.

Without a corpus the text is made of invented words, drawn as words are (Zipf), in sentences as long as everyday ones:
speed depends on lengths and vocabulary, not on meaning.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import mean

import datasets
import numpy as np
import torch

from marian_distill.files import atomic_writer
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.packing import PairCollator
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.text.cleaning import clean
from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights
from marian_distill.text.tokenization import parallel_sentences, train_joint_tokenizer

WORDS = 12_000
# Mean and deviation of the logarithm of a sentence's length in words: an everyday sentence.
LENGTH = {"en": (2.2, 0.45), "zh": (1.8, 0.45)}


NAMES = ("input_ids", "labels")


def invented_pairs(pairs: int, seed: int) -> Iterator[tuple[str, str]]:
    """English-like and Chinese-like sentences of invented words; the same seed gives the same ones."""
    draw = random.Random(seed)
    consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"
    english = [
        "".join(draw.choice(consonants) + draw.choice(vowels) for _ in range(draw.randint(1, 4))) for _ in range(WORDS)
    ]
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]
    chinese = ["".join(draw.choices(characters, k=draw.randint(1, 2))) for _ in range(WORDS)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(WORDS)))

    def sentence(words: list[str], language: str) -> list[str]:
        length = max(2, round(draw.lognormvariate(*LENGTH[language])))
        return draw.choices(words, cum_weights=weights, k=length)

    for _ in range(pairs):
        yield " ".join(sentence(english, "en")).capitalize() + ".", "".join(sentence(chinese, "zh")) + "。"


def training_batches(pieces: int, tokens: int, count: int = 20, seed: int = 42) -> list[dict[str, torch.Tensor]]:
    """Batches as training has them, of like length, under `tokens` padded tokens; the ids are drawn at random."""
    draw = np.random.default_rng(seed)
    lengths = [
        np.maximum(2, np.rint(factor * draw.lognormal(*LENGTH[language], size=200 * count)).astype(int))
        for language, factor in (("en", 1.4), ("zh", 1.4))  # pieces a word
    ]
    sampler = LengthBatchSampler(*lengths, tokens=tokens, seed=seed)
    collate = PairCollator(pad_id=pieces)
    return [
        collate(
            [
                {name: draw.integers(1, pieces, side[index]) for name, side in zip(NAMES, lengths, strict=True)}
                for index in batch
            ]
        )
        for batch in sampler.batches()[:count]
    ]


def make_workload(
    folder: Path,
    *,
    pairs: int,
    pieces: int,
    dataset: str | None = None,
    source_weights: Sequence[str] = (),
    seed: int = 42,
) -> float:
    """Write corpus.tsv, train.en, train.zh and tokenizer/ to `folder`, unless they are there.

    Returns:
        Target tokens a pair, `</s>` counted.
    """
    if not (folder / "tokenizer" / "vocab.json").is_file():
        _write_workload(folder, pairs, pieces, dataset, source_weights, seed)
    tokenizer = SentencePieceTokenizer(folder / "tokenizer")
    lines = (folder / "train.zh").read_text(encoding="utf-8").splitlines()
    return mean(len(pieces) + 1 for pieces in tokenizer.target_pieces(lines))


def _write_workload(
    folder: Path, pairs: int, pieces: int, dataset: str | None, source_weights: Sequence[str], seed: int
) -> None:
    if dataset is None:
        rows = list(invented_pairs(pairs, seed))
    else:
        corpus, _ = clean(load_parallel(CorpusSource(dataset)))
        corpus = mix(
            [(corpus, 1.0)], [], source_weights=parse_source_weights(source_weights), max_samples=pairs, seed=seed
        )
        rows = list(zip(corpus["en"], corpus["zh"], strict=True))
    for name, lines in {
        "corpus.tsv": ("\t".join(row) for row in [("en", "zh"), *rows]),
        "train.en": (row[0] for row in rows),
        "train.zh": (row[1] for row in rows),
    }.items():
        with atomic_writer(folder / name) as stream:
            stream.writelines(f"{line}\n" for line in lines)
    sentences = parallel_sentences(
        datasets.Dataset.from_dict({"en": [r[0] for r in rows], "zh": [r[1] for r in rows]})
    )
    train_joint_tokenizer(sentences, folder / "tokenizer", vocab_size=pieces)
