"""A language model in transformers: what all prompts begin with computed once, batches that shrink as rows end.

`generate` of transformers computes every prompt from its first token, and goes on with rows that have ended until the
last one has. Here the prefix's keys and values are computed once and shared out, and rows leave when they end.
"""

import copy
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import (
    AutoModelForCausalLM,
    DynamicCache,
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.local import Generated

MOST_ROWS = {"cpu": 64, "cuda": 512}
MEMORY_SHARE = 0.5  # of what is free, for keys, values and logits
COMPUTE_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TransformersEngine:
    """An `Engine` over a Hugging Face folder, or a model of the hub.

    Args:
        name: folder or name.
        tokenizer: of transformers.
        device: a torch device.
        compute_type: `float32`, `bfloat16`, `float16`, or `default`: the fastest here, by a short measurement.
        threads: of torch; 0 leaves its own number.
        seed: of what is drawn.
        rows: answers made at once; by default as many as fit, up to a number above which nothing gets faster.
    """

    most_padding = 64

    def __init__(
        self,
        name: str | Path,
        tokenizer: Any,
        device: str = "cpu",
        compute_type: str = "default",
        threads: int = 0,
        seed: int = 42,
        rows: int | None = None,
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        if compute_type not in {"default", *COMPUTE_TYPES}:
            raise UserError(f"--compute-type {compute_type}: transformers has {', '.join(COMPUTE_TYPES)} and default")
        if device == "cuda" and not torch.cuda.is_available():
            raise UserError("--device cuda: torch sees no GPU here; leave it out")
        self.device, self.rows = torch.device(device), rows
        self.model = _load(name, COMPUTE_TYPES.get(compute_type, "auto")).to(self.device).eval()
        if compute_type == "default":
            self.model = fastest_type(self.model)
        config = self.model.config.get_text_config()
        self.context = int(getattr(config, "max_position_embeddings", 0) or 4096)
        self.vocabulary = config.vocab_size
        generation = getattr(self.model, "generation_config", None)
        self.ends = _ids(tokenizer.eos_token_id) | _ids(generation.eos_token_id if generation else None)
        self.generator = torch.Generator(self.device)
        self.seed = seed
        self._prefix: tuple[list[int], Any] = ([], None)
        self.provenance = {
            "teacher": str(name),
            "teacher_sha256": [sha256(file) for file in sorted(Path(name).glob("*.safetensors"))],
            "teacher_commit": getattr(self.model.config, "_commit_hash", None),
            "backend": "transformers",
            "compute_type": str(self.model.dtype).removeprefix("torch."),
        }

    def batch_rows(self, tokens: int) -> int:
        """As many rows as half of the free memory holds: keys and values of each token, logits of the last."""
        if self.rows:
            return self.rows
        config, size = self.model.config.get_text_config(), self.model.dtype.itemsize
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        keys = 2 * config.num_hidden_layers * heads * width * size * tokens
        row = 2 * keys + 3 * 4 * self.vocabulary  # twice: a step writes them anew; three float32 rows of logits
        return max(1, min(MOST_ROWS[self.device.type], int(MEMORY_SHARE * self._free_bytes() / row)))

    def _free_bytes(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.mem_get_info(self.device)[0]
        return psutil.virtual_memory().available

    @torch.inference_mode()
    def generate(
        self, prefix: list[int], suffixes: Sequence[list[int]], count: int, sampling: Sampling
    ) -> list[list[Generated]]:
        """Continuations (see `Engine`). What is drawn hangs on the seed and the prompts alone."""
        rows = [suffix for suffix in suffixes for _ in range(count)]
        self.generator.manual_seed(hash((self.seed, *map(tuple, suffixes))) & 0x7FFFFFFF)
        found = self._continue(prefix, rows, sampling)
        return [found[first : first + count] for first in range(0, len(found), count)]

    def _continue(self, prefix: list[int], rows: Sequence[list[int]], sampling: Sampling) -> list[Generated]:
        """One continuation a row."""
        ids, mask = left_padded(rows, self.device)
        cache, mask = self._cache_of(prefix, len(rows), mask)
        positions = (mask.cumsum(-1) - 1)[:, -ids.shape[1] :]
        warp = _warpers(sampling)
        # For the repetition penalty, which counts every id once: a row's last one fills it up.
        shared = torch.tensor(prefix, dtype=torch.long, device=self.device).expand(len(rows), -1)
        seen = torch.cat([shared, torch.where(ids < 0, ids[:, -1:], ids)], -1)
        made: list[list[int]] = [[] for _ in rows]
        sums, alive, finished = [0.0] * len(rows), list(range(len(rows))), [False] * len(rows)
        step = ids.clamp(min=0)
        for _ in range(sampling.max_new_tokens):
            logits = self.model(
                input_ids=step,
                attention_mask=None if bool(mask.all()) else mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            log_probabilities = logits.float().log_softmax(-1)
            chosen = self._choose(warp(seen, logits.float()), sampling)
            gained = log_probabilities.gather(-1, chosen[:, None])[:, 0].tolist()
            stay = []
            for place, (row, token, gain) in enumerate(zip(alive, chosen.tolist(), gained, strict=True)):
                sums[row] += gain
                if token in self.ends:
                    finished[row] = True
                else:
                    made[row].append(token)
                    stay.append(place)
            if not stay:
                break
            if len(stay) < len(alive):
                kept = torch.tensor(stay, device=self.device)
                cache.batch_select_indices(kept)
                chosen, mask, seen, positions = chosen[kept], mask[kept], seen[kept], positions[kept]
                alive = [alive[place] for place in stay]
            step, positions = chosen[:, None], positions[:, -1:] + 1
            mask, seen = torch.cat([mask, torch.ones_like(step)], -1), torch.cat([seen, step], -1)
        return [
            Generated(ids, total / max(len(ids) + ended, 1), ended)
            for ids, total, ended in zip(made, sums, finished, strict=True)
        ]

    def _choose(self, logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
        """A token a row, [rows]."""
        if sampling.temperature == 0.0:
            return logits.argmax(-1)
        return torch.multinomial(logits.softmax(-1), 1, generator=self.generator)[:, 0]

    def _cache_of(self, prefix: list[int], rows: int, mask: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """Keys and values of the prefix for so many rows, and the mask with the prefix in front."""
        if not prefix:
            return DynamicCache(config=self.model.config), mask
        if self._prefix[0] != prefix:
            cache = DynamicCache(config=self.model.config)
            ids = torch.tensor([prefix], device=self.device)
            self.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            self._prefix = (prefix, cache)
        cache = copy.deepcopy(self._prefix[1])
        cache.batch_repeat_interleave(rows)
        return cache, torch.cat([torch.ones(rows, len(prefix), dtype=mask.dtype, device=self.device), mask], -1)


def left_padded(rows: Sequence[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids `[rows, longest]` with −1 before short rows, and the mask (1: a token)."""
    longest = max(map(len, rows))
    ids = torch.tensor([[-1] * (longest - len(row)) + row for row in rows], device=device)
    return ids, (ids >= 0).long()


def _warpers(sampling: Sampling) -> LogitsProcessorList:
    """What transformers does to logits before a token is chosen."""
    found: list[Any] = []
    if sampling.repetition_penalty != 1.0:
        found.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
    if sampling.temperature > 0:
        found.append(TemperatureLogitsWarper(float(sampling.temperature)))
        if sampling.top_k:
            found.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            found.append(TopPLogitsWarper(float(sampling.top_p)))
    return LogitsProcessorList(found)


def _ids(value: int | list[int] | None) -> set[int]:
    return {one for one in (value if isinstance(value, list) else [value]) if one is not None}


def _load(name: str | Path, dtype: torch.dtype | str) -> Any:
    try:
        return AutoModelForCausalLM.from_pretrained(name, dtype=dtype)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"--teacher-llm {name}: no language model that transformers can load ({error})") from error


def fastest_type(model: Any) -> Any:
    """The model in the type in which a pass over 64 tokens is the fastest here: its own, or float32 on a CPU.

    On a GPU half precision is always that; it stays, and float32 becomes bfloat16 where the GPU has it.
    """
    if model.device.type == "cuda":
        half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return model.to(half) if model.dtype == torch.float32 else model
    if model.dtype == torch.float32:
        return model  # rounding it to save time is for the user to ask: --compute-type bfloat16
    layers = [part.weight for part in model.modules() if isinstance(part, torch.nn.Linear)]
    weight = max(layers[:-1], key=torch.Tensor.numel)  # the last is the vocabulary's, and large
    half_seconds = _seconds(weight)
    return model.float() if _seconds(weight.float()) < half_seconds else model


@torch.inference_mode()
def _seconds(weight: torch.Tensor) -> float:
    """Of the product with 64 rows, the better of two after one that warms up."""
    rows, seconds = torch.ones(64, weight.shape[1], dtype=weight.dtype), []
    for _ in range(3):
        start = time.perf_counter()
        torch.nn.functional.linear(rows, weight)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
