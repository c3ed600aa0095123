"""Translating with a language model: its prompt is the source and the target language's tag."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from marian_distill.errors import UserError
from marian_distill.languages import TAGS, Direction, languages_of
from marian_distill.pieces import EOS
from marian_distill.runtime.ct2_generator import CTranslate2Generator
from marian_distill.runtime.translator import (
    MAX_DECODING_LENGTH,
    TextTranslator,
    checked_beam_size,
    checked_direction,
    declared_directions,
    segment_bound,
)
from marian_distill.tokenizer_file import TokenizerFile, translation_prompts

PATIENCE = 2  # as `runtime.ctranslate2` searches


class PromptPieces:
    """Tokens of prompts and of translations, as `translate_texts` asks for pieces."""

    def __init__(self, tokenizer: TokenizerFile) -> None:
        self.tokenizer = tokenizer
        self._directions: dict[str | None, Direction] = {TAGS["zh"]: "en-zh", TAGS["en"]: "zh-en"}

    def source_pieces(self, texts: Sequence[str], tag: str | None = None) -> list[list[str]]:
        """Tokens of each text's prompt; the tag says which language is wanted."""
        prompts = translation_prompts(self.tokenizer, texts, self._directions[tag])
        return [self.tokenizer.tokens(prompt) for prompt in prompts]

    def decode(self, pieces: Sequence[str]) -> str:
        """Text of a translation's tokens."""
        return self.decode_all([pieces])[0]

    def decode_all(self, rows: Iterable[Sequence[str]]) -> list[str]:
        """Texts of rows of tokens; what ends a translation is left out."""
        look_up = self.tokenizer.library.token_to_id
        ids = [[index for piece in row if (index := look_up(piece)) is not None and piece != EOS] for row in rows]
        return [self.tokenizer.decode(row).strip() for row in ids]


class PromptedTranslator(TextTranslator):
    """A `Translator` over a language model's CTranslate2 folder that was trained with `--direction`.

    Args:
        model_dir: the folder.
        direction: `en-zh` or `zh-en`; the folder's own first direction when None.
        device, compute_type, inter_threads, intra_threads: see `CTranslate2Generator`.
        beam_size: 1 for greedy search.
        max_decoding_length: output bound for a segment, in target tokens.
    """

    direction: Direction

    def __init__(
        self,
        model_dir: str | Path,
        direction: str | None = None,
        device: str = "cpu",
        compute_type: str = "default",
        beam_size: int = 1,
        max_decoding_length: int = MAX_DECODING_LENGTH,
        inter_threads: int = 1,
        intra_threads: int = 0,
    ) -> None:
        self.generator = CTranslate2Generator(
            model_dir, device, compute_type, intra_threads, inter_threads=inter_threads
        )
        self.config = self.generator.config
        if not self.config.get("directions"):
            raise UserError(f"{model_dir}: this model writes and does not translate; use scripts/generate_text.py.")
        self.source_tags: Mapping[Direction, str | None] = {
            one: TAGS[languages_of(one)[1]] for one in declared_directions(self.config)
        }
        self.direction = checked_direction(self.source_tags, direction)
        self.pieces: Any = PromptPieces(self.generator.tokenizer)
        self.beam_size = checked_beam_size(beam_size)
        self.max_decoding_length = max_decoding_length
        room = self.generator.context - max_decoding_length - 1
        self.max_segment_length = min(segment_bound(self.config, max_decoding_length), room)

    @property
    def compute_type(self) -> str:
        """What the engine really computes in."""
        return self.generator.compute_type

    def decode_pieces(self, sources: list[list[str]], beam_size: int | None = None) -> list[list[str]]:
        """Best target tokens for each prompt, `</s>` last when decoding ended by itself."""
        return [hypotheses[0][0] for hypotheses in self._decode(sources, beam_size or self.beam_size, 1)]

    def decode_n_best(self, sources: list[list[str]], beam_size: int) -> list[list[tuple[list[str], float]]]:
        """For each prompt `beam_size` hypotheses and their mean log-probabilities, best first."""
        return self._decode(sources, beam_size, beam_size)

    def _decode(self, sources: list[list[str]], beam_size: int, count: int) -> list[list[tuple[list[str], float]]]:
        end = self.generator.end_token
        results = self.generator.engine.generate_batch(
            sources,
            beam_size=beam_size,
            patience=1 if beam_size == 1 else PATIENCE,
            num_hypotheses=count,
            max_length=self.max_decoding_length,
            include_prompt_in_result=False,
            end_token=end,
            return_end_token=True,
            return_scores=True,
            max_batch_size=1024,
            batch_type="tokens",
        )
        found = []
        for result in results:
            rows = [[*row[:-1], EOS] if row[-1:] == [end] else row for row in result.sequences]
            found.append(list(zip(rows, result.scores, strict=True)))
        return found
