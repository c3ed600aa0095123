"""Writing with a Hugging Face folder: the model as it was trained, or in int4. Imports torch."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from marian_distill.evaluation.int4 import quantize_int4
from marian_distill.runtime.generation import Sampling
from marian_distill.students.loading import load_student
from marian_distill.tokenizer_file import TokenizerFile


class HFGenerator:
    """A `TokenGenerator` over a folder that scripts/train_causal_lm.py wrote.

    Args:
        model_dir: the folder.
        device: a torch device.
        seed: of what is drawn, from the first text on; None: another one each time.
        int4: the linear layers' weights are turned into int4 when they are loaded (`--extra int4`).
    """

    def __init__(
        self, model_dir: str | Path, device: str = "cpu", seed: int | None = None, int4: bool = False
    ) -> None:
        self.tokenizer = TokenizerFile(model_dir)
        self.model: Any = load_student(model_dir, device)
        self._int4 = int4
        if int4:
            quantize_int4(self.model)
        self.context: int = self.model.config.max_position_embeddings
        if seed is None:
            torch.seed()
        else:
            torch.manual_seed(seed)

    @property
    def compute_type(self) -> str:
        """Type of the weights and, where it is another one, of what is computed."""
        return f"{'int4_' if self._int4 else ''}{str(self.model.dtype).removeprefix('torch.')}"

    def generate(self, prompt: list[int], sampling: Sampling) -> Iterator[int]:
        """Ids that follow a prompt (see `TokenGenerator`), made in a thread that ends when nobody listens."""
        streamed, unheard = _IdStreamer(), threading.Event()
        draws = sampling.temperature > 0.0
        drawing = {"temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
        options = {
            "do_sample": draws,
            **(drawing if draws else {}),
            "repetition_penalty": sampling.repetition_penalty,
            "max_new_tokens": sampling.max_new_tokens,
            "stopping_criteria": StoppingCriteriaList([_Unheard(unheard)]),
            "streamer": streamed,
        }
        inputs = torch.tensor([prompt], device=self.model.device)
        thread = threading.Thread(target=streamed.run, args=(lambda: self.model.generate(inputs, **options),))
        thread.start()
        try:
            for index in streamed.ids():
                if index == self.tokenizer.end_id:
                    return
                yield index
        finally:
            unheard.set()
            thread.join()

    @torch.inference_mode()
    def log_probabilities(self, rows: list[list[int]]) -> list[list[float]]:
        """Natural log-probabilities of every id but each row's first (see `TokenGenerator`)."""
        found = []
        for row in rows:
            ids = torch.tensor([row], device=self.model.device)
            logits = self.model(input_ids=ids[:, :-1]).logits.float()
            found.append(logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[0, :, 0].tolist())
        return found


class _IdStreamer(BaseStreamer):
    """Hands ids from the thread that makes them to the one that reads them."""

    def __init__(self) -> None:
        self._queue: queue.Queue[int | BaseException | None] = queue.Queue()
        self._prompt = True

    def put(self, value: torch.Tensor) -> None:
        """Ids of the prompt, first, then one by one."""
        if not self._prompt:
            self._queue.put(int(value))
        self._prompt = False

    def end(self) -> None:
        """All were made."""
        self._queue.put(None)

    def run(self, generate: Any) -> None:
        """Make them; an error is the reader's to raise."""
        try:
            generate()
        except (RuntimeError, ValueError) as error:
            self._queue.put(error)

    def ids(self) -> Iterator[int]:
        """Each as soon as it is there."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item


class _Unheard(StoppingCriteria):
    """Ends a generation that nobody listens to."""

    def __init__(self, unheard: threading.Event) -> None:
        self.unheard = unheard

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        return torch.full((len(input_ids),), self.unheard.is_set(), device=input_ids.device)  # pyright: ignore[reportReturnType]
