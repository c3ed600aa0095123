"""What kinds of students share that translate a source into a target with one joint vocabulary, `<pad>` last."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from transformers import GenerationConfig, MarianTokenizer, PreTrainedConfig, TrainerCallback

from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.packing import PairCollator
from marian_distill.students.student import Student
from marian_distill.students.zero_pad import ZeroPadEmbeddingCallback, pad_row_norm


class PairKind:
    """These parts of a `StudentKind`."""

    def collator(self, pieces: SentencePieceTokenizer) -> PairCollator:
        """Source and target padded apart; decoding starts from `<pad>`."""
        return PairCollator(pieces.pad_id)

    def generation_config(self, config: PreTrainedConfig) -> GenerationConfig:
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

    def check_weights(self, student: Student, weights: Mapping[str, Tensor] | None) -> None:
        """The `<pad>` row is zero."""
        norm = pad_row_norm(student, weights)
        if norm != 0.0:
            raise RuntimeError(f"the <pad> embedding has norm {norm}, not 0.0: is ZeroPadEmbeddingCallback missing?")
