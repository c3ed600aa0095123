"""`DistillSeq2SeqTrainer`: the Hugging Face trainer with a frozen teacher, like-length batches and a fused loss."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from accelerate.utils import gather_object
from datasets import Dataset
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, PrinterCallback, ProgressCallback
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import EvalLoopOutput, TrainOutput

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import bleu, chrf_plus_plus
from marian_distill.languages import is_han
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.kind import Collator, kind_of
from marian_distill.students.projection import LayerStates, Projection
from marian_distill.students.student import Batch, Student
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.text.variants import EpochBatches, Variation, VariedExamples
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.averaging import WeightAverage
from marian_distill.training.batches import length_sampler, training_sampler, with_references
from marian_distill.training.callbacks import ThroughputCallback
from marian_distill.training.evaluation import exact_dtype, summed_cross_entropy, translations
from marian_distill.training.finite import StopOnNonFinite, check_finite
from marian_distill.training.fitness import check_best_metric, check_teacher
from marian_distill.training.hosts import Hosts
from marian_distill.training.layer_rates import split_by_layer
from marian_distill.training.losses import DistillationLoss, projection_loss
from marian_distill.training.matching import LayerMatching, MatchingCallback, make_matching
from marian_distill.training.mining import ExampleLosses, HardExampleSampler, with_examples
from marian_distill.training.precision import DTYPES, Plan, choose, trial_batch
from marian_distill.training.resuming import ResumableTrainer
from marian_distill.training.runs import check_free_space
from marian_distill.training.sharding import check_checkpoint, gather_as_one, shard, whole_model

NOTHING_VARIES = Variation()


class DistillSeq2SeqTrainer(ResumableTrainer):
    """Trains a student on labels and, with `alpha_ce` < 1, on a teacher's distributions.

    Args:
        model: the student.
        args: training options; `alpha_ce`, `temperature`, `label_smoothing_factor`, `tokens_per_batch` are read here.
        pieces: the tokenizer, for `<pad>` and for decoding what is generated at evaluation.
        teacher: a model with the student's vocabulary; frozen, in eval mode.
        teacher_dtype: the teacher's type; by default as `plan` has it.
        variation: what differs between the epochs of the training data; by default nothing.
        plan: the types and the attention to compute in, a resumed run's; by default chosen as `args` say.
        train_dataset, eval_dataset: rows of `tokenize_parallel`. `eval_dataset` may be a dict of them by name.
        **trainer_options: everything else of `ResumableTrainer`.
    """

    args: DistillTrainingArguments
    model: Student
    eval_dataset: Any  # a data set, or several by name
    data_collator: Any  # of the student's kind

    def __init__(
        self,
        model: Student,
        args: DistillTrainingArguments,
        pieces: SentencePieceTokenizer,
        teacher: Student | None = None,
        teacher_dtype: torch.dtype | None = None,
        variation: Variation = NOTHING_VARIES,
        plan: Plan | None = None,
        **trainer_options: Any,
    ) -> None:
        if args.alpha_ce == 1.0 and not args.matches_layers:
            teacher = None  # labels alone
        else:
            check_teacher(model, teacher, args)
        if args.eval_strategy != "no" and trainer_options.get("eval_dataset") is None:
            raise UserError("--eval-strategy needs evaluation data: give --eval-dataset, or --eval-strategy no")
        self.kind = kind_of(model.config.model_type)
        collator = self.kind.collator(pieces)
        if plan is None:
            dataset = trainer_options["train_dataset"]
            batch = trial_batch(training_sampler(dataset, args), dataset, collator, args.device)
            plan = choose(model, teacher, batch, args, teacher_dtype)
        self.plan = plan
        # Counted now: where DeepSpeed shares out the weights, they look empty afterwards.
        self.parameters = model.num_parameters()
        self.weight_bytes = sum(weight.numel() * weight.element_size() for weight in model.parameters())
        plan.apply(args)
        if args.ddp_broadcast_buffers is None:
            args.ddp_broadcast_buffers = False  # a student's never change: they need not be sent before each pass
        super().__init__(model=model, args=args, data_collator=collator, **trainer_options)
        self.hosts = Hosts()
        self.model_accepts_loss_kwargs = True  # compute_loss divides by num_items_in_batch
        self.pieces, self.variation = pieces, variation
        self.distillation = DistillationLoss(
            args.alpha_ce, args.temperature, args.label_smoothing_factor, args.divergence, args.teacher_top_k
        )
        self.teacher = teacher
        model.set_attn_implementation(plan.attention)
        if teacher is not None:
            teacher.to(args.device, DTYPES[str(plan.teacher_precision)])  # pyright: ignore[reportArgumentType, reportCallIssue]
            teacher.eval().requires_grad_(False).set_attn_implementation(plan.attention)
        for printing in (PrinterCallback, ProgressCallback):  # `training.progress` writes the lines
            self.remove_callback(printing)
        self.throughput = ThroughputCallback(plan.dtype)
        for callback in (*self.kind.callbacks(), self.throughput, StopOnNonFinite()):
            self.add_callback(callback)
        self.example_losses: ExampleLosses | None = None
        if args.hard_example_share:
            examples: Any = self.train_dataset
            self.kept["mining"] = self.example_losses = ExampleLosses(len(examples), args.device)
        self.matching = self._make_matching() if args.matches_layers else None
        self.average = WeightAverage(model, args) if args.averages_weights else None
        if self.average is not None:
            self.kept["average"] = self.average
            self.add_callback(self.average)
        if args.early_stopping_patience:
            self.add_callback(EarlyStoppingCallback(args.early_stopping_patience))
        check_best_metric(args, self.eval_dataset)
        self.signatures: dict[str, str] = {}  # of the scores of the latest evaluation, by metric name
        # Cross-entropy, divergence, target tokens, loss between layers: kept on the device, for a step that fetched
        # them would wait for it.
        self._since_log = torch.zeros(4, dtype=exact_dtype(args.device), device=args.device)

    # Batches

    def get_train_dataloader(self) -> DataLoader:
        """Batches of like length: `tokens_per_batch` padded tokens, else `per_device_train_batch_size` examples."""
        examples = VariedExamples(self.train_dataset, self.pieces, self.variation)  # pyright: ignore[reportArgumentType]
        collate = self.data_collator if self.example_losses is None else partial(with_examples, self.data_collator)
        return self._loader(examples, EpochBatches(self.train_sampler()), collate)

    def train_sampler(self) -> LengthBatchSampler:
        """The sampler of the training data; its order hangs on the data seed, the epoch and, mined, on the losses."""
        if self.example_losses is None:
            return training_sampler(self.train_dataset, self.args)
        return training_sampler(
            self.train_dataset,
            self.args,
            partial(HardExampleSampler, self.example_losses, self.args.hard_example_share),
        )

    def get_eval_dataloader(self, eval_dataset: str | Dataset | None = None) -> DataLoader:
        """Batches of like length, longest first."""
        if isinstance(eval_dataset, str):
            eval_dataset = self.eval_dataset[eval_dataset]
        dataset: Any = self.eval_dataset if eval_dataset is None else eval_dataset
        sampler = length_sampler(dataset, self.args, self.args.per_device_eval_batch_size, seed=0, shuffle=False)
        columns = ["input_ids", "labels", *(["target_text"] if self.args.predict_with_generate else [])]
        collate = partial(with_references, self.data_collator)
        return self._loader(dataset.select_columns(columns).with_format("numpy"), sampler, collate)

    def trial_batch(self) -> Batch:
        """One of the stage's own batches."""
        sampler = training_sampler(self.train_dataset, self.args)
        return trial_batch(sampler, self.train_dataset, self.data_collator, self.args.device)

    def _loader(self, dataset: Any, sampler: Any, collate: Collator) -> DataLoader:
        loader = DataLoader(
            dataset,
            batch_sampler=sampler,
            collate_fn=collate,
            num_workers=self.args.dataloader_num_workers,
            persistent_workers=self.args.dataloader_persistent_workers,
            prefetch_factor=self.args.dataloader_prefetch_factor,
            pin_memory=self.args.dataloader_pin_memory and self.args.device.type == "cuda",
        )
        # The sampler has shared the batches out among the processes: to accelerate it is one process's loader.
        return prepare_data_loader(
            loader, self.args.device, num_processes=1, process_index=0, put_on_device=True, non_blocking=True
        )

    # Model

    def train(self, resume_from_checkpoint: str | bool | None = None, **options: Any) -> TrainOutput:
        """Train to the end; the model then has the mean of its weights, where one was asked for."""
        trained = super().train(resume_from_checkpoint, **options)
        if self.average is not None:
            self.average.settle()
        return trained

    def _prepare_for_training(self, max_steps: int, train_dataloader: Any, resume_from_checkpoint: str | None) -> Any:
        """Share the weights out, where `accelerate launch` asks for it, in the one way that works here."""
        plugin = self.accelerator.state.fsdp_plugin if self.is_fsdp_enabled else None
        if plugin is not None:
            if self.kept:
                raise UserError(
                    f"what this run keeps beside its weights ({', '.join(self.kept)}) is not shared out: start it "
                    "without FSDP, as DDP, or leave the way of teaching out that needs it"
                )
            shard(self.model, plugin, self.args.device)
        if resume_from_checkpoint is not None:
            check_checkpoint(Path(resume_from_checkpoint), deepspeed=self.is_deepspeed_enabled)
        if self.is_deepspeed_enabled:
            gather_as_one(self.model)
        return super()._prepare_for_training(max_steps, train_dataloader, resume_from_checkpoint)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Hugging Face's; with a rate for each layer where that is asked for."""
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if is_new and self.args.layer_learning_rate_decay < 1.0:
            split_by_layer(optimizer, self.model, self.args.layer_learning_rate_decay)
        if is_new and self.matching is not None and (projections := list(self.matching.parameters())):
            optimizer.add_param_group({"params": projections})
        return optimizer

    def _make_matching(self) -> LayerMatching:
        """The loss between the layers of student and teacher; its projections are trained and go into checkpoints."""
        student = self.model.to(self.args.device)  # pyright: ignore[reportArgumentType]
        assert self.teacher is not None  # noqa: S101 (checked before)
        matching = make_matching(student, self.teacher, self.trial_batch(), self.args, self.args.seed)
        self.kept["matching"] = matching
        self.add_callback(MatchingCallback(matching))
        return matching

    # Loss

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: int | None = None,
    ) -> Tensor | tuple[Tensor, None]:
        """Loss per target token of the whole accumulated batch.

        Args:
            model: the student, perhaps wrapped for several processes.
            inputs: a batch of the student's kind.
            return_outputs: accepted for the base class; there are no logits to return.
            num_items_in_batch: target tokens of the whole accumulated batch, in all processes.
        """
        tokens, examples = len(inputs["scored"]), inputs.pop("examples", None)
        with self.throughput.phase("forward"):
            objective = partial(projection_loss, self._distillation_now())
            taught, layers = self._teach(inputs)
            between_layers = {} if self.matching is None else {"layer_objective": partial(self.matching, layers)}
            sums = model(**inputs, objective=objective, teacher=taught, **between_layers)
        loss = sums.loss / (tokens if num_items_in_batch is None else num_items_in_batch)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # the gradient all-reduce takes the mean
        self._since_log[:2] += torch.stack([sums.cross_entropy, sums.divergence]).detach()
        self._since_log[2] += tokens
        if sums.matching is not None:
            self._since_log[3] += sums.matching
        if self.example_losses is not None and examples is not None:
            self.example_losses.record(examples, inputs, sums.token_losses)
        self._count(inputs)
        return (loss, None) if return_outputs else loss

    def _distillation_now(self) -> DistillationLoss:
        """The loss's settings at this step: a temperature on its way follows from the step alone.

        Jafari et al. 2021, "Annealing Knowledge Distillation", https://arxiv.org/abs/2104.07163, lower it likewise.
        """
        first, last = self.args.temperature, self.args.temperature_end
        if last is None:
            return self.distillation
        done = min(1.0, self.state.global_step / max(1, self.state.max_steps - 1))
        return replace(self.distillation, temperature=first + done * (last - first))

    def _count(self, batch: Batch) -> None:
        work = self.model.work(batch)
        taught = 0.0 if self.teacher is None else self.teacher.work(batch).operations
        self.throughput.count(work, 3 * work.operations + taught)

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """The next batches, timed."""
        with self.throughput.phase("data"):
            return super().get_batch_samples(*args, **kwargs)

    def _get_num_items_in_batch(self, batch_samples: list[Batch], device: torch.device) -> int | None:
        """Target tokens of a step's batches, in all processes; they agree on stopping by the same exchange."""
        if not batch_samples:
            return None
        tokens = sum(len(batch["scored"]) for batch in batch_samples)  # shapes: nothing waits for a GPU
        in_all, asked = self.hosts.sums(tokens, self.interruption.request.signal is not None)
        self.interruption.asked_by_any = asked > 0
        return in_all if self.args.average_tokens_across_devices else tokens

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """Forward and backward; what is not forward counts as backward."""
        with self.throughput.phase("backward"):
            return super().training_step(*args, **kwargs)

    @torch.no_grad()
    def _teach(self, batch: Batch) -> tuple[Projection | None, LayerStates | None]:
        """The teacher's projection of the batch's target tokens, and of its layers, where the loss asks for them."""
        if self.teacher is None:
            return None, None
        if self.matching is None:
            return self.teacher.project(batch), None
        return self.teacher.project_with_layers(batch)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the parts of the loss (nats per target token) and the speed to the training log."""
        if "loss" in logs:
            sums = self.accelerator.reduce(self._since_log.float(), reduction="sum")
            cross_entropy, divergence, tokens, matching = sums.tolist()  # pyright: ignore[reportAttributeAccessIssue]
            logs["cross_entropy"] = cross_entropy / max(tokens, 1)
            if self.args.alpha_ce < 1.0:
                logs["divergence"] = divergence / max(tokens, 1)
            if self.matching is not None:
                logs["matching"] = matching / max(tokens, 1)
            if self.args.temperature_end is not None:
                logs["temperature"] = self._distillation_now().temperature
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
        """Cross-entropy per target token and, with `predict_with_generate`, BLEU and chrF++ of greedy or beam output.

        Without label smoothing and without the teacher, so that runs with other losses compare.
        """
        with nullcontext() if self.average is None else self.average.in_place():
            return self._evaluate_batches(dataloader, metric_key_prefix)

    def _evaluate_batches(self, dataloader: DataLoader, metric_key_prefix: str) -> EvalLoopOutput:
        model = whole_model(self.model).eval()
        hypotheses: list[str] = []
        references: list[str] = []

        def batches() -> Iterator[Batch]:
            for batch in dataloader:
                references.extend(batch.pop("references"))
                yield batch
                if self.args.predict_with_generate:
                    hypotheses.extend(translations(self, model, batch))

        nats, tokens = summed_cross_entropy(self, model, batches())
        metrics = {f"{metric_key_prefix}_loss": nats / max(tokens, 1)}
        if self.args.predict_with_generate:
            hypotheses, references = gather_object(hypotheses), gather_object(references)
            chinese = sum(any(map(is_han, reference)) for reference in references)
            language = "zh" if 2 * chinese > len(references) else "en"  # English may quote a Chinese word
            for name, score in {
                "bleu": bleu(hypotheses, references, language),
                "chrf++": chrf_plus_plus(hypotheses, references),
            }.items():
                metrics[f"{metric_key_prefix}_{name}"] = score["score"]
                self.signatures[f"{metric_key_prefix}_{name}"] = score["signature"]
        samples = len(dataloader.dataset)  # pyright: ignore[reportArgumentType]
        return EvalLoopOutput(predictions=np.empty(0), label_ids=None, metrics=metrics, num_samples=samples)

    # Saving

    def summary(self) -> dict[str, Any]:
        """What run.json says of the training, beside its metrics."""
        return {
            "signatures": self.signatures,
            "steps": self.state.global_step,
            "parameters": self.parameters,
            "padding_share": self.train_sampler().padding_share(),
        }

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Save weights and the optimizer's state (Adam's: two numbers a weight), if there is room for all of it."""
        check_free_space(str(self.args.output_dir), (3 + (self.average is not None)) * self.weight_bytes)
        super()._save_checkpoint(model, trial)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        """Save what its kind says may be saved, without the pickled arguments: options.json has them."""
        if not self.args.should_save:
            return
        check_finite(self.model, state_dict, self.state.global_step)
        self.kind.check_weights(self.model, state_dict)
        check_free_space(str(self.args.output_dir), self.weight_bytes)
        super()._save(output_dir, state_dict)
        Path(output_dir or str(self.args.output_dir), TRAINING_ARGS_NAME).unlink(missing_ok=True)
