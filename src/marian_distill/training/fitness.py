"""Whether models, data and options of a run fit together: told before hours of training go by."""

from typing import Any

from marian_distill.errors import UserError
from marian_distill.students.student import Student
from marian_distill.training.arguments import DistillTrainingArguments


def check_teacher(model: Student, teacher: Student | None, args: DistillTrainingArguments) -> None:
    """Refuse ways of teaching that this teacher, or none, cannot give."""
    if args.matches_layers and teacher is None:
        raise UserError("--hidden-matching and --attention-matching need a teacher: give --teacher-model")
    check_same_vocabulary(model, teacher, args.alpha_ce)
    if args.teacher_top_k >= model.config.vocab_size:
        raise UserError(
            f"--teacher-top-k {args.teacher_top_k}: the vocabulary has {model.config.vocab_size} pieces; "
            "give fewer, or 0 for every piece"
        )


def check_best_metric(args: DistillTrainingArguments, eval_dataset: Any) -> None:
    """Refuse a metric for the best model that no evaluation gives, before hours of training go by."""
    if args.metric_for_best_model is None:
        return
    metrics = ["loss", "bleu", "chrf++"] if args.predict_with_generate else ["loss"]
    if isinstance(eval_dataset, dict):
        metrics = [f"{name}_{metric}" for name in eval_dataset for metric in metrics]
    if args.metric_for_best_model.removeprefix("eval_") not in metrics:
        raise UserError(
            f"--metric-for-best-model {args.metric_for_best_model}: this run's evaluation gives {', '.join(metrics)}"
            + ("" if args.predict_with_generate else "; --predict-with-generate gives bleu and chrf++ as well")
        )


def check_same_vocabulary(student: Student, teacher: Student | None, alpha_ce: float) -> None:
    """Refuse logit distillation without a teacher, or across vocabularies."""
    if teacher is None:
        raise UserError(
            f"--alpha-ce {alpha_ce} needs a teacher: give --teacher-model, or --alpha-ce 1 for labels alone"
        )
    sizes = student.config.vocab_size, teacher.config.vocab_size
    if sizes[0] != sizes[1]:
        raise UserError(
            f"--alpha-ce {alpha_ce} compares logits, but the student has {sizes[0]} pieces, the teacher {sizes[1]}; "
            "use sequence-level distillation instead: translate the corpus with the teacher, train with --alpha-ce 1"
        )
