"""`CausalTrainer`: the Hugging Face trainer on packed rows, with the fused loss and, if asked for, a teacher."""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import (
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import EvalLoopOutput

from marian_distill.errors import UserError
from marian_distill.students.causal.config import forward_operations
from marian_distill.students.causal.model import CausalStudent, next_token_projection
from marian_distill.students.causal.packing import PackedRows, stack
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.callbacks import ThroughputCallback
from marian_distill.training.finite import StopOnNonFinite, check_finite
from marian_distill.training.losses import IGNORED_LABEL, DistillationLoss, Projection, projection_loss
from marian_distill.training.precision import DTYPES, Plan, choose
from marian_distill.training.resuming import ResumableTrainer
from marian_distill.training.runs import check_free_space

logger = logging.getLogger(__name__)


class CausalTrainer(ResumableTrainer):
    """Trains a language model on packed rows.

    Args:
        model: the student, or a `PeftModel` around it.
        args: training options; `alpha_ce`, `temperature`, `label_smoothing_factor`, `tokens_per_batch` are read here.
        teacher: a model with the student's tokens; frozen, in eval mode.
        plan: the types and the attention to compute in, a resumed run's; by default chosen as `args` say.
        train_dataset, eval_dataset: packed rows.
        **trainer_options: everything else of `ResumableTrainer`.
    """

    args: DistillTrainingArguments
    model: Any  # a CausalStudent, or a PeftModel around one
    train_dataset: PackedRows

    def __init__(
        self,
        model: nn.Module,
        args: DistillTrainingArguments,
        teacher: CausalStudent | None = None,
        plan: Plan | None = None,
        **trainer_options: Any,
    ) -> None:
        if args.alpha_ce == 1.0:
            teacher = None
        elif teacher is None:
            raise UserError(f"--alpha-ce {args.alpha_ce} needs a teacher: give --teacher-model")
        rows: PackedRows = trainer_options["train_dataset"]
        if plan is None:
            batch = stack([rows[index] for index in range(min(len(rows), rows_per_batch(rows, args)))])
            plan = choose(model, None, batch, args)  # pyright: ignore[reportArgumentType]
        self.plan = plan
        plan.apply(args)
        super().__init__(model=model, args=args, data_collator=stack, **trainer_options)
        if self.is_fsdp_enabled:
            raise UserError("the weights of a language model are not shared out: start it without FSDP, as DDP")
        self.model_accepts_loss_kwargs = True  # compute_loss divides by num_items_in_batch
        self._loss_shifts_labels = False  # they are the next tokens already
        self.distillation = DistillationLoss(args.alpha_ce, args.temperature, args.label_smoothing_factor)
        self.teacher = teacher
        self.language_model.set_attn_implementation(plan.attention)
        if teacher is not None:
            teacher.to(args.device, plan.dtype).eval().requires_grad_(False)  # pyright: ignore[reportCallIssue, reportArgumentType]
            teacher.set_attn_implementation(plan.attention)
        for printing in (PrinterCallback, ProgressCallback):  # `training.progress` writes the lines
            self.remove_callback(printing)
        self.throughput = ThroughputCallback(DTYPES[plan.precision])
        for callback in (self.throughput, StopOnNonFinite()):
            self.add_callback(callback)
        self._since_log = torch.zeros(3, dtype=torch.float64)  # cross-entropy, divergence, learnt tokens

    @property
    def language_model(self) -> CausalStudent:
        """The model itself, where adapters are around it."""
        return plain_model(self.model)

    # Batches

    def train_sampler(self) -> LengthBatchSampler:
        """Batches of rows; their order hangs on the data seed and the epoch alone."""
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return self._sampler(self.train_dataset, seed, shuffle=True)

    def _sampler(self, rows: PackedRows, seed: int, *, shuffle: bool) -> LengthBatchSampler:
        lengths = np.full(len(rows), rows.row_length)
        return LengthBatchSampler(
            lengths,
            np.zeros_like(lengths),
            batch_size=rows_per_batch(rows, self.args),
            seed=seed,
            shuffle=shuffle,
            rank=self.args.process_index,
            processes=self.args.world_size,
        )

    def get_train_dataloader(self) -> DataLoader:
        """Batches of rows."""
        return self._loader(self.train_dataset, self.train_sampler())

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Batches of rows, in their order."""
        rows: Any = self.eval_dataset if eval_dataset is None else eval_dataset
        return self._loader(rows, self._sampler(rows, 0, shuffle=False))

    def _loader(self, rows: PackedRows, sampler: LengthBatchSampler) -> DataLoader:
        loader = DataLoader(
            rows,
            batch_sampler=sampler,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            persistent_workers=self.args.dataloader_persistent_workers,
            prefetch_factor=self.args.dataloader_prefetch_factor,
            pin_memory=self.args.dataloader_pin_memory and self.args.device.type == "cuda",
        )
        # The sampler has shared the batches out among the processes: to accelerate it is one process's loader.
        return prepare_data_loader(loader, self.args.device, num_processes=1, process_index=0, put_on_device=True)

    # Loss

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, None]:
        """Loss per learnt token of the whole accumulated batch.

        Args:
            model: the student, perhaps wrapped for several processes.
            inputs: `input_ids`, `labels`, `position_ids` [rows, length].
            return_outputs: accepted for the base class; there are no logits to return.
            num_items_in_batch: learnt tokens of the whole accumulated batch, in all processes.
        """
        active = inputs["labels"] != IGNORED_LABEL
        tokens = active.sum()
        with self.throughput.phase("forward"):
            objective = partial(projection_loss, self.distillation)
            sums = model(**inputs, objective=objective, teacher=self._teach(inputs, active))
        loss = sums.loss / (tokens if num_items_in_batch is None else num_items_in_batch)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # the gradient all-reduce takes the mean
        self._since_log += torch.stack([sums.cross_entropy, sums.divergence, tokens]).detach().cpu().double()
        positions, config = inputs["labels"].numel(), self.language_model.config
        self.throughput.count(int(tokens), positions, 3 * forward_operations(config, positions))
        return (loss, None) if return_outputs else loss

    @torch.no_grad()
    def _teach(self, inputs: dict[str, Tensor], active: Tensor) -> Projection | None:
        if self.teacher is None:
            return None
        return next_token_projection(self.teacher, active, inputs["input_ids"], inputs["position_ids"])

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """The next batches, timed."""
        with self.throughput.phase("data"):
            return super().get_batch_samples(*args, **kwargs)

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """Forward and backward; what is not forward counts as backward."""
        with self.throughput.phase("backward"):
            return super().training_step(*args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the parts of the loss (nats per learnt token) and the speed to the training log."""
        if "loss" in logs:
            sums = self.accelerator.reduce(self._since_log.to(self.args.device, torch.float32), reduction="sum")
            cross_entropy, divergence, tokens = sums.tolist()  # pyright: ignore[reportAttributeAccessIssue]
            logs["cross_entropy"] = cross_entropy / max(tokens, 1)
            if self.teacher is not None:
                logs["divergence"] = divergence / max(tokens, 1)
            logs.update(self.throughput.take())
            self._since_log.zero_()
        super().log(logs, start_time)

    # Evaluation

    @torch.no_grad()
    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Cross-entropy per token, its perplexity, and bits per byte, by which other vocabularies compare."""
        model = self.model.eval()
        totals = torch.zeros(2, dtype=torch.float64)
        for batch in dataloader:
            self.interruption.break_off_evaluation()
            inputs = self._prepare_inputs(batch)
            with self.compute_loss_context_manager():
                sums = model(**inputs, objective=partial(projection_loss, DistillationLoss()))
            tokens = (inputs["labels"] != IGNORED_LABEL).sum()
            totals += torch.stack([sums.cross_entropy, tokens]).cpu().double()
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        totals = self.accelerator.reduce(totals.to(self.args.device, torch.float32), reduction="sum")
        nats, tokens = totals.tolist()  # pyright: ignore[reportAttributeAccessIssue]
        rows: Any = dataloader.dataset
        measured = language_measures(nats, int(tokens), rows.samples.text_bytes)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in measured.items()}
        return EvalLoopOutput(predictions=np.empty(0), label_ids=None, metrics=metrics, num_samples=len(rows))

    # Saving

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Save weights and the optimizer's state (Adam's: two numbers a weight), if there is room for all of it."""
        learnt = sum(one.numel() * one.element_size() for one in self.model.parameters() if one.requires_grad)
        check_free_space(str(self.args.output_dir), 3 * learnt)
        super()._save_checkpoint(model, trial)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        """Save what is finite; without the pickled arguments: options.json has them."""
        if not self.args.should_save:
            return
        check_finite(self.model, state_dict, self.state.global_step)
        super()._save(output_dir, state_dict)
        Path(output_dir or str(self.args.output_dir), TRAINING_ARGS_NAME).unlink(missing_ok=True)


def language_measures(nats: float, tokens: int, text_bytes: int) -> dict[str, float]:
    """`loss` (nats a token), `perplexity` and `bpb` (bits a byte) of a text's summed cross-entropy."""
    loss = nats / max(tokens, 1)
    return {
        "loss": loss,
        "perplexity": math.exp(min(loss, 700.0)),
        "bpb": nats / math.log(2) / max(text_bytes, 1),
    }


def plain_model(model: Any) -> CausalStudent:
    """The language model, without the adapters that `peft` may have put around it."""
    return model if isinstance(model, CausalStudent) else model.get_base_model()


def rows_per_batch(rows: PackedRows, args: DistillTrainingArguments) -> int:
    """`tokens_per_batch` in whole rows, at least one; else `per_device_train_batch_size`."""
    if args.tokens_per_batch:
        return max(1, args.tokens_per_batch // rows.row_length)
    return args.per_device_train_batch_size


class SampleContinuations(TrainerCallback):
    """Writes into the log how the model goes on, at each evaluation and at the end.

    Args:
        continue_text: a prompt → its continuation.
        prompts: what it is asked to go on from.
    """

    def __init__(self, continue_text: Callable[[Any, str], str], prompts: Sequence[str]) -> None:
        self.continue_text, self.prompts = continue_text, prompts

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A line a prompt; the random state of the training stays."""
        if not state.is_world_process_zero:
            return
        for prompt in self.prompts:
            with torch.random.fork_rng(devices=[args.device] if args.device.type == "cuda" else []):
                continuation = self.continue_text(plain_model(kwargs["model"]), prompt)
            shown = " ".join(continuation.split())
            logger.info("step %s  %s▸%s", f"{state.global_step:,}", f"{prompt} " if prompt else "", shown)
