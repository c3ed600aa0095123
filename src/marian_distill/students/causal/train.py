"""One training stage of a language model: text → packed rows → model → `CausalTrainer` → a folder that is whole."""

import logging
import sys
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, set_seed
from transformers.utils import logging as transformers_logging

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.stopping import Stopped, StopRequest
from marian_distill.students.causal.arguments import CausalModelArguments, TextArguments
from marian_distill.students.causal.card import write_card
from marian_distill.students.causal.config import check_config, fit_tokenizer, load_config
from marian_distill.students.causal.data import packed_data, row_length
from marian_distill.students.causal.lora import merged, with_adapters
from marian_distill.students.causal.model import CausalStudent, load_model, new_model
from marian_distill.students.causal.trainer import CausalTrainer, SampleContinuations
from marian_distill.tokenizer_file import FILE, VOCABULARY_FILE, TokenizerFile
from marian_distill.training import precision, runs
from marian_distill.training.arguments import DistillTrainingArguments, resolved_options
from marian_distill.training.log import TrainingLog
from marian_distill.training.progress import ProgressLines, describe_device

logger = logging.getLogger(__name__)

Arguments = tuple[CausalModelArguments, TextArguments, DistillTrainingArguments]
SAMPLING = {"do_sample": True, "temperature": 0.8, "top_k": 50}


def train(arguments: Arguments, output_dir: Path, log: TrainingLog, stop: StopRequest) -> dict[str, float]:
    """Load, train, evaluate, save; the metrics of the evaluation, none where the folder is finished already."""
    model_options, text_options, training = arguments
    options = resolved_options(arguments)
    transformers_logging.set_verbosity_error()
    if training.disable_tqdm:
        transformers_logging.disable_progress_bar()
    set_seed(training.seed)
    logger.info("%s", describe_device(training))

    # Output folder: new, to be resumed, or finished
    overwrite = training.overwrite_output_dir
    with training.main_process_first():
        checkpoint = runs.open_output_dir(output_dir, options, overwrite=overwrite)
    if runs.is_finished(output_dir) and not overwrite:
        print(f"{output_dir} is finished; --overwrite-output-dir trains it again", file=sys.stderr)
        return {}

    # Model and text
    tokenizer = TokenizerFile(model_options.tokenizer_dir or str(model_options.student_model))
    model = make_model(model_options, tokenizer)
    teacher = load_teacher(model_options, tokenizer) if training.alpha_ce < 1.0 else None
    logger.info("reading and tokenising the text")
    length = row_length(text_options, model.config.max_position_embeddings)
    rows, eval_rows, data_report = packed_data(text_options, tokenizer, length, training.seed)
    if model_options.lora_rank:
        model = with_adapters(model, model_options.lora_rank, model_options.lora_alpha, model_options.lora_dropout)

    # Training
    patience = training.early_stopping_patience
    trainer = CausalTrainer(
        model=model,
        args=training,
        teacher=teacher,
        plan=precision.resumed(runs.recorded(output_dir, runs.PLAN), training) if checkpoint else None,
        train_dataset=rows,
        eval_dataset=eval_rows,
        callbacks=[EarlyStoppingCallback(patience)] if patience else [],
        stop=stop,
    )
    language_model = trainer.language_model
    logger.info("%s parameters", f"{language_model.num_parameters():,}")
    logger.info("precision: %s; attention: %s", trainer.plan.reason, trainer.plan.attention)
    options[runs.PLAN] = trainer.plan.as_dict()
    steps_per_epoch = len(trainer.train_sampler()) / training.gradient_accumulation_steps
    trainer.add_callback(ProgressLines(data_report["tokens"] / steps_per_epoch, training.expected_minutes))
    if text_options.continuation_tokens:
        trainer.add_callback(SampleContinuations(continuation(tokenizer, text_options), text_options.prompts or [""]))
    if trainer.is_world_process_zero():
        fingerprints = {**data_report["fingerprints"], **_fingerprints(model_options, tokenizer)}
        runs.start_run(output_dir, options, fingerprints, checkpoint=checkpoint, overwrite=overwrite)
        log.write_into(output_dir)
    resume_from = training.resume_from_checkpoint or (str(checkpoint) if checkpoint else None)
    trained = trainer.train(resume_from_checkpoint=resume_from)
    stop.let_go()
    if trainer.interruption.stopped or stop.signal:
        raise Stopped

    # Evaluation, model, card
    metrics = {**trained.metrics, **(trainer.evaluate() if eval_rows else {})}
    if not trainer.is_world_process_zero():
        return metrics
    whole = merged(trainer.model) if model_options.lora_rank else language_model
    staged = output_dir / runs.STAGED
    whole.float().save_pretrained(staged)
    tokenizer.save(staged)
    run = {
        "metrics": metrics,
        "steps": trainer.state.global_step,
        "parameters": whole.num_parameters(),
        "data": data_report,
        "versions": runs.versions(),
    }
    runs.finish_run(output_dir, staged, options, run, trainer.state.log_history, write_card)
    return metrics


def make_model(options: CausalModelArguments, tokenizer: TokenizerFile) -> CausalStudent:
    """A new model, or the one to go on from.

    Raises:
        UserError: a config that cannot be built or does not fit the tokenizer.
    """
    if options.student_model is not None:
        model = load_model(options.student_model)
        fit_tokenizer(model.config, tokenizer, options.student_model)  # pyright: ignore[reportArgumentType]
        return model
    name = str(options.student_config)
    config = load_config(name)
    config.vocab_size = options.vocab_size or config.vocab_size
    check_config(config, name)
    fit_tokenizer(config, tokenizer, name)
    return new_model(config)


def load_teacher(options: CausalModelArguments, tokenizer: TokenizerFile) -> CausalStudent:
    """The teacher; `UserError` when it has other tokens than the student."""
    if options.teacher_model is None:
        raise UserError("--alpha-ce below 1 needs a teacher: give --teacher-model, or --alpha-ce 1 for the text alone")
    if TokenizerFile(options.teacher_model).library.get_vocab() != tokenizer.library.get_vocab():
        raise UserError(
            f"--alpha-ce compares logits token by token, but {options.teacher_model} has other tokens than "
            f"{tokenizer.directory}. Train on text that the teacher wrote, with --alpha-ce 1"
        )
    return load_model(options.teacher_model)


def continuation(tokenizer: TokenizerFile, options: TextArguments) -> Any:
    """A function of a model and a prompt: how the model goes on, sampled with a seed of its own."""
    import torch

    def go_on(model: Any, prompt: str) -> str:
        torch.manual_seed(0)
        ids = [tokenizer.start_id, *tokenizer.encode([prompt])[0]]
        inputs = torch.tensor([ids], device=model.device)
        most = min(options.continuation_tokens, model.config.max_position_embeddings - len(ids))
        written = model.generate(inputs, max_new_tokens=max(most, 1), **SAMPLING)
        return tokenizer.decode(written[0, len(ids) :].tolist())

    return go_on


def _fingerprints(options: CausalModelArguments, tokenizer: TokenizerFile) -> dict[str, str]:
    """SHA-256 of the tokenizer and of the weights of local models, by the option that named them."""
    files = {"tokenizer": tokenizer.directory / FILE, "tokenizer words": tokenizer.directory / VOCABULARY_FILE}
    for name in ("student_model", "teacher_model"):
        files[name] = Path(getattr(options, name) or "") / "model.safetensors"
    return {name: sha256(path) for name, path in files.items() if path.is_file()}
