"""Translating with a Hugging Face folder under the same rules as an exported one, so that the two compare."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig

from marian_distill.languages import Direction
from marian_distill.pieces import EOS, SentencePieceTokenizer
from marian_distill.runtime.translator import (
    MAX_DECODING_LENGTH,
    FolderConfig,
    checked_beam_size,
    checked_direction,
    segment_bound,
    tags_of,
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
        self.max_segment_length = segment_bound(config, max_decoding_length)
        self.pieces = SentencePieceTokenizer(model_dir)
        known = self.pieces.vocabulary  # a model from a hub may have no language tags
        self.source_tags: Mapping[Direction, str | None] = {
            one: tag if tag in known else None for one, tag in tags_of(config).items()
        }
        self.direction = checked_direction(self.source_tags, direction)
        self.model = load_student(model_dir, device)
        self.beam_size = checked_beam_size(beam_size)
        pad_id, eos_id = self.pieces.pad_id, self.pieces.eos_id
        # As the engine decodes: from a zero embedding, never `<pad>`, never nothing, no forced `</s>` at the bound.
        self.model.generation_config = GenerationConfig(
            do_sample=False,
            min_new_tokens=1,
            max_new_tokens=max_decoding_length,
            decoder_start_token_id=pad_id,
            pad_token_id=pad_id,
            eos_token_id=eos_id,
            bad_words_ids=[[pad_id]],
        )

    @property
    def compute_type(self) -> str:
        """What the model computes in."""
        return str(self.model.dtype).removeprefix("torch.")

    def translate(self, texts: Sequence[str], first_line: int = 1, *, direction: str | None = None) -> list[str]:
        """Translate texts of any length, one result each, in their order (see `Translator`)."""
        return translate_texts(self, texts, first_line, direction)

    def decode_pieces(self, sources: list[list[str]], beam_size: int | None = None) -> list[list[str]]:
        """Best target pieces for each list of source pieces, `</s>` included when decoding ended by itself."""
        decoded: list[list[str]] = [[] for _ in sources]
        for batch in _batches(sources):
            found = self._decode_batch([sources[index] for index in batch], beam_size or self.beam_size)
            for index, pieces in zip(batch, found, strict=True):
                decoded[index] = pieces
        return decoded

    @torch.inference_mode()
    def _decode_batch(self, sources: list[list[str]], beam_size: int) -> list[list[str]]:
        ids = [torch.tensor(self.pieces.ids(pieces)) for pieces in sources]
        input_ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=self.pieces.pad_id)  # [B, T]
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)  # [B, T]
        output = self.model.generate(  # pyright: ignore[reportAttributeAccessIssue]
            input_ids=input_ids.to(self.model.device),
            attention_mask=mask.to(self.model.device),
            num_beams=beam_size,
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
