"""The trainer of sentence pairs, put together: for a stage (distill_zh_en.py), for a shard of a coordinated run."""

from typing import TYPE_CHECKING, Any

from datasets import Dataset

from marian_distill.languages import directions_of
from marian_distill.signals import stop_request
from marian_distill.students.kinds import kind_of
from marian_distill.training import cached, data, models, precision, progress, samples
from marian_distill.training.trainer import DistillSeq2SeqTrainer

if TYPE_CHECKING:
    from marian_distill.training.arguments import Arguments


def pair_trainer(
    arguments: "Arguments",
    pieces: Any,
    student: Any,
    teacher: Any,
    cache: Any,
    train_dataset: Dataset,
    eval_dataset: Dataset | dict[str, Dataset] | None,
    *,
    variation_seed: int,
    plan: dict[str, Any] | None,
) -> DistillSeq2SeqTrainer:
    """A trainer that shows its progress and sample translations.

    Args:
        arguments: of the model, of the data, of training.
        pieces: the tokenizer.
        student: from `models.make_student`.
        teacher: from `models.load_teacher`; None without one.
        cache: from `cached.open_cache`; None without one.
        train_dataset: from `data.training_data`.
        eval_dataset: from `data.evaluation_data`; None without one.
        variation_seed: of tags, final stops and noise.
        plan: the precision that the run began with; None for a new run.
    """
    model_options, data_options, training_options = arguments
    student.config.directions = list(directions_of(data_options.direction))  # the exporters read it
    variation = data.variation(data_options, pieces, variation_seed)
    teaching = None
    if cache is not None:
        keys = cached.pair_keys(train_dataset, variation.tagged)
        teaching = cached.CachedTeaching(cache, keys, training_options)
    trainer = DistillSeq2SeqTrainer(
        model=student,
        args=training_options,
        pieces=pieces,
        teacher=teacher,
        teacher_dtype=models.teacher_dtype(model_options),
        teacher_cache=teaching,
        variation=variation,
        plan=precision.resumed(plan, training_options) if plan else None,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=kind_of(student.config.model_type).tokenizer(pieces.directory),
        stop=stop_request,
    )
    progress.show_progress(trainer)
    samples.show_samples(trainer)
    return trainer
