"""The tokenizer of Marian and liquid models, over raw SentencePiece: what phone, board and trainer all use.

`transformers.MarianTokenizer` gives the same pieces (a test holds the two together), but slowly.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import sentencepiece

from marian_distill.errors import UserError
from marian_distill.files import read_json

EOS, UNK, PAD = "</s>", "<unk>", "<pad>"


class SentencePieceTokenizer:
    """The tokenizer of a model folder: `source.spm`, `target.spm` and (for ids) `vocab.json`.

    Args:
        directory: a tokenizer folder, a Hugging Face model folder or a CTranslate2 phone folder.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        self.source = self._load("source.spm")
        same = (self.directory / "source.spm").read_bytes() == (self.directory / "target.spm").read_bytes()
        self.target = self.source if same else self._load("target.spm")

    def _load(self, name: str) -> sentencepiece.SentencePieceProcessor:
        path = self.directory / name
        if not path.is_file() and (self.directory / "tokenizer.json").is_file():
            raise UserError(
                f"{self.directory}: holds the tokenizer of a language model; a Marian or a liquid student needs "
                "source.spm and target.spm. Build them with scripts/build_joint_tokenizer.py."
            )
        if not path.is_file():
            raise UserError(f"{path}: no such file. Give a folder that holds source.spm and target.spm.")
        try:
            return sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (RuntimeError, OSError) as error:
            raise UserError(f"{path}: not a SentencePiece model; build or copy the tokenizer again") from error

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Piece → id, as vocab.json has it (ids of the embedding rows, not of the .spm file).

        A CTranslate2 folder has shared_vocabulary.json instead, a list without `<pad>`.
        """
        path, exported = self.directory / "vocab.json", self.directory / "shared_vocabulary.json"
        if not path.is_file() and exported.is_file():
            return _checked({piece: index for index, piece in enumerate(_list_of(exported))}, exported)
        if not path.is_file():
            raise UserError(f"{path}: no such file. Build a tokenizer with scripts/build_joint_tokenizer.py.")
        return _checked(read_json(path), path)

    @cached_property
    def pieces(self) -> list[str]:
        """Id → piece."""
        pieces = [UNK] * (max(self.vocabulary.values()) + 1)
        for piece, index in self.vocabulary.items():
            pieces[index] = piece
        return pieces

    @property
    def eos_id(self) -> int:
        """Id of `</s>`."""
        return self.vocabulary[EOS]

    @property
    def pad_id(self) -> int:
        """Id of `<pad>`; last in the vocabulary for every model of this project."""
        return self.vocabulary[PAD]

    def source_pieces(self, texts: Sequence[str], tag: str | None = None) -> list[list[str]]:
        """Pieces of source texts: optional language tag, then the text's pieces, then `</s>`."""
        prefix = [tag] if tag else []
        return [[*prefix, *pieces, EOS] for pieces in self.source.encode(list(texts), out_type=str)]

    def target_pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Pieces of target texts, each followed by `</s>`."""
        return [[*pieces, EOS] for pieces in self.target.encode(list(texts), out_type=str)]

    def ids(self, pieces: Iterable[str]) -> list[int]:
        """Ids of pieces; an unknown piece is `<unk>`."""
        unk_id = self.vocabulary[UNK]
        return [self.vocabulary.get(piece, unk_id) for piece in pieces]

    def decode(self, pieces: Sequence[str]) -> str:
        """Target text of pieces; `</s>`, `<pad>` and language tags are left out."""
        return self.decode_all([pieces])[0]

    def decode_all(self, rows: Iterable[Sequence[str]]) -> list[str]:
        """Target texts of rows of pieces, as `decode` does one: in one call of the tokenizer."""
        kept = [[p for p in row if p not in (EOS, PAD) and not is_tag(p)] for row in rows]
        return self.target.decode(kept) if kept else []  # the tokenizer makes "" of an empty list


def _list_of(path: Path) -> list[str]:
    values = read_json(path)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UserError(f"{path}: expected a list of pieces; export the model again")
    return values


def _checked(vocabulary: Any, path: Path) -> dict[str, int]:
    """A vocabulary that can be looked up in both directions."""
    if not isinstance(vocabulary, dict):
        raise UserError(f"{path}: expected an object, piece to id; build or copy the tokenizer again")
    for piece, index in vocabulary.items():
        if not isinstance(index, int) or not 0 <= index < 2 * len(vocabulary):
            raise UserError(f"{path}: {piece!r} has the id {str(index)[:20]}; build or copy the tokenizer again")
    if missing := [piece for piece in (EOS, UNK) if piece not in vocabulary]:
        raise UserError(f"{path}: no {missing[0]} in it; build or copy the tokenizer again")
    return vocabulary


def is_tag(piece: str) -> bool:
    """Whether a piece is a language tag such as `>>cmn_Hans<<`."""
    return piece.startswith(">>") and piece.endswith("<<")
