"""Train one stage: a student from labels, from a teacher, or onward from a model that is already there.

Every stage is one YAML; the command line wins over it:
    uv run distill_zh_en.py --config recipes/quickstart/2_student.yaml
    uv run distill_zh_en.py --config recipes/quickstart/2_student.yaml --alpha-ce 1.0 --output-dir outputs/labels-only

Or all of it by hand:
    uv run distill_zh_en.py --student-config student_configs/512d_6x2_65k.json \\
        --teacher-model Helsinki-NLP/opus-mt-en-zh --init-from-teacher --alpha-ce 0.5 --temperature 2 \\
        --per-device-train-batch-size 4 --gradient-accumulation-steps 8 --learning-rate 3e-5 --warmup-steps 2000 \\
        --num-train-epochs 1 --output-dir outputs/opus-mt-small512d-opus100

Ctrl-C, or SIGTERM, keeps a checkpoint; the same command goes on from the last one, also after a kill or a power cut.
"""

import contextlib
import json
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from marian_distill.errors import run_command
from marian_distill.locks import folder_lock
from marian_distill.processor import describe_processor
from marian_distill.signals import stop_request
from marian_distill.training.checkpoints import how_to_go_on
from marian_distill.training.log import TrainingLog, hush_libraries
from marian_distill.training.memory import keep_freed_memory, limit_kernel_caches

if TYPE_CHECKING:
    from marian_distill.training.arguments import Arguments


def main() -> None:
    """Parse the options, then train in a folder that no other process has."""
    with TrainingLog() as log:
        if not {"-h", "--help", "--help-all"} & set(sys.argv):
            logging.info("%s; loading PyTorch and Transformers", describe_processor())
        limit_kernel_caches()
        keep_freed_memory()
        from marian_distill.training.parsing import parse_arguments  # takes seconds: after the first line
        from marian_distill.training.sharding import leave_process_group

        arguments = parse_arguments(description=__doc__)
        output_dir = Path(str(arguments[2].output_dir))
        stop_request.how_to_go_on = partial(how_to_go_on, output_dir)
        with folder_lock(output_dir) if arguments[2].process_index == 0 else contextlib.nullcontext():
            train(arguments, output_dir, log)
        leave_process_group()


def train(arguments: "Arguments", output_dir: Path, log: TrainingLog) -> None:
    """Data, student, trainer; then train, evaluate, save."""
    from transformers import set_seed

    from marian_distill.training import cached, data, hub, models, progress, runs
    from marian_distill.training.arguments import resolved_options
    from marian_distill.training.pairs import pair_trainer

    model_options, data_options, training_options = arguments
    options = resolved_options(arguments)
    overwrite = training_options.overwrite_output_dir
    hush_libraries(bars=not training_options.disable_tqdm)
    set_seed(training_options.seed)
    logging.info("%s", progress.describe_device(training_options))

    # Output folder: new, to be resumed, or finished
    with training_options.main_process_first():
        checkpoint = runs.open_output_dir(output_dir, options, overwrite=overwrite)
    repository = hub.create_repository(training_options)
    if runs.is_finished(output_dir) and not overwrite:
        print(f"{output_dir} is finished; --overwrite-output-dir trains it again", file=sys.stderr)
        hub.push_run(training_options, repository)
        return

    # Tokenizer, teacher, student
    pieces = models.load_pieces(model_options)
    teacher = models.load_teacher(model_options, pieces, training_options)
    cache = cached.open_cache(training_options, pieces.vocabulary, model_options.teacher_model)
    student, init_report = models.make_student(model_options, pieces, teacher)

    # Data
    with training_options.main_process_first():  # the others find its work in the cache
        eval_dataset = data.evaluation_data(data_options, pieces)  # first: it is small, and may be missing
        train_dataset, data_report = data.training_data(data_options, pieces, training_options.seed)

    # Training
    trainer = pair_trainer(
        arguments,
        pieces,
        student,
        teacher,
        cache,
        train_dataset,
        eval_dataset,
        variation_seed=training_options.seed,
        plan=runs.recorded(output_dir, runs.PLAN) if checkpoint else None,
    )
    options[runs.PLAN] = trainer.plan.as_dict()
    fingerprints = {**data_report["fingerprints"], **models.fingerprints(model_options, pieces)}
    fingerprints |= cached.fingerprints(cache)
    if trainer.is_world_process_zero():
        runs.start_run(output_dir, options, fingerprints, checkpoint=checkpoint, overwrite=overwrite)
        log.write_into(output_dir)
    resume_from = training_options.resume_from_checkpoint or checkpoint
    trained = trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)

    # Evaluation, model, card
    metrics = {**trained.metrics, **(trainer.evaluate() if eval_dataset else {})}
    trainer.save_model(str(output_dir / runs.STAGED))
    if not trainer.is_world_process_zero():
        return
    run = {"metrics": metrics, **trainer.summary(), "data": data_report}
    run["teacher_init"] = init_report.as_dict() if init_report else None
    runs.finish_run(output_dir, output_dir / runs.STAGED, options, run, trainer.state.log_history)
    hub.push_run(training_options, repository)
    print(json.dumps({key: value for key, value in metrics.items() if key.startswith("eval_")}, indent=2))


if __name__ == "__main__":
    run_command(main)
