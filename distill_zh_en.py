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
import ctypes
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from marian_distill.errors import run_command
from marian_distill.languages import directions_of
from marian_distill.locks import folder_lock
from marian_distill.processor import describe_processor
from marian_distill.stopping import Stopped, StopRequest
from marian_distill.training.checkpoints import newest_first
from marian_distill.training.log import TrainingLog

if TYPE_CHECKING:
    from marian_distill.training.arguments import Arguments

# oneDNN keeps a compiled kernel with scratch memory for each shape of a batch, by default 1,024 of them: gigabytes.
# It reads this once, when torch is loaded.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")


def keep_freed_memory() -> None:
    """Have glibc keep what a batch frees for the next one, where it would give megabytes back and fault them in again.

    Saves a tenth of a step on a CPU. mallopt(3): blocks of under 1 GB come from the heap, which shrinks by none.
    """
    m_trim_threshold, m_mmap_threshold = -1, -3
    with contextlib.suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(m_mmap_threshold, 2**30)
        libc.mallopt(m_trim_threshold, 2**31 - 1)


def main() -> None:
    """Parse the options, then train in a folder that no other process has; say what a stopped run goes on from."""
    with TrainingLog() as log, StopRequest() as stop:
        if not {"-h", "--help", "--help-all"} & set(sys.argv):
            logging.info("%s; loading PyTorch and Transformers", describe_processor())
        # The heavy imports wait, so that there is a line before them.
        from marian_distill.training.arguments import parse_arguments

        arguments = parse_arguments(description=__doc__)
        training_options = arguments[2]
        output_dir = Path(str(training_options.output_dir))
        first_process = training_options.process_index == 0
        try:
            with folder_lock(output_dir) if first_process else contextlib.nullcontext():
                train(arguments, output_dir, log, stop)
            leave_process_group()
        except Stopped:
            checkpoint = next(newest_first(output_dir), None)
            goes_on = f"goes on from {checkpoint}" if checkpoint else "begins anew: there was nothing to keep yet"
            print(f"stopped; the same command {goes_on}", file=sys.stderr)
            sys.exit(stop.exit_code())


def leave_process_group() -> None:
    """End this process's part in the group of several: threads of the group that still run would abort its exit."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def train(arguments: "Arguments", output_dir: Path, log: TrainingLog, stop: StopRequest) -> None:
    """Load, train, evaluate, save."""
    from datasets import disable_progress_bars
    from transformers import EarlyStoppingCallback, MarianTokenizer, set_seed
    from transformers.utils import logging as transformers_logging

    from marian_distill.training import data, hub, models, precision, runs
    from marian_distill.training.arguments import resolved_options
    from marian_distill.training.progress import ProgressLines, describe_device
    from marian_distill.training.trainer import DistillSeq2SeqTrainer

    model_options, data_options, training_options = arguments
    keep_freed_memory()
    options = resolved_options(arguments)
    transformers_logging.set_verbosity_error()
    warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")  # a normaliser that is not used here
    if training_options.disable_tqdm:
        transformers_logging.disable_progress_bar()
        disable_progress_bars()
    set_seed(training_options.seed)
    logging.info("%s", describe_device(training_options))

    # Output folder: new, to be resumed, or finished
    overwrite = training_options.overwrite_output_dir
    with training_options.main_process_first():
        checkpoint = runs.open_output_dir(output_dir, options, overwrite=overwrite)
    repository = None
    if training_options.push_to_hub and training_options.process_index == 0:
        repository = hub.create_repository(training_options)
    if runs.is_finished(output_dir) and not overwrite:
        print(f"{output_dir} is finished; --overwrite-output-dir trains it again", file=sys.stderr)
        if repository:
            print(f"pushed: {hub.push_run(training_options, repository)}", file=sys.stderr)
        return
    training_options.push_to_hub = False  # the Hugging Face trainer must not push what is half done

    # Tokenizer, teacher, student
    pieces = models.load_pieces(model_options)
    teacher = models.load_teacher(model_options, pieces, training_options.alpha_ce)
    student, init_report = models.make_student(model_options, pieces, teacher)
    student.config.directions = list(directions_of(data_options.direction))  # the exporters read it

    # Data
    logging.info("reading, cleaning and tokenising the training data, or finding it in the cache")
    with training_options.main_process_first():  # the others find its work in the cache
        train_dataset, data_report = data.training_data(data_options, pieces, training_options.seed)
        eval_dataset = data.evaluation_data(data_options, pieces)
    variation = data.variation(data_options, pieces, training_options.seed)

    # Training
    patience = training_options.early_stopping_patience
    trainer = DistillSeq2SeqTrainer(
        model=student,
        args=training_options,
        pieces=pieces,
        teacher=teacher,
        teacher_dtype=models.teacher_dtype(model_options),
        variation=variation,
        plan=precision.resumed(runs.recorded(output_dir, runs.PLAN), training_options) if checkpoint else None,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=MarianTokenizer.from_pretrained(pieces.directory),
        callbacks=[EarlyStoppingCallback(patience)] if patience else [],
        stop=stop,
    )
    sampler = trainer.train_sampler()
    logging.info(
        "%s parameters; %d batches an epoch, padding %.1f %%",
        f"{student.num_parameters():,}", len(sampler), 100 * sampler.padding_share(),
    )  # fmt: skip
    logging.info("precision: %s; attention: %s", trainer.plan.reason, trainer.plan.attention)
    options[runs.PLAN] = trainer.plan.as_dict()
    tokens_per_step = sum(data_report["tokens"].values()) / len(sampler) * training_options.gradient_accumulation_steps
    trainer.add_callback(ProgressLines(tokens_per_step, training_options.expected_minutes))
    fingerprints = {**data_report["fingerprints"], **models.fingerprints(model_options, pieces)}
    if trainer.is_world_process_zero():
        runs.start_run(output_dir, options, fingerprints, checkpoint=checkpoint, overwrite=overwrite)
        log.write_into(output_dir)
    resume_from = training_options.resume_from_checkpoint or (str(checkpoint) if checkpoint else None)
    trained = trainer.train(resume_from_checkpoint=resume_from)
    stop.let_go()
    if trainer.interruption.stopped or stop.signal:
        raise Stopped

    # Evaluation, model, card
    metrics = {**trained.metrics, **(trainer.evaluate() if eval_dataset else {})}
    trainer.save_model(str(output_dir / runs.STAGED))
    if not trainer.is_world_process_zero():
        return
    run = {
        "metrics": metrics,
        "signatures": trainer.signatures,
        "steps": trainer.state.global_step,
        "parameters": student.num_parameters(),
        "padding_share": sampler.padding_share(),
        "data": data_report,
        "teacher_init": init_report.as_dict() if init_report else None,
        "versions": runs.versions(),
    }
    runs.finish_run(output_dir, output_dir / runs.STAGED, options, run, trainer.state.log_history)
    if repository:
        print(f"pushed: {hub.push_run(training_options, repository)}", file=sys.stderr)
    print(json.dumps({key: value for key, value in metrics.items() if key.startswith("eval_")}, indent=2))


if __name__ == "__main__":
    run_command(main)
