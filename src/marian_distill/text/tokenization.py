"""The joint English–Chinese SentencePiece model, and parallel text as token ids in Arrow.

The tokenizer's folder serves `transformers.MarianTokenizer`, CTranslate2 and raw SentencePiece alike: eos is id 0, unk
is id 1, there is no bos, `<pad>` is the last id, and the normalisation is compiled into the .spm (normalization.py).
Unigram model: Kudo 2018, https://arxiv.org/abs/1804.10959.
"""

import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import datasets
import sentencepiece

from marian_distill.errors import UserError
from marian_distill.files import atomic_directory, atomic_writer, sha256, write_json
from marian_distill.languages import FULL_STOPS, TAGS, Direction, directions_of, languages_of
from marian_distill.pieces import EOS, PAD, UNK, SentencePieceTokenizer
from marian_distill.text.normalization import normalizer

logger = logging.getLogger(__name__)

CORPUS_FILE = "corpus.joint.txt"
KIND = "a tokenizer"
POSITIONS = 512
# Of tokenised examples: one more, whenever the same rows and options would give other ones.
EXAMPLES_VERSION = 2
# Characters of prices, dates and Chinese punctuation get a piece however rare they are in the corpus.
REQUIRED_CHARACTERS = "0123456789.,:%$£¥￥€。，、；：？！（）《》“”‘’…—"
# A tokenised example, lengths in tokens, `</s>` counted (Marian's positions end at 512), and the text that it is of.
FEATURES = datasets.Features(
    {
        "input_ids": datasets.List(datasets.Value("int32")),
        "labels": datasets.List(datasets.Value("int32")),
        "source_length": datasets.Value("int32"),
        "target_length": datasets.Value("int32"),
        "direction": datasets.Value("string"),
        "source_text": datasets.Value("string"),
        "target_text": datasets.Value("string"),
    }
)
# A single direction's share of sources that begin with the target language's tag: the phone gives one for en-zh only.
TAG_SHARES: dict[Direction, float] = {"en-zh": 0.5, "zh-en": 0.0}
TOGGLE_MIN_WORDS = 3


def train_joint_tokenizer(sentences: Iterable[str], output_dir: str | Path, **options: Any) -> None:
    """`write_joint_tokenizer` into a folder that appears whole or not at all, in place of a tokenizer there."""
    with atomic_directory(output_dir, KIND) as folder:
        write_joint_tokenizer(sentences, folder, **options)


def write_joint_tokenizer(
    sentences: Iterable[str],
    folder: Path,
    *,
    vocab_size: int = 32_000,
    model_type: str = "unigram",
    character_coverage: float = 0.9995,
    separate: str = "",
) -> None:
    """Train one SentencePiece model on both languages and fill a folder with it.

    Writes spm.model = source.spm = target.spm, vocab.json (`vocab_size` + 1 entries, `<pad>` last), the files of
    `MarianTokenizer.from_pretrained`, and corpus.joint.txt, the sentences it was trained on.

    Args:
        sentences: English and Chinese sentences in any order; the same ones give the same bytes.
        folder: an empty one.
        vocab_size: pieces of the .spm, exactly; 256 of them are bytes, 4 are special.
        model_type: "unigram" or "bpe".
        character_coverage: share of the corpus's characters that get a piece; the rest is spelt in bytes.
        separate: characters that are pieces of their own, never a part of a longer one (年: no piece 年开业).

    Raises:
        UserError: no sentences, or a vocabulary that is too large or too small for them.
    """
    _write_corpus(sentences, folder / CORPUS_FILE)
    model = io.BytesIO()
    try:
        with (folder / CORPUS_FILE).open(encoding="utf-8", newline="\n") as lines:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=(line.removesuffix("\n") for line in lines),
                model_writer=model,
                normalizer=normalizer(),
                vocab_size=vocab_size,
                model_type=model_type,
                character_coverage=character_coverage,
                byte_fallback=True,
                split_digits=True,
                required_chars="".join(mark for mark in REQUIRED_CHARACTERS if mark not in separate),
                user_defined_symbols=[*TAGS.values(), *dict.fromkeys(separate)],
                eos_id=0,
                unk_id=1,
                bos_id=-1,
                pad_id=-1,
                shuffle_input_sentence=False,
                num_threads=4,  # the sums of the EM steps, hence the model, depend on it
                minloglevel=2,
            )
    except RuntimeError as error:
        raise _vocabulary_error(vocab_size, error) from error
    for name in ("spm.model", "source.spm", "target.spm"):
        (folder / name).write_bytes(model.getvalue())
    _write_vocabulary(folder)


def parallel_sentences(dataset: datasets.Dataset) -> Iterator[str]:
    """English and Chinese sentences of a parallel dataset in turn, for `train_joint_tokenizer`."""
    for row in dataset.select_columns(["en", "zh"]):
        yield from row.values()  # pyright: ignore[reportAttributeAccessIssue]


def tokenize_parallel(
    dataset: datasets.Dataset,
    pieces: SentencePieceTokenizer,
    direction: str,
    *,
    max_source_length: int = 128,
    max_target_length: int = 128,
    tagged: bool = True,
    num_proc: int | None = None,
) -> datasets.Dataset:
    """Parallel text as token ids: `input_ids`, `labels` (both end in `</s>`), `source_length`, `target_length`.

    The texts come along, as `source_text` and `target_text` with their `direction`. Cached by `datasets` under the
    fingerprint of text, tokenizer and options. Examples that are too long are dropped and counted in the log, never
    cut. What differs between epochs is drawn later: see `text.variants`.

    Args:
        dataset: string columns `en` and `zh`.
        pieces: the tokenizer; for a hub Marian model with two .spm files too.
        direction: "en-zh", "zh-en", or "both": two examples a pair.
        max_source_length: longest source in tokens, tag and `</s>` counted.
        max_target_length: longest target in tokens, `</s>` counted.
        tagged: begin each source with its target language's tag.
        num_proc: processes.

    Raises:
        UserError: a tag that the tokenizer does not know, or no example within the lengths.
    """
    directions = directions_of(direction)
    for one in directions:
        tag = TAGS[languages_of(one)[1]]
        if tagged and tag not in pieces.vocabulary:
            raise UserError(f"{pieces.directory}: its vocabulary has no {tag}; use --tag-share 0 or another tokenizer")
    tokenized = dataset.map(
        _tokenize_batch,
        batched=True,
        num_proc=num_proc,
        remove_columns=dataset.column_names,
        features=FEATURES,
        desc="Tokenising",
        fn_kwargs={
            "tokenizer": str(pieces.directory.resolve()),
            "tokenizer_hash": _tokenizer_hash(pieces.directory),
            "version": EXAMPLES_VERSION,
            "directions": directions,
            "tagged": tagged,
            "lengths": (max_source_length, max_target_length),
        },
    )
    examples = len(dataset) * len(directions)
    dropped = examples - len(tokenized)
    if not len(tokenized):
        raise UserError(
            f"none of {examples} examples is within {max_source_length} source and {max_target_length} target tokens"
        )
    if dropped:
        logger.warning(
            "dropped %d of %d examples (%.2f %%): over %d source or %d target tokens",
            dropped, examples, 100 * dropped / examples, max_source_length, max_target_length,
        )  # fmt: skip
    return tokenized


def toggle_final_stop(english: str, chinese: str) -> tuple[str, str]:
    """Both sides without their final full stop where both have one, with one where neither ends in punctuation.

    An ellipsis is no full stop, and a text of fewer than three English words gets none.
    """
    english, chinese = english.rstrip(), chinese.rstrip()
    stops = FULL_STOPS["en"], FULL_STOPS["zh"]
    if english.endswith(stops[0]) and chinese.endswith(stops[1]) and not english.endswith(".."):
        return english.removesuffix(stops[0]), chinese.removesuffix(stops[1])
    if english[-1:].isalnum() and chinese[-1:].isalnum() and len(english.split()) >= TOGGLE_MIN_WORDS:
        return english + stops[0], chinese + stops[1]
    return english, chinese


def _tokenize_batch(
    batch: dict[str, list[str]],
    *,
    tokenizer: str,
    tokenizer_hash: str,
    version: int,  # with `tokenizer_hash`, what the cache's fingerprint knows the content by
    directions: Sequence[Direction],
    tagged: bool,
    lengths: tuple[int, int],
) -> dict[str, list]:
    """One `datasets.map` batch; rows may grow (two directions) or shrink (over-long examples)."""
    pieces = _load_pieces(tokenizer, tokenizer_hash)
    columns: dict[str, list] = {name: [] for name in FEATURES}
    # A pair's two directions follow each other: the order is the same however `datasets` cuts its batches.
    for pair in zip(*(_examples(batch, pieces, direction, tagged) for direction in directions), strict=True):
        for example in pair:
            if example["source_length"] <= lengths[0] and example["target_length"] <= lengths[1]:
                for name, value in example.items():
                    columns[name].append(value)
    return columns


def _examples(
    batch: dict[str, list[str]], pieces: SentencePieceTokenizer, direction: Direction, tagged: bool
) -> Iterator[dict[str, Any]]:
    source, target = languages_of(direction)
    for source_text, target_text, source_pieces, target_pieces in zip(
        batch[source],
        batch[target],
        pieces.source_pieces(batch[source], TAGS[target] if tagged else None),
        pieces.target_pieces(batch[target]),
        strict=True,
    ):
        yield {
            "input_ids": pieces.ids(source_pieces),
            "labels": pieces.ids(target_pieces),
            "source_length": len(source_pieces),
            "target_length": len(target_pieces),
            "direction": direction,
            "source_text": source_text,
            "target_text": target_text,
        }


@lru_cache(maxsize=2)
def _load_pieces(directory: str, _content: str) -> SentencePieceTokenizer:
    return SentencePieceTokenizer(directory)


def _tokenizer_hash(directory: Path) -> str:
    return " ".join(sha256(directory / name) for name in ("source.spm", "target.spm", "vocab.json"))


def _write_corpus(sentences: Iterable[str], path: Path) -> None:
    lines = (" ".join(sentence.split()) for sentence in sentences)
    with atomic_writer(path) as stream:
        stream.writelines(f"{line}\n" for line in lines if line)
    if not path.stat().st_size:
        raise UserError("no sentences to train a tokenizer on; give a corpus with text")


def _vocabulary_error(vocab_size: int, error: RuntimeError) -> Exception:
    """SentencePiece's complaint about the vocabulary's size as one line that names a possible one."""
    message = str(error)
    if found := re.search(r"Vocabulary size too high.*<= (\d+)", message, re.DOTALL):
        return UserError(f"--vocab-size {vocab_size}: too many for this corpus; the largest possible is {found[1]}")
    if found := re.search(r"Vocabulary size is smaller than required_chars\. \d+ vs (\d+)", message):
        return UserError(
            f"--vocab-size {vocab_size}: too few for the characters of this corpus; the smallest possible is "
            f"{int(found[1]) + 1}, or lower --character-coverage"
        )
    return error


def _vocabulary_pieces(spm_file: Path) -> Iterator[str]:
    processor = sentencepiece.SentencePieceProcessor(model_file=str(spm_file))
    yield from (processor.id_to_piece(index) for index in range(processor.get_piece_size()))


def _write_vocabulary(folder: Path) -> None:
    pieces = [*_vocabulary_pieces(folder / "spm.model"), PAD]
    write_json(folder / "vocab.json", {piece: index for index, piece in enumerate(pieces)})
    special = {"eos_token": EOS, "unk_token": UNK, "pad_token": PAD}
    write_json(folder / "special_tokens_map.json", special)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "MarianTokenizer",
            "model_max_length": POSITIONS,
            "separate_vocabs": False,
            "source_lang": "eng",
            "target_lang": "cmn_Hans",
            "sp_model_kwargs": {},
            **special,
        },
    )
