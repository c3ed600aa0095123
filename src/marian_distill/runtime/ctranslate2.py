"""Translating with a CTranslate2 folder, as a phone does: https://opennmt.net/CTranslate2/translation.html.

Needs `ctranslate2` and `sentencepiece` alone; a 20 M parameter int8 model loads in a fraction of a second.
"""

from collections.abc import Mapping
from pathlib import Path

import ctranslate2

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.languages import Direction
from marian_distill.pieces import EOS, SentencePieceTokenizer
from marian_distill.runtime.translator import (
    MAX_DECODING_LENGTH,
    MAX_THREADS,
    FolderConfig,
    TextTranslator,
    checked_beam_size,
    checked_direction,
    checked_threads,
    segment_bound,
    tags_of,
)
from marian_distill.schema import read_shaped

# Source tokens, padding included, that are translated at once. On a CPU throughput is flat above and memory is not.
BATCH_TOKENS = {"cpu": 256, "cuda": 8192}
# Candidates of each source piece (scripts/make_vocabulary_map.py); used where the folder has it.
VOCABULARY_MAP = "vmap.txt"
# The engine's own search ends with the first few finished hypotheses, which are the short ones: words get lost. With
# patience (https://arxiv.org/abs/2204.05424) it waits for twice as many.
PATIENCE = 2


class CTranslate2Translator(TextTranslator):
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
        if not 1 <= inter_threads * max(checked_threads(intra_threads), 1) <= MAX_THREADS:
            raise UserError(f"{inter_threads} × {intra_threads} threads: expected 1 to {MAX_THREADS} together")
        self.config = read_config(model_dir)
        self.source_tags: Mapping[Direction, str | None] = tags_of(self.config)
        self.direction = checked_direction(self.source_tags, direction)
        self.beam_size = checked_beam_size(beam_size)
        self.max_decoding_length = max_decoding_length
        self.max_segment_length = segment_bound(self.config, max_decoding_length)
        self.pieces = SentencePieceTokenizer(model_dir)
        _ = self.pieces.vocabulary  # read now: a broken one is told before the first sentence
        self.use_vmap = (model_dir / VOCABULARY_MAP).is_file()
        if self.use_vmap:
            check_vocabulary_map(model_dir / VOCABULARY_MAP)
        try:
            self.engine = ctranslate2.Translator(
                str(model_dir),
                device=device,
                compute_type=compute_type,
                inter_threads=inter_threads,
                intra_threads=intra_threads,
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            raise UserError(f"{model_dir}: CTranslate2 cannot load this model ({error})") from error

    @property
    def compute_type(self) -> str:
        """What the engine really computes in: int8 on disk may be another type in memory."""
        return self.engine.compute_type

    def decode_pieces(self, sources: list[list[str]], beam_size: int | None = None) -> list[list[str]]:
        """Best target pieces for each list of source pieces, `</s>` included when decoding ended by itself."""
        return [result.hypotheses[0] for result in self._decode(sources, beam_size or self.beam_size)]

    def decode_n_best(self, sources: list[list[str]], beam_size: int) -> list[list[tuple[list[str], float]]]:
        """For each list of source pieces `beam_size` hypotheses and their mean log-probabilities, best first."""
        results = self._decode(sources, beam_size, num_hypotheses=beam_size, return_scores=True)
        return [list(zip(result.hypotheses, result.scores, strict=True)) for result in results]

    def _decode(
        self, sources: list[list[str]], beam_size: int, **options: int | bool
    ) -> list[ctranslate2.TranslationResult]:
        return self.engine.translate_batch(
            sources,
            max_batch_size=BATCH_TOKENS[self.engine.device],
            batch_type="tokens",
            beam_size=beam_size,
            patience=1 if beam_size == 1 else PATIENCE,
            max_input_length=0,  # the default cuts long input in silence; segments are bounded before
            max_decoding_length=self.max_decoding_length,
            return_end_token=True,
            use_vmap=self.use_vmap,
            **options,
        )


def read_config(model_dir: Path) -> FolderConfig:
    """config.json of a folder whose other files have the SHA-256 that it gives; else a `UserError` that names one.

    A folder that was not exported by this project gives none and is taken as it is.
    """
    if not (model_dir / "model.bin").is_file():
        raise UserError(f"{model_dir}: no model.bin here. Make a CTranslate2 folder with scripts/export_ct2.py.")
    if (model_dir / "tokenizer.json").is_file():
        raise UserError(f"{model_dir}: the folder of a language model; give a Marian model's here")
    config = read_shaped(model_dir / "config.json", FolderConfig)
    for name, expected in config.get("sha256", {}).items():
        file = model_dir / name
        if not file.is_file():
            if name == VOCABULARY_MAP:  # who deletes it wants to do without
                continue
            raise UserError(f"{file}: no such file, though config.json lists it. Copy the whole folder again.")
        if sha256(file) != expected:
            raise UserError(f"{file}: not the file that config.json lists (its SHA-256). Copy the whole folder again.")
    return config


def check_vocabulary_map(path: Path) -> None:
    """`UserError` for a map that the engine would crash on, or could end no sentence with."""
    with path.open("rb") as stream:
        always = stream.readline()
    if not always.startswith(b"\t") or EOS.encode() not in always.split():
        raise UserError(
            f"{path}: its first line is not that of the pieces that are always candidates. Delete the file; "
            "scripts/make_vocabulary_map.py makes another."
        )
