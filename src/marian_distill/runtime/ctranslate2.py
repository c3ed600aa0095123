"""Translating with a CTranslate2 folder, as a phone does: https://opennmt.net/CTranslate2/translation.html.

Needs `ctranslate2` and `sentencepiece` alone; a 20 M parameter int8 model loads in a fraction of a second.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import ctranslate2

from marian_distill.errors import UserError
from marian_distill.languages import Direction, languages_of
from marian_distill.pieces import MarianPieces
from marian_distill.runtime.segmentation import join_segments
from marian_distill.runtime.translator import (
    MAX_DECODING_LENGTH,
    FolderConfig,
    checked_beam_size,
    checked_threads,
    choose_direction,
    segment_bound,
    segment_texts,
    translate_texts,
)
from marian_distill.schema import read_shaped

# Source tokens, padding included, that are translated at once. On a CPU throughput is flat above and memory is not.
BATCH_TOKENS = {"cpu": 256, "cuda": 8192}
# Candidates of each source piece (scripts/make_vocabulary_map.py); used where the folder has it.
VOCABULARY_MAP = "vmap.txt"


class CTranslate2Translator:
    """A `Translator` over a folder with model.bin, config.json, shared_vocabulary.json, source.spm, target.spm.

    Args:
        model_dir: the folder.
        direction: `en-zh` or `zh-en`; the folder's own first direction when None.
        device: `cpu`, `cuda` or `auto`.
        compute_type: what the engine computes in (`default` keeps the type on disk where the machine can do it).
        beam_size: 1 for greedy search, as on the phone.
        max_decoding_length: output bound for a segment, in target tokens.
        inter_threads: batches translated side by side.
        intra_threads: threads for one batch; 0 lets the engine choose.
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
        model_dir = Path(model_dir)
        if not (model_dir / "model.bin").is_file():
            raise UserError(f"{model_dir}: no model.bin here. Make a CTranslate2 folder with scripts/export_ct2.py.")
        self.config = read_shaped(model_dir / "config.json", FolderConfig)
        self.set_direction(direction)
        self.beam_size = checked_beam_size(beam_size)
        self.max_decoding_length = max_decoding_length
        self.max_segment_length = segment_bound(self.config, max_decoding_length)
        self.pieces = MarianPieces(model_dir)
        _ = self.pieces.vocabulary  # read now: a broken one is told before the first sentence
        self.use_vmap = (model_dir / VOCABULARY_MAP).is_file()
        try:
            self.engine = ctranslate2.Translator(
                str(model_dir),
                device=device,
                compute_type=compute_type,
                inter_threads=checked_threads(inter_threads),
                intra_threads=checked_threads(intra_threads),
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            raise UserError(f"{model_dir}: CTranslate2 cannot load this model ({error})") from error

    def set_direction(self, direction: str | None) -> None:
        """Translate in another direction from now on; `UserError` when the model does not do it."""
        self.direction, self.tag = choose_direction(self.config, direction)

    @property
    def compute_type(self) -> str:
        """What the engine really computes in: int8 on disk may be another type in memory."""
        return self.engine.compute_type

    def translate(self, texts: Sequence[str], first_line: int = 1) -> list[str]:
        """Translate texts of any length, one result each, in their order (see `Translator`)."""
        return translate_texts(self, texts, first_line)

    def decode_pieces(self, sources: list[list[str]]) -> list[list[str]]:
        """Best target pieces for each list of source pieces, `</s>` included when decoding ended by itself."""
        return [result.hypotheses[0] for result in self._decode(sources, return_end_token=True)]

    def translate_n_best(self, texts: Sequence[str], count: int) -> list[list[tuple[str, float]]]:
        """For each text its best translations with their mean log-probabilities a token, best first.

        A text of several segments has one translation, with the mean of the segments' scores.

        Args:
            texts: source texts.
            count: translations a text; at most the beam size.
        """
        if count > self.beam_size:
            raise UserError(f"{count} best translations need a beam of {count}; it is {self.beam_size}")
        segmented = segment_texts(self, texts)
        segments = [segment for lines in segmented for line in lines for segment in line]
        results = iter(self._decode(segments, count, return_scores=True))
        target = languages_of(self.direction)[1]
        found = []
        for lines in segmented:
            decoded = [list(islice(results, len(line))) for line in lines]
            if [len(line) for line in decoded] == [1]:
                ((only,),) = decoded
                found.append([(self.pieces.decode(h), s) for h, s in zip(only.hypotheses, only.scores, strict=True)])
                continue
            joined = [
                join_segments([self.pieces.decode(one.hypotheses[0]) for one in line], target) for line in decoded
            ]
            scores = [one.scores[0] for line in decoded for one in line]
            found.append([("\n".join(joined), sum(scores) / max(len(scores), 1))])
        return found

    def _decode(
        self, sources: list[list[str]], count: int = 1, **options: bool
    ) -> list[ctranslate2.TranslationResult]:
        return self.engine.translate_batch(
            sources,
            max_batch_size=BATCH_TOKENS[self.engine.device],
            batch_type="tokens",
            beam_size=self.beam_size,
            num_hypotheses=count,
            max_input_length=0,  # the default cuts long input in silence; segments are bounded before
            max_decoding_length=self.max_decoding_length,
            use_vmap=self.use_vmap,
            **options,
        )
