"""A stage that is asked to stop keeps a checkpoint of its last whole step, also within a step or an evaluation."""

import logging
import random
from typing import Any

import numpy as np
import torch
from transformers import StoppingCriteria, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from marian_distill.signals import StopRequest

logger = logging.getLogger(__name__)


class EvaluationStopped(Exception):  # noqa: N818 (nothing is wrong)
    """Leaves an evaluation that nobody waits for."""


class StopCallback(TrainerCallback, ExportableState):
    """Looks for a request to stop: after each step, each part of an accumulated step, each piece of an evaluation.

    `evaluation_due` goes into the checkpoint: the evaluation that belongs to its step was left out or broken off, and
    a run that is resumed makes it first. `asked_by_any`: a request had come to one of several processes when the step
    began, as the trainer found out: they stop together.
    """

    def __init__(self, request: StopRequest) -> None:
        self.request = request
        self.evaluation_due = False
        self.asked_by_any = False
        self._agreed = False

    @property
    def stopped(self) -> bool:
        """Whether training was stopped before its end."""
        return self._agreed

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"args": {}, "attributes": {"evaluation_due": self.evaluation_due}}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Remember which step there is a checkpoint of."""
        self._saved_step, self._agreed, self._within_step = state.global_step, False, False

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep the random state that the epoch begins with: drawing its batches moves it."""
        self._random, self._epoch_begins = random_state(), True

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep the random state between two steps, where a step may be left in its middle."""
        if args.gradient_accumulation_steps > 1 and not self._epoch_begins:
            self._random = random_state()
        self._epoch_begins = False

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """From the first step on there is something to keep."""
        self.request.hold_back()

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave an accumulated step, as if it had not begun: the weights are still those of the step before."""
        if self.request.signal is None or args.world_size > 1:  # processes agree after whole steps only
            return
        self._stop(state, control)
        self._within_step = True
        if state.global_step > self._saved_step:
            set_random_state(self._random)
            control.should_save = True

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save and stop when the request came, to whichever process; an evaluation that is due waits."""
        if self._asked(args):
            self._stop(state, control)
            self.evaluation_due = control.should_evaluate
            control.should_evaluate, control.should_save = False, True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave out what is only due at the end of a whole epoch."""
        if not self._agreed:
            return
        whole_epoch = not self._within_step and state.epoch is not None and state.epoch == int(state.epoch)
        if control.should_evaluate and whole_epoch:
            self.evaluation_due = control.should_save = True
        elif state.global_step == self._saved_step:
            control.should_save = False
        control.should_evaluate = control.should_log = False

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Nothing is due any more."""
        self.evaluation_due = False

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Stop with the checkpoint that was just written."""
        self._saved_step = state.global_step
        if not self._agreed and self._asked(args):
            self._stop(state, control)

    def break_off_evaluation(self) -> None:
        """Raise `EvaluationStopped` where a request came; processes that train together finish theirs.

        Raises:
            EvaluationStopped: to be caught where the checkpoint is written.
        """
        if self.request.signal is not None and not torch.distributed.is_initialized():
            raise EvaluationStopped

    def stop_after_evaluation(self, state: TrainerState, control: TrainerControl) -> None:
        """The evaluation of the last step was broken off."""
        self._stop(state, control)
        self.evaluation_due = True

    def _asked(self, args: TrainingArguments) -> bool:
        return self.asked_by_any if args.world_size > 1 else self.request.signal is not None

    def _stop(self, state: TrainerState, control: TrainerControl) -> None:
        self._agreed = control.should_training_stop = True
        name = self.request.signal.name if self.request.signal else "another process"
        logger.info("%s: stopping at step %s", name, f"{state.global_step:,}")


class GenerationStop(StoppingCriteria):
    """Breaks off a generation between two tokens."""

    def __init__(self, callback: StopCallback) -> None:
        self.callback = callback

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        """No sentence is done because of this; see `StopCallback.break_off_evaluation`."""
        self.callback.break_off_evaluation()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)  # pyright: ignore[reportReturnType]


def random_state() -> tuple[Any, ...]:
    """Of every generator that training draws from, for `set_random_state`."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda


def set_random_state(states: tuple[Any, ...]) -> None:
    """Go back to what `random_state` gave."""
    python, numpy, cpu, cuda = states
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
