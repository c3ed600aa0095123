"""Training examples that differ from epoch to epoch: with and without tag and final stop, untidy, in other pieces.

What an example is like hangs on (seed, epoch, example) alone: a resumed run, and each of several processes, draws what
an undisturbed one draws. Only rows whose text changes are tokenised again; the tag is one id in front.

Batches are cut once, by the tidy lengths with the tag, so that every epoch has as many of them: a batch may pass its
budget by the stops that rows gained, or by what an untidy word, or pieces drawn by chance, cost.

Pieces drawn by chance: Kudo 2018, "Subword Regularization", https://arxiv.org/abs/1804.10959; of a BPE tokenizer
SentencePiece leaves out merges instead: Provilkov et al. 2020, "BPE-Dropout", https://arxiv.org/abs/1910.13267.
"""

import hashlib
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import datasets
import sentencepiece
from torch.utils.data import Dataset

from marian_distill.languages import languages_of
from marian_distill.pieces import EOS, SentencePieceTokenizer
from marian_distill.text import noise
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.text.tokenization import toggle_final_stop

Key = tuple[int, int]  # epoch, example


class Draw(NamedTuple):
    """What an example is like in an epoch."""

    tag: bool
    other_stop: bool
    untidy: bool
    piece_seed: int | None  # of pieces drawn by chance


@dataclass(frozen=True)
class Variation:
    """What is drawn for every example anew in each epoch.

    Args:
        tag_share: share of sources with their language tag; above 0 all examples are tokenised with it.
        final_stop_share: share of pairs whose final full stop is left out of both sides, or added to both: the model
            must translate equally well with and without.
        source_noise: share of sources that are made untidy (see `text.noise`); the targets stay as they are.
        subword_sampling: share of pairs that are cut into pieces by chance.
        subword_alpha: the chance of a way to cut is its probability to this power: 1 keeps to the likely ones.
        max_source_length, max_target_length: in tokens; an example that would become longer stays as it is.
        seed: of the draws.
    """

    tag_share: float = 0.0
    final_stop_share: float = 0.0
    source_noise: float = 0.0
    subword_sampling: float = 0.0
    subword_alpha: float = 0.2
    max_source_length: int = 128
    max_target_length: int = 128
    seed: int = 42

    @property
    def tagged(self) -> bool:
        """Whether examples are tokenised with the tag, which is then left out of some."""
        return self.tag_share > 0

    def draw(self, epoch: int, example: int) -> Draw:
        """What an example is like in an epoch."""
        key = f"{self.seed}:{epoch}:{example}".encode()
        numbers = struct.unpack("<3Q", hashlib.blake2b(key, digest_size=24).digest())
        shares = (self.tag_share, self.final_stop_share, self.source_noise)
        tag, other_stop, untidy = (number < share * 2**64 for number, share in zip(numbers, shares, strict=True))
        number, piece_seed = struct.unpack("<QI", hashlib.blake2b(key + b":pieces", digest_size=12).digest())
        return Draw(tag, other_stop, untidy, piece_seed if number < self.subword_sampling * 2**64 else None)

    def texts(self, key: Key, direction: str, source: str, target: str) -> tuple[str, str]:
        """A pair's source and target in an epoch."""
        draw, (language, _) = self.draw(*key), languages_of(direction)
        if draw.other_stop and language == "en":
            source, target = toggle_final_stop(source, target)
        elif draw.other_stop:
            target, source = toggle_final_stop(target, source)
        if draw.untidy:
            source = noise.untidy(source, language, random.Random(f"{self.seed}:{key}"))
        return source, target


class VariedExamples(Dataset):
    """Examples by (epoch, example), as a `Variation` has them in that epoch.

    Args:
        examples: what `tokenize_parallel` gave.
        pieces: the tokenizer that it used.
        variation: what is drawn.
    """

    def __init__(self, examples: datasets.Dataset, pieces: SentencePieceTokenizer, variation: Variation) -> None:
        self.pieces, self.variation = pieces, variation
        self.ids = examples.select_columns(["input_ids", "labels"]).with_format("numpy")
        if variation.final_stop_share or variation.source_noise or variation.subword_sampling:
            self.rows = examples.select_columns(["direction", "source_text", "target_text"])

    def __len__(self) -> int:
        return len(self.ids)

    def __getitems__(self, keys: Sequence[Key]) -> list[dict[str, Any]]:
        """`input_ids` and `labels` of a batch, each [tokens] with `</s>` last, and which `example` each is."""
        columns = self.ids[[example for _, example in keys]]
        sources, targets = list(columns["input_ids"]), list(columns["labels"])
        draws = [self.variation.draw(*key) for key in keys]
        changed = [
            place for place, draw in enumerate(draws) if draw.other_stop or draw.untidy or draw.piece_seed is not None
        ]
        for place, (source, target) in zip(changed, self._tokenize([keys[place] for place in changed]), strict=True):
            source = [*sources[place][: self.variation.tagged], *source]
            if len(source) <= self.variation.max_source_length and len(target) <= self.variation.max_target_length:
                sources[place], targets[place] = source, target
        if self.variation.tagged:
            sources = [source if draw.tag else source[1:] for source, draw in zip(sources, draws, strict=True)]
        rows = zip(sources, targets, keys, strict=True)
        return [{"input_ids": source, "labels": target, "example": key[1]} for source, target, key in rows]

    def _tokenize(self, keys: Sequence[Key]) -> list[tuple[list[int], list[int]]]:
        """Ids of source, without its tag, and target of rows whose text or pieces are others in their epoch."""
        if not keys:
            return []
        columns = self.rows[[example for _, example in keys]]
        rows = zip(keys, columns["direction"], columns["source_text"], columns["target_text"], strict=True)
        sources, targets = zip(*(self.variation.texts(*row) for row in rows), strict=True)
        pieces = list(zip(self.pieces.source_pieces(sources), self.pieces.target_pieces(targets), strict=True))
        for place, key in enumerate(keys):
            if (seed := self.variation.draw(*key).piece_seed) is not None:
                sentencepiece.set_random_generator_seed(seed)
                sides = ((self.pieces.source, sources[place]), (self.pieces.target, targets[place]))
                source, target = ([*self._sample(processor, text), EOS] for processor, text in sides)
                pieces[place] = source, target
        return [(self.pieces.ids(source), self.pieces.ids(target)) for source, target in pieces]

    def _sample(self, processor: sentencepiece.SentencePieceProcessor, text: str) -> list[str]:
        """Pieces of a text among all ways to cut it, by chance."""
        return processor.encode(
            text, out_type=str, enable_sampling=True, nbest_size=-1, alpha=self.variation.subword_alpha
        )


class EpochBatches:
    """A sampler's batches as keys of `VariedExamples`: the epoch goes with the examples, into other processes too."""

    def __init__(self, sampler: LengthBatchSampler) -> None:
        self.sampler, self.set_epoch = sampler, sampler.set_epoch

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[list[Key]]:
        for batch in self.sampler:
            yield [(self.sampler.epoch, example) for example in batch]
