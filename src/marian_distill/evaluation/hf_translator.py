"""Translating with a Hugging Face folder under the same rules as an exported one, so that the two compare."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig

from marian_distill.languages import Direction
from marian_distill.pieces import EOS, MarianPieces
from marian_distill.runtime.translator import (
    MAX_DECODING_LENGTH,
    FolderConfig,
    checked_beam_size,
    choose_direction,
    segment_bound,
    translate_texts,
)
from marian_distill.schema import read_shaped
from marian_distill.students.loading import load_student

# Source tokens, padding included, that are translated at once.
BATCH_TOKENS = 2048


class HFTranslator:
    """A `Translator` over a Hugging Face folder: config.json, safetensors, vocab.json, source.spm, target.spm.

    Args:
        model_dir: the folder.
        direction: `en-zh` or `zh-en`; the folder's own first direction when None.
        beam_size: 1 for greedy search.
        max_decoding_length: output bound for a segment, in target tokens.
        device: a torch device.
    """

    direction: Direction

    def __init__(
        self,
        model_dir: str | Path,
        direction: str | None = None,
        beam_size: int = 1,
        max_decoding_length: int = MAX_DECODING_LENGTH,
        device: str = "cpu",
    ) -> None:
        config = read_shaped(Path(model_dir) / "config.json", FolderConfig)
        self.direction, self.tag = choose_direction(config, direction)
        self.max_segment_length = segment_bound(config, max_decoding_length)
        self.pieces = MarianPieces(model_dir)
        if self.tag not in self.pieces.vocabulary:
            self.tag = None  # a model without language tags, from a hub perhaps
        self.model = load_student(model_dir, device)
        pad_id, eos_id = self.pieces.pad_id, self.pieces.eos_id
        # As the engine decodes: from a zero embedding, never `<pad>`, never nothing, no forced `</s>` at the bound.
        self.model.generation_config = GenerationConfig(
            num_beams=checked_beam_size(beam_size),
            do_sample=False,
            min_new_tokens=1,
            max_new_tokens=max_decoding_length,
            decoder_start_token_id=pad_id,
            pad_token_id=pad_id,
            eos_token_id=eos_id,
            bad_words_ids=[[pad_id]],
        )

    def set_beam_size(self, beam_size: int) -> None:
        """Search with another beam from now on."""
        self.model.generation_config.num_beams = checked_beam_size(beam_size)

    @property
    def compute_type(self) -> str:
        """What the model computes in."""
        return str(self.model.dtype).removeprefix("torch.")

    def translate(self, texts: Sequence[str], first_line: int = 1) -> list[str]:
        """Translate texts of any length, one result each, in their order (see `Translator`)."""
        return translate_texts(self, texts, first_line)

    def decode_pieces(self, sources: list[list[str]]) -> list[list[str]]:
        """Best target pieces for each list of source pieces, `</s>` included when decoding ended by itself."""
        decoded: list[list[str]] = [[] for _ in sources]
        for batch in _batches(sources):
            for index, pieces in zip(batch, self._decode_batch([sources[index] for index in batch]), strict=True):
                decoded[index] = pieces
        return decoded

    @torch.inference_mode()
    def _decode_batch(self, sources: list[list[str]]) -> list[list[str]]:
        ids = [torch.tensor(self.pieces.ids(pieces)) for pieces in sources]
        input_ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=self.pieces.pad_id)  # [B, T]
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)  # [B, T]
        output = self.model.generate(  # pyright: ignore[reportAttributeAccessIssue]
            input_ids=input_ids.to(self.model.device), attention_mask=mask.to(self.model.device)
        )
        hypotheses = []
        for row in output[:, 1:].tolist():  # the first column is the start token
            pieces = [self.pieces.pieces[index] for index in row if index != self.pieces.pad_id]
            hypotheses.append(pieces[: pieces.index(EOS) + 1] if EOS in pieces else pieces)
        return hypotheses


def _batches(sources: Sequence[Sequence[str]]) -> list[list[int]]:
    """Indices in batches of at most `BATCH_TOKENS` padded tokens, shortest first."""
    batches: list[list[int]] = []
    for index in sorted(range(len(sources)), key=lambda index: len(sources[index])):
        if batches and (len(batches[-1]) + 1) * len(sources[index]) <= BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
