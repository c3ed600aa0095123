"""A trainer whose runs, stopped or killed anywhere, end with the weights of a run that nothing disturbed.

Beyond Hugging Face's trainer, from a checkpoint come back: an evaluation that was broken off, the patience of early
stopping, whether training was already at its end, and the tensors of what else a run keeps (`ResumableTrainer.kept`).
Checkpoints know what belongs to them (`training.checkpoints`).
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import EarlyStoppingCallback, Seq2SeqTrainer
from transformers.trainer_callback import ExportableState
from transformers.trainer_utils import TrainOutput

from marian_distill.signals import Stopped, StopRequest
from marian_distill.training.checkpoints import damage, write_manifest
from marian_distill.training.interruption import EvaluationStopped, StopCallback, random_state, set_random_state

logger = logging.getLogger(__name__)

KEPT_FILE = "kept.safetensors"


class Kept(Protocol):
    """What goes into the checkpoints and comes back from them; a `torch.nn.Module`, for one."""

    def state_dict(self) -> Mapping[str, Tensor]:
        """Its tensors; every process asks."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> Any:
        """Take what `state_dict` gave."""
        ...


class ResumableTrainer(Seq2SeqTrainer):
    """`Seq2SeqTrainer` that stops when `stop` says so, and resumes exactly.

    Args:
        stop: where a request to stop is seen.
        **trainer_options: everything of `Seq2SeqTrainer`.
    """

    def __init__(self, *, stop: StopRequest | None = None, **trainer_options: Any) -> None:
        self._resumed_from: str | None = None
        self.kept: dict[str, Kept] = {}  # beyond the model and the optimizer, by name
        self.first_step: int | None = None  # with which the data began, where it is a shard of more (`coordinate`)
        super().__init__(**trainer_options)
        self.interruption = StopCallback(stop or StopRequest())
        self.add_callback(self.interruption)

    def train(self, resume_from_checkpoint: str | bool | None = None, **options: Any) -> TrainOutput:
        """Train to the end.

        Raises:
            Stopped: the run was asked to stop; there is a checkpoint of it, if it had made a step.
        """
        trained = super().train(resume_from_checkpoint, **options)
        request = self.interruption.request
        request.let_go()
        if self.interruption.stopped or request.signal:
            raise Stopped
        return trained

    def _init_training_state(
        self, max_steps: int, steps_per_epoch: int, epochs: int, resume_from_checkpoint: str | None, trial: Any
    ) -> Any:
        """Give the callbacks back what they knew when the checkpoint was written."""
        progress = super()._init_training_state(max_steps, steps_per_epoch, epochs, resume_from_checkpoint, trial)
        self._resumed_from = resume_from_checkpoint
        for callback in self.callback_handler.callbacks:
            if isinstance(callback, ExportableState):
                stored: Any = self.state.stateful_callbacks  # by class
                for name, value in stored.setdefault(type(callback).__name__, callback.state())["attributes"].items():
                    setattr(callback, name, value)
        if resume_from_checkpoint is not None:
            self._load_kept(resume_from_checkpoint)
        if self.first_step is not None:
            return 0, (self.state.global_step - self.first_step) * self.args.gradient_accumulation_steps
        return progress

    def out_of_patience(self) -> bool:
        """Whether early stopping has seen enough evaluations without a better one."""
        return any(map(_out_of_patience, self.callback_handler.callbacks))

    def _load_kept(self, checkpoint: str) -> None:
        if self.kept:
            tensors = load_file(Path(checkpoint, KEPT_FILE))
            for owner, kept in self.kept.items():
                mine = {name: tensor for name, tensor in tensors.items() if name.startswith(f"{owner}/")}
                kept.load_state_dict({name.removeprefix(f"{owner}/"): tensor for name, tensor in mine.items()})

    def _load_best_model(self) -> None:
        """Load the best checkpoint, what it kept included; the last weights stay where that one is spoilt or gone."""
        best = Path(str(self.state.best_model_checkpoint))
        problem = damage(best) if best.is_dir() else "gone"
        if problem is not None:
            logger.warning("%s, which scored best, is %s: the last weights are taken in its place", best, problem)
            return
        super()._load_best_model()
        self._load_kept(str(best))

    def _run_epoch(self, **kwargs: Any) -> None:
        """Train an epoch, unless the checkpoint was that of the last step."""
        if self._resumed_from is not None:
            self._do_what_is_due(kwargs["model"], kwargs["trial"], kwargs["ignore_keys_for_eval"])
        if not self.control.should_training_stop:
            super()._run_epoch(**kwargs)

    def _do_what_is_due(self, model: Any, trial: Any, ignore_keys: Any) -> None:
        checkpoint, self._resumed_from = self._resumed_from, None
        if self.interruption.evaluation_due:
            self._load_rng_state(checkpoint)
            self.control.should_evaluate = self.control.should_save = True
            self._maybe_log_save_evaluate(
                self._tr_loss, None, model, trial, self.state.epoch or 0.0, ignore_keys, start_time=0.0
            )
        if self.state.global_step >= self.state.max_steps or self.out_of_patience():
            self.control.should_training_stop = True

    def _finalize_training(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """End the training; an epoch's evaluation may still be due where no epoch was left to run."""
        if self._resumed_from is not None:
            self._do_what_is_due(self.model, trial, None)
        return super()._finalize_training(trial, *args, **kwargs)

    def _maybe_log_save_evaluate(
        self, tr_loss: Tensor, grad_norm: Any, model: nn.Module, trial: Any, *args: Any, **kwargs: Any
    ) -> None:
        """As it says; an evaluation that nobody waits for is broken off, a checkpoint written in its stead."""
        if not self.control.should_evaluate:
            super()._maybe_log_save_evaluate(tr_loss, grad_norm, model, trial, *args, **kwargs)
            return
        entries, before = len(self.state.log_history), random_state()  # which a loader's seed is drawn from
        try:
            super()._maybe_log_save_evaluate(tr_loss, grad_norm, model, trial, *args, **kwargs)
        except EvaluationStopped:
            # Of several data sets some may have been scored: the resumed run scores them all.
            added = self.state.log_history[entries:]
            self.state.log_history[entries:] = [entry for entry in added if "loss" in entry]
            set_random_state(before)
            self.interruption.stop_after_evaluation(self.state, self.control)
            self._save_checkpoint(model, trial)
            self.control = self.callback_handler.on_save(self.args, self.state, self.control)

    def _save_rng_state(self, output_dir: str) -> None:
        """Save what is kept and the random state, then the list of all files: left is trainer_state.json."""
        super()._save_rng_state(output_dir)
        states = {owner: kept.state_dict() for owner, kept in self.kept.items()}
        if states and self.args.should_save:
            tensors = {f"{owner}/{name}": tensor for owner, state in states.items() for name, tensor in state.items()}
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, Path(output_dir, KEPT_FILE))
        if self.args.should_save:
            write_manifest(Path(output_dir))


def _out_of_patience(callback: Any) -> bool:
    return (
        isinstance(callback, EarlyStoppingCallback)
        and callback.early_stopping_patience_counter >= callback.early_stopping_patience
    )
