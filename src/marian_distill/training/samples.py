"""A few evaluation sentences as the model translates them at each evaluation: what a person looks at first.

    step 500 of 3,000  samples
        source       A window seat, please.
        reference    请给我靠窗的座位。
        translation  请给我靠窗的房间。

They stand in the terminal and in train.log, and in TensorBoard as text where the log goes there.
"""

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback

from marian_distill.training.evaluation import translations
from marian_distill.training.sharding import whole_model

if TYPE_CHECKING:
    from marian_distill.training.trainer import DistillSeq2SeqTrainer

logger = logging.getLogger(__name__)

LONGEST_SOURCE, LONGEST_TRANSLATION = 24, 64  # tokens


class Sample(NamedTuple):
    """A sentence of the evaluation text."""

    source: str
    reference: str


class SampleTranslations(TrainerCallback):
    """Logs the same few sentences after each evaluation.

    Args:
        trainer: of the run; its first evaluation set gives the sentences.
        count: how many, from all over it, those of few tokens alone where it has enough.
    """

    def __init__(self, trainer: "DistillSeq2SeqTrainer", count: int) -> None:
        self.trainer = trainer
        dataset = trainer.eval_dataset
        if isinstance(dataset, dict):
            dataset = next(iter(dataset.values()))
        rows = dataset.with_format("numpy")
        lengths = np.asarray(rows["source_length"][:])
        short = np.flatnonzero(lengths <= LONGEST_SOURCE)
        if len(short) < count:
            short = np.sort(np.argsort(lengths, kind="stable")[:count])
        chosen = short[np.linspace(0, len(short) - 1, min(count, len(short))).round().astype(int)]
        examples = [rows[int(row)] for row in chosen]
        self.examples = [{"input_ids": one["input_ids"], "labels": one["labels"]} for one in examples]
        self.samples = [Sample(self._text(one["input_ids"]), self._text(one["labels"])) for one in examples]
        self._shown_at = -1

    def _text(self, ids: Any) -> str:
        pieces = self.trainer.pieces
        return pieces.decode([pieces.pieces[index] for index in ids if index not in (pieces.pad_id, pieces.eos_id)])

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Translate them; once a step, however many sets are evaluated there."""
        if state.global_step == self._shown_at:
            return
        self._shown_at = state.global_step
        trainer = self.trainer
        with nullcontext() if trainer.average is None else trainer.average.in_place():
            model = whole_model(trainer.model).eval()
            found = translations(trainer, model, trainer.data_collator(self.examples), LONGEST_TRANSLATION)
        if not state.is_world_process_zero:
            return
        logger.info("step %s of %s  samples", f"{state.global_step:,}", f"{state.max_steps:,}")
        for sample, translation in zip(self.samples, found, strict=True):
            logger.info("    source       %s", sample.source)
            logger.info("    reference    %s", sample.reference)
            logger.info("    translation  %s", translation)
        self._to_tensorboard(state.global_step, found)

    def _to_tensorboard(self, step: int, found: list[str]) -> None:
        lines = [
            f"{_escaped(sample.source)} | {_escaped(sample.reference)} | {_escaped(translation)}"
            for sample, translation in zip(self.samples, found, strict=True)
        ]
        table = "\n".join(["source | reference | translation", "---|---|---", *lines])
        for callback in self.trainer.callback_handler.callbacks:
            if isinstance(callback, TensorBoardCallback) and callback.tb_writer is not None:
                callback.tb_writer.add_text("samples", table, step)


def show_samples(trainer: "DistillSeq2SeqTrainer") -> None:
    """Have a trainer log `--sample-translations` sentences, where it evaluates anything."""
    if trainer.args.sample_translations and trainer.eval_dataset is not None:
        trainer.add_callback(SampleTranslations(trainer, trainer.args.sample_translations))


def _escaped(text: str) -> str:
    """A cell of a Markdown table."""
    return text.replace("|", "\\|")
