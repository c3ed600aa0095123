"""A language model in CTranslate2: https://opennmt.net/CTranslate2/generation.html. In int8 the fastest on a CPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from marian_distill.errors import UserError
from marian_distill.files import read_json_object, sha256
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.local import Generated

# Answers made at once: above, a CPU is no faster.
ROWS = {"cpu": 64, "cuda": 256}
CONTEXT = 4096  # tokens, where config.json does not tell


class CTranslate2Engine:
    """An `Engine` over a folder that `ct2-transformers-converter` wrote.

    Args:
        model_dir: the folder, with the model's tokenizer.
        tokenizer: of transformers.
        device: `cpu` or `cuda`.
        compute_type: what the engine computes in.
        threads: of one batch.
        seed: of what is drawn; the engine's threads take it once, so a process that goes on draws anew.
        rows: answers made at once.
    """

    # What a prompt has more than the batch's shortest costs a decoding step a token.
    most_padding = 1

    def __init__(
        self,
        model_dir: Path,
        tokenizer: Any,
        device: str = "cpu",
        compute_type: str = "default",
        threads: int = 0,
        seed: int = 42,
        rows: int | None = None,
    ) -> None:
        self.tokenizer, self.rows = tokenizer, rows or ROWS[device]
        self.context = int(read_json_object(model_dir / "config.json").get("max_position_embeddings", CONTEXT))
        ctranslate2.set_random_seed(seed)
        try:
            self.engine = ctranslate2.Generator(
                str(model_dir), device=device, compute_type=compute_type, intra_threads=threads
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            raise UserError(f"{model_dir}: CTranslate2 cannot load this model ({error})") from error
        self.provenance = {
            "teacher": str(model_dir),
            "teacher_sha256": sha256(model_dir / "model.bin"),
            "backend": "ctranslate2",
            "compute_type": self.engine.compute_type,
        }

    def batch_rows(self, tokens: int) -> int:
        """Always as many."""
        return self.rows

    def generate(
        self, prefix: list[int], suffixes: Sequence[list[int]], count: int, sampling: Sampling
    ) -> list[list[Generated]]:
        """Continuations (see `Engine`); what the prefix leads to is kept by the engine from call to call."""
        greedy, end = sampling.temperature == 0.0, self.tokenizer.eos_token_id
        tokens = self.tokenizer.convert_ids_to_tokens
        results = self.engine.generate_batch(
            [tokens(suffix) for suffix in suffixes],
            static_prompt=tokens(prefix) if prefix else None,
            include_prompt_in_result=False,
            end_token=[end],
            return_end_token=True,
            return_scores=True,
            max_length=sampling.max_new_tokens,
            num_hypotheses=count,
            sampling_topk=1 if greedy else sampling.top_k,
            sampling_topp=1.0 if greedy else sampling.top_p,
            sampling_temperature=1.0 if greedy else sampling.temperature,
            repetition_penalty=sampling.repetition_penalty,
        )
        return [
            [
                Generated(ids[:-1] if ids[-1:] == [end] else ids, score, ids[-1:] == [end])
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ]
            for result in results
        ]
