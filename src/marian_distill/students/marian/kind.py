"""Marian as a kind of student."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from transformers import GenerationConfig, MarianConfig, MarianTokenizer, TrainerCallback

from marian_distill.pieces import MarianPieces
from marian_distill.students.kind import Export
from marian_distill.students.marian.config import check_config, read_config
from marian_distill.students.marian.convertible import check_convertible
from marian_distill.students.marian.graphs import static_graphs
from marian_distill.students.marian.initialisation import initialise
from marian_distill.students.marian.model import MarianStudent, new_student
from marian_distill.students.packing import PairCollator
from marian_distill.students.zero_pad import ZeroPadEmbeddingCallback, pad_row_norm


class Marian:
    """The `StudentKind` of `MarianMTModel`, encoder and decoder."""

    name = "Marian"
    student = MarianStudent
    exports: frozenset[Export] = frozenset({"ct2", "onnx", "rknn"})

    read_config = staticmethod(read_config)
    check_config = staticmethod(check_config)
    build = staticmethod(new_student)
    initialise = staticmethod(initialise)
    check_convertible = staticmethod(check_convertible)
    static_graphs = staticmethod(static_graphs)

    def collator(self, pieces: MarianPieces) -> PairCollator:
        """Source and target padded apart; Marian decodes from `<pad>`."""
        return PairCollator(pieces.pad_id)

    def generation_config(self, config: MarianConfig) -> GenerationConfig:
        """Greedy output that starts from `<pad>` and never says it, as the exported engines do."""
        pad = config.pad_token_id
        return GenerationConfig(
            bad_words_ids=[[pad]],
            pad_token_id=pad,
            decoder_start_token_id=pad,
            eos_token_id=config.eos_token_id,
            max_new_tokens=128,
            num_beams=1,
        )

    def tokenizer(self, folder: Path) -> MarianTokenizer:
        """The tokenizer of transformers that gives the pieces of the two .spm files."""
        return MarianTokenizer.from_pretrained(folder)

    def callbacks(self) -> list[TrainerCallback]:
        """The `<pad>` row is zero after every step."""
        return [ZeroPadEmbeddingCallback()]

    def check_weights(self, student: MarianStudent, weights: Mapping[str, Tensor] | None) -> None:
        """The `<pad>` row is zero."""
        norm = pad_row_norm(student, weights)
        if norm != 0.0:
            raise RuntimeError(f"the <pad> embedding has norm {norm}, not 0.0: is ZeroPadEmbeddingCallback missing?")

    def usage(self, name: str, sentence: str) -> str:
        """With the classes of transformers."""
        return f"""from transformers import MarianMTModel, MarianTokenizer

tokenizer, model = MarianTokenizer.from_pretrained("{name}"), MarianMTModel.from_pretrained("{name}")
inputs = tokenizer(["{sentence}"], return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs)[0], skip_special_tokens=True))"""
