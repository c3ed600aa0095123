"""What happens around the training step: the zero `<pad>` row, a clean stop on SIGTERM, throughput in the log."""

import logging
import signal
import time
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.training.students import zero_pad_row

logger = logging.getLogger(__name__)


class ZeroPadEmbeddingCallback(TrainerCallback):
    """Keeps the `<pad>` embedding exactly zero: at the start, and after every optimizer step.

    The row is tied to the output projection, whose gradient would move it; CTranslate2 starts decoding from a zero
    vector, so a moved row would make the exported model say something else than the trained one.
    """

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Zero it before the first step."""
        zero_pad_row(kwargs["model"])

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Zero what the step moved, before anything is logged, saved or evaluated."""
        zero_pad_row(kwargs["model"])


class StopOnSigtermCallback(TrainerCallback):
    """On SIGTERM (a scheduler's notice) the step is finished, a checkpoint is saved, and training stops."""

    def __init__(self) -> None:
        self.stopped = False

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start to listen."""
        self._previous = signal.signal(signal.SIGTERM, self._stop)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save and stop when the signal came."""
        if self.stopped:
            logger.warning("SIGTERM: saving a checkpoint at step %d, then stopping", state.global_step)
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Hand the signal back."""
        signal.signal(signal.SIGTERM, self._previous)


class ThroughputCallback(TrainerCallback):
    """Adds `tokens_per_second` (source and target tokens, padding not counted) to each training log."""

    def __init__(self) -> None:
        self._tokens, self._since = 0, time.perf_counter()

    def count(self, tokens: int) -> None:
        """Called by the trainer for each batch."""
        self._tokens += tokens

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave out what is between two logs but is not training: evaluation and saving."""
        if self._tokens == 0:
            self._since = time.perf_counter()

    def take(self) -> float:
        """Tokens per second since it was last asked."""
        rate = self._tokens / max(time.perf_counter() - self._since, 1e-9)
        self._tokens = 0
        return rate
