"""What a person reads while a stage trains: a line every little while, and a bar on a terminal.

    step 1,250 of 3,000  loss 2.345  CE 3.012  KL 1.678  12.9 k tokens/s  41 % of the limit  1 min 32 s left

`training.log` says where the lines go; log.json has the same numbers, and more.
"""

import logging
import time
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.training.arguments import DistillTrainingArguments

if TYPE_CHECKING:
    from marian_distill.training.trainer import DistillSeq2SeqTrainer

logger = logging.getLogger(__name__)

SECONDS_OF_SILENCE = 30.0  # the longest, while steps are made; also when the time left is first told
FAR_TOO_SLOW = 3.0  # times the stated minutes


class ProgressLines(TrainerCallback):
    """Logs readable lines in place of Hugging Face's dictionaries; on a terminal a bar as well.

    Args:
        tokens_per_step: source and target tokens of an average step, all processes together.
        expected_minutes: how long the recipe says that the stage takes; None: it does not say.
    """

    def __init__(self, tokens_per_step: float, expected_minutes: float | None) -> None:
        self.tokens_per_step, self.expected_minutes = tokens_per_step, expected_minutes
        self._bar: tqdm | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Say how much there is to do."""
        self._first_step, self._begun, self._warned = state.global_step, time.monotonic(), False
        self._last_line = self._begun
        self._seconds_per_step = 0.0
        if not state.is_world_process_zero:
            return
        if state.global_step:
            logger.info("going on from step %s", f"{state.global_step:,}")
        logger.info("%s steps of about %s tokens", f"{state.max_steps:,}", f"{self.tokens_per_step:,.0f}")
        if not args.disable_tqdm:
            self._bar = tqdm(
                total=state.max_steps, initial=state.global_step, desc="steps", dynamic_ncols=True, leave=False
            )

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the bar; break a long silence; tell in good time that the machine is far too slow."""
        if not state.is_world_process_zero:
            return
        now = time.monotonic()
        done = state.global_step - self._first_step
        if done == 1:  # its time holds what is done but once: memory is fetched, kernels are compiled
            self._first_seconds = now - self._begun
            self._seconds_per_step = self._first_seconds
        else:
            self._seconds_per_step = (now - self._begun - self._first_seconds) / (done - 1)
        if self._bar is not None:
            self._bar.update(state.global_step - self._bar.n)
        if now - self._last_line >= SECONDS_OF_SILENCE and not control.should_log:
            logger.info(
                "step %s of %s  %.1f s a step  %s",
                f"{state.global_step:,}", f"{state.max_steps:,}", self._seconds_per_step, self._time_left(state),
            )  # fmt: skip
            self._last_line = now
        if not self._warned and now - self._begun >= SECONDS_OF_SILENCE:
            self._warned = True
            self._warn_if_far_too_slow(state)

    def _time_left(self, state: TrainerState) -> str:
        return f"{duration(self._seconds_per_step * (state.max_steps - state.global_step))} left"

    def _warn_if_far_too_slow(self, state: TrainerState) -> None:
        minutes = self._seconds_per_step * state.max_steps / 60
        if self.expected_minutes is not None and minutes > FAR_TOO_SLOW * self.expected_minutes:
            fewer = max(1, round(state.max_steps * self.expected_minutes / minutes))
            logger.warning(
                "this machine needs about %s for this stage, which is meant to take %s: close other programs, or stop "
                "(Ctrl-C keeps a checkpoint) and give --max-steps %d, a smaller --student-config, or a GPU",
                duration(60 * minutes), duration(60 * self.expected_minutes), fewer,
            )  # fmt: skip

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A line of training, or of an evaluation."""
        if not state.is_world_process_zero or not logs:
            return
        step = f"step {state.global_step:,} of {state.max_steps:,}"
        if "loss" in logs:
            logger.info("%s  %s  %s", step, training_line(logs), self._time_left(state))
        elif "train_runtime" in logs:
            steps = state.global_step - self._first_step
            logger.info("%s steps made in %s", f"{steps:,}", duration(logs["train_runtime"]))
        else:
            logger.info("%s  evaluation%s", step, evaluation_line(logs))
        self._last_line = time.monotonic()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def show_progress(trainer: "DistillSeq2SeqTrainer") -> None:
    """Say what is about to be trained, and from then on how far it is."""
    args, sampler = trainer.args, trainer.train_sampler()
    logger.info(
        "%s parameters; %d batches an epoch, padding %.1f %%",
        f"{trainer.model.num_parameters():,}", len(sampler), 100 * sampler.padding_share(),
    )  # fmt: skip
    logger.info("precision: %s; attention: %s", trainer.plan.reason, trainer.plan.attention)
    tokens_per_step = sampler.tokens_in_all() / len(sampler) * args.gradient_accumulation_steps
    trainer.add_callback(ProgressLines(tokens_per_step, args.expected_minutes))


def describe_device(args: DistillTrainingArguments) -> str:
    """What the stage runs on."""
    device = args.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    if device.type == "cpu":
        name += f", {torch.get_num_threads()} threads, kernels for {torch.backends.cpu.get_cpu_capability()}"
    return f"device: {name}"


def training_line(logs: dict[str, Any]) -> str:
    """Losses in nats per target token, and the speed."""
    parts = [f"loss {logs['loss']:.4g}"]
    parts += [
        f"{name} {logs[key]:.4g}" for key, name in (("cross_entropy", "CE"), ("divergence", "KL")) if key in logs
    ]
    if "tokens_per_second" in logs:
        parts.append(f"{logs['tokens_per_second'] / 1000:,.3g} k tokens/s")
    if "limit_share" in logs:
        parts.append(f"{100 * logs['limit_share']:.0f} % of the limit")
    return "  ".join(parts)


def evaluation_line(logs: dict[str, Any]) -> str:
    """An evaluation's data set, where there are several, and its scores."""
    names = {"loss": "loss", "bleu": "BLEU", "chrf++": "chrF++", "perplexity": "perplexity", "bpb": "bits per byte"}
    data, parts = "", []
    for key, value in logs.items():
        prefix, _, metric = key.rpartition("_")
        if key.startswith("eval") and metric in names:
            data = prefix.removeprefix("eval").removeprefix("_")
            parts.append(f"{names[metric]} {value:.4g}")
        elif metric == "runtime":
            parts.append(f"({duration(value)})")
    return f"{f' {data}' if data else ''}: {'  '.join(parts)}"


def duration(seconds: float) -> str:
    """Such as "45 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
