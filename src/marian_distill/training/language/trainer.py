"""`LanguageModelTrainer`: the trainer of every student on packed rows of text, and what it says of a text."""

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import EvalLoopOutput

from marian_distill.errors import UserError
from marian_distill.students.rows import PackedRows, stack
from marian_distill.students.student import Batch, Student
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.tokenizer_file import TokenizerFile
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.evaluation import summed_cross_entropy
from marian_distill.training.precision import TRIAL_TOKENS, Plan, choose
from marian_distill.training.trainer import DistillSeq2SeqTrainer

logger = logging.getLogger(__name__)


class LanguageModelTrainer(DistillSeq2SeqTrainer):
    """Trains a language model on packed rows.

    Args:
        model: the student, or a `PeftModel` around it.
        args: training options; `tokens_per_batch` is counted in whole rows.
        tokenizer: of the rows.
        teacher: a model with the same tokens; frozen, in eval mode.
        plan: the types and the attention to compute in, a resumed run's; by default chosen as `args` say.
        train_dataset, eval_dataset: packed rows.
        **trainer_options: everything else of `DistillSeq2SeqTrainer`.
    """

    def __init__(
        self,
        model: Any,
        args: DistillTrainingArguments,
        tokenizer: TokenizerFile,
        teacher: Student | None = None,
        plan: Plan | None = None,
        **trainer_options: Any,
    ) -> None:
        if args.predict_with_generate:
            raise UserError("--predict-with-generate: a language model is measured by its perplexity; leave it out")
        if plan is None:
            batch = trial_rows(trainer_options["train_dataset"], args)
            teaches = args.alpha_ce < 1.0 or args.matches_layers
            plan = choose(model, teacher if teaches else None, batch, args)
        super().__init__(model, args, tokenizer, teacher, plan=plan, **trainer_options)  # pyright: ignore[reportArgumentType]
        if self.is_fsdp_enabled:
            raise UserError("the weights of a language model are not shared out: start it without FSDP, as DDP")
        self._loss_shifts_labels = False  # they are the next tokens already

    def get_train_dataloader(self) -> DataLoader:
        """Batches of rows."""
        return self._loader(self.train_dataset, self.train_sampler(), self.data_collator)

    def trial_batch(self) -> Batch:
        """Some of the stage's own rows."""
        rows: Any = self.train_dataset
        return trial_rows(rows, self.args)

    def train_sampler(self) -> LengthBatchSampler:
        """Batches of rows; their order hangs on the data seed and the epoch alone."""
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return self._row_sampler(self.train_dataset, seed, shuffle=True)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Batches of rows, in their order."""
        rows = self.eval_dataset if eval_dataset is None else eval_dataset
        return self._loader(rows, self._row_sampler(rows, 0, shuffle=False), self.data_collator)

    def _row_sampler(self, rows: Any, seed: int, *, shuffle: bool) -> LengthBatchSampler:
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

    def _evaluate_batches(self, dataloader: DataLoader, metric_key_prefix: str) -> EvalLoopOutput:
        """Cross-entropy per token, its perplexity, and bits per byte, by which other vocabularies compare."""
        nats, tokens = summed_cross_entropy(self, self.model.eval(), dataloader)
        rows: Any = dataloader.dataset
        measured = language_measures(nats, tokens, rows.samples.text_bytes)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in measured.items()}
        return EvalLoopOutput(predictions=np.empty(0), label_ids=None, metrics=metrics, num_samples=len(rows))


def language_measures(nats: float, tokens: int, text_bytes: int) -> dict[str, float]:
    """`loss` (nats a token), `perplexity` and `bpb` (bits a byte) of a text's summed cross-entropy."""
    loss = nats / max(tokens, 1)
    return {
        "loss": loss,
        "perplexity": math.exp(min(loss, 700.0)),
        "bpb": nats / math.log(2) / max(text_bytes, 1),
    }


def plain_model(model: Any) -> Student:
    """The language model, without the adapters that `peft` may have put around it."""
    return model if isinstance(model, Student) else model.get_base_model()


def rows_per_batch(rows: PackedRows, args: DistillTrainingArguments) -> int:
    """`tokens_per_batch` in whole rows, at least one; else `per_device_train_batch_size`."""
    if args.tokens_per_batch:
        return max(1, args.tokens_per_batch // rows.row_length)
    return args.per_device_train_batch_size


def trial_rows(rows: PackedRows, args: DistillTrainingArguments) -> Batch:
    """A batch of the first rows, or as many of them as tell enough."""
    most = max(1, TRIAL_TOKENS.get(args.device.type, 2**31) // rows.row_length)
    return stack([rows[index] for index in range(min(len(rows), rows_per_batch(rows, args), most))])


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
