"""A Marian model's text ↔ pieces ↔ ids, over raw SentencePiece: what the phone, the board and the trainer all use.

`transformers.MarianTokenizer` gives the same pieces (a test holds the two together), but slowly.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import sentencepiece

from marian_distill.errors import UserError

EOS, UNK, PAD = "</s>", "<unk>", "<pad>"


class MarianPieces:
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
        if not path.is_file():
            raise UserError(f"{path}: no such file. Give a folder that holds source.spm and target.spm.")
        return sentencepiece.SentencePieceProcessor(model_file=str(path))

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Piece → id, as vocab.json has it (ids of the embedding rows, not of the .spm file).

        A CTranslate2 folder has shared_vocabulary.json instead, a list without `<pad>`.
        """
        path, exported = self.directory / "vocab.json", self.directory / "shared_vocabulary.json"
        if not path.is_file() and exported.is_file():
            return {piece: index for index, piece in enumerate(json.loads(exported.read_text(encoding="utf-8")))}
        if not path.is_file():
            raise UserError(f"{path}: no such file. Build a tokenizer with scripts/build_joint_tokenizer.py.")
        return json.loads(path.read_text(encoding="utf-8"))

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


def is_tag(piece: str) -> bool:
    """Whether a piece is a language tag such as `>>cmn_Hans<<`."""
    return piece.startswith(">>") and piece.endswith("<<")
