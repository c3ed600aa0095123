"""Translating with a bundle folder, on a board or by ONNX Runtime: numpy and sentencepiece around the engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from marian_distill.languages import Direction
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.bundle import read_bundle
from marian_distill.runtime.sessions import open_sessions
from marian_distill.runtime.static import Session, StaticModel, beam_search, greedy
from marian_distill.runtime.translator import (
    TextTranslator,
    checked_beam_size,
    checked_direction,
    checked_threads,
    segment_bound,
    tags_of,
)


class BundleTranslator(TextTranslator):
    """A `Translator` over a bundle folder (bundle.json, graphs, tables, source.spm, target.spm, vocab.json).

    Args:
        folder: the bundle.
        direction: `en-zh` or `zh-en`; the bundle's own first direction when None.
        beam_size: 1 for greedy search; each hypothesis is a decoder call of its own.
        max_decoding_length: output bound for a segment, in target tokens; the bundle's when None.
        threads: ONNX Runtime's.
        sessions: engines that are loaded already (a simulator, say) instead of the folder's own files.
    """

    direction: Direction

    def __init__(
        self,
        folder: str | Path,
        direction: str | None = None,
        beam_size: int = 1,
        max_decoding_length: int | None = None,
        threads: int = 1,
        sessions: Mapping[str, Session] | None = None,
    ) -> None:
        self.config = read_bundle(folder)
        self.source_tags: Mapping[Direction, str | None] = tags_of(self.config)
        self.direction = checked_direction(self.source_tags, direction)
        self.beam_size = checked_beam_size(beam_size)
        positions = self.config["target_length"]
        self.max_decoding_length = positions if max_decoding_length is None else max_decoding_length
        bound = segment_bound({"max_position_embeddings": positions}, self.max_decoding_length)
        self.max_segment_length = min(bound, self.config["source_length"])
        self.pieces = SentencePieceTokenizer(folder)
        self.model = StaticModel(
            folder, self.config, sessions or open_sessions(folder, self.config, checked_threads(threads))
        )

    @property
    def compute_type(self) -> str:
        """Target and type of the graphs, as they were exported: `rv1126b w8a8`."""
        return f"{self.config['target']} {self.config['dtype']}"

    def decode_pieces(self, sources: list[list[str]], beam_size: int | None = None) -> list[list[str]]:
        """Best target pieces for each list of source pieces, `</s>` included when decoding ended by itself."""
        beam_size = beam_size or self.beam_size
        if beam_size > 1:
            return [hypotheses[0][0] for hypotheses in self.decode_n_best(sources, beam_size)]
        sources_ids = (self.pieces.ids(source) for source in sources)
        return [self._names(greedy(self.model, ids, self.max_decoding_length)) for ids in sources_ids]

    def decode_n_best(self, sources: list[list[str]], beam_size: int) -> list[list[tuple[list[str], float]]]:
        """For each list of source pieces `beam_size` hypotheses and their mean log-probabilities, best first."""
        sources_ids = (self.pieces.ids(source) for source in sources)
        found = (beam_search(self.model, ids, self.max_decoding_length, beam_size) for ids in sources_ids)
        return [[(self._names(target), score) for score, target in ended] for ended in found]

    def _names(self, ids: Sequence[int]) -> list[str]:
        return [self.pieces.pieces[index] for index in ids]
