"""What is measured around the training step: throughput in the log."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.students.student import Work
from marian_distill.training.speed import matrix_rate

logger = logging.getLogger(__name__)

PHASES = ("data", "forward", "backward", "optimizer")


class ThroughputCallback(TrainerCallback):
    """Speed since the last training log: tokens a second, padding, where the time goes, how near the machine's limit.

    Times are shares of the wall clock; on a GPU, which computes while Python goes on, they say where Python waits.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype  # of the matrix products
        self._seconds = 0.0
        self._start()

    def _start(self) -> None:
        self._since = time.perf_counter()
        self._tokens = self._padded = 0
        self._operations = 0.0
        self._phases: dict[str, float] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure what the machine can do; go on counting seconds where a resumed run left off."""
        self._seconds = max((entry.get("training_seconds", 0.0) for entry in state.log_history), default=0.0)
        self.limit = matrix_rate(self.dtype, args.device)
        logger.info("matrix products in %s: %.0f GFLOP/s", str(self.dtype).removeprefix("torch."), self.limit / 1e9)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave out what is between two logs but is not training: evaluation and saving."""
        if self._tokens == 0:
            self._since, self._phases = time.perf_counter(), {}

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The optimizer's time begins."""
        self._optimizer_since = time.perf_counter()

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The optimizer's time ends."""
        self._add("optimizer", time.perf_counter() - self._optimizer_since)

    def _add(self, phase: str, seconds: float) -> None:
        self._phases[phase] = self._phases.get(phase, 0.0) + seconds

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the block's time to a phase; a phase inside another is taken out of the outer one."""
        inner, start = sum(self._phases.values()), time.perf_counter()
        yield
        self._add(name, time.perf_counter() - start - (sum(self._phases.values()) - inner))

    def count(self, work: Work, operations: float) -> None:
        """Called by the trainer for each batch: its tokens, and the arithmetic of student and teacher."""
        self._tokens += work.tokens
        self._padded += work.padded
        self._operations += operations

    def take(self) -> dict[str, float]:
        """What happened since it was last asked, for the log."""
        seconds = max(time.perf_counter() - self._since, 1e-9)
        self._seconds += seconds
        report = {
            "training_seconds": round(self._seconds, 1),
            "tokens_per_second": round(self._tokens / seconds),
            "padding_share": round(1 - self._tokens / max(self._padded, 1), 4),
            **{f"time_{name}": round(self._phases.get(name, 0.0) / seconds, 3) for name in PHASES},
            "limit_share": round(self._operations / seconds / self.limit, 3),
        }
        self._start()
        return report
