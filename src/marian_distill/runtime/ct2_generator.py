"""Writing with a CTranslate2 folder: https://opennmt.net/CTranslate2/generation.html.

Needs `ctranslate2` and `tokenizers` alone.
"""

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

import ctranslate2

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.runtime.generation import Sampling
from marian_distill.runtime.translator import MAX_THREADS, checked_threads
from marian_distill.schema import read_shaped
from marian_distill.tokenizer_file import TokenizerFile

MODEL_KIND = "language model"


class GeneratorConfig(TypedDict):
    """What writing reads of a folder's config.json."""

    kind: str  # MODEL_KIND
    max_position_embeddings: int
    directions: NotRequired[list[str]]  # of a model that translates
    sha256: dict[str, str]  # of the other files


class CTranslate2Generator:
    """A `TokenGenerator` over a folder that scripts/export_ct2.py wrote.

    Args:
        model_dir: the folder.
        device: `cpu`, `cuda` or `auto`.
        compute_type: what the engine computes in (`default` keeps the type on disk where the machine can do it).
        threads: for one text; 0 lets the engine choose.
        seed: of what is drawn, from the first text on; None: another one each time. The engine's draws are those of
            its threads, which take the seed once: a process has one.
        inter_threads: batches that are worked on side by side.
    """

    def __init__(
        self,
        model_dir: str | Path,
        device: str = "cpu",
        compute_type: str = "default",
        threads: int = 0,
        seed: int | None = None,
        inter_threads: int = 1,
    ) -> None:
        model_dir = Path(model_dir)
        if not (model_dir / "model.bin").is_file():
            raise UserError(f"{model_dir}: no model.bin here. Make a CTranslate2 folder with scripts/export_ct2.py.")
        if (model_dir / "source.spm").is_file():
            raise UserError(f"{model_dir}: this model translates and does not write; use scripts/translate_ct2.py.")
        if not 1 <= inter_threads * max(checked_threads(threads), 1) <= MAX_THREADS:
            raise UserError(f"{inter_threads} × {threads} threads: expected 1 to {MAX_THREADS} together")
        self.config = read_generator_config(model_dir)
        self.tokenizer = TokenizerFile(model_dir)
        self.context = self.config["max_position_embeddings"]
        self.end_token = self.tokenizer.tokens([self.tokenizer.end_id])[0]
        if seed is not None:
            ctranslate2.set_random_seed(seed)
        try:
            self.engine = ctranslate2.Generator(
                str(model_dir),
                device=device,
                compute_type=compute_type,
                inter_threads=inter_threads,
                intra_threads=threads,
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            raise UserError(f"{model_dir}: CTranslate2 cannot load this model ({error})") from error
        # Its threads let go of what streamed to Python, and must have done so before Python ends: else they abort it.
        weakref.finalize(self, vars(self).clear)

    @property
    def compute_type(self) -> str:
        """What the engine really computes in."""
        return self.engine.compute_type

    def generate(self, prompt: list[int], sampling: Sampling) -> Iterator[int]:
        """Ids that follow a prompt (see `TokenGenerator`)."""
        greedy = sampling.temperature == 0.0
        steps = self.engine.generate_tokens(
            self.tokenizer.tokens(prompt),
            max_length=sampling.max_new_tokens,
            sampling_topk=1 if greedy else sampling.top_k,
            sampling_topp=1.0 if greedy else sampling.top_p,
            sampling_temperature=1.0 if greedy else sampling.temperature,
            repetition_penalty=sampling.repetition_penalty,
            end_token=self.end_token,
        )
        for step in steps:
            if step.token_id == self.tokenizer.end_id:
                return
            yield step.token_id

    def log_probabilities(self, rows: list[list[int]]) -> list[list[float]]:
        """Natural log-probabilities of every id but each row's first (see `TokenGenerator`)."""
        tokens = [self.tokenizer.tokens(row) for row in rows]
        results = self.engine.score_batch(tokens, max_batch_size=2048, batch_type="tokens", max_input_length=0)
        return [list(result.log_probs) for result in results]


def read_generator_config(model_dir: Path) -> GeneratorConfig:
    """config.json of a folder whose other files have the SHA-256 that it gives; else a `UserError` that names one."""
    path = model_dir / "config.json"
    config = read_shaped(path, GeneratorConfig)
    if config["kind"] != MODEL_KIND:
        raise UserError(f"{path}: {config['kind']!r}, expected {MODEL_KIND!r}")
    for name, expected in config["sha256"].items():
        file = model_dir / name
        if not file.is_file() or sha256(file) != expected:
            raise UserError(f"{file}: not the file that config.json lists (its SHA-256). Copy the whole folder again.")
    return config
