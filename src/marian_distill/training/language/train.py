"""One training stage of a language model: text → packed rows → model → `CausalTrainer` → a folder that is whole."""

import logging
import sys
from pathlib import Path
from typing import Any

from transformers import set_seed

from marian_distill.errors import UserError
from marian_distill.files import read_json_object, sha256
from marian_distill.languages import directions_of
from marian_distill.signals import stop_request
from marian_distill.students.kind import kind_of, read_folder_config, read_student_config
from marian_distill.students.loading import load_student
from marian_distill.students.rows import fit_tokenizer
from marian_distill.students.student import Student
from marian_distill.tokenizer_file import FILE, VOCABULARY_FILE, TokenizerFile
from marian_distill.training import precision, runs
from marian_distill.training.arguments import DistillTrainingArguments, resolved_options
from marian_distill.training.language.arguments import CausalModelArguments, TextArguments
from marian_distill.training.language.card import write_card
from marian_distill.training.language.data import packed_data, row_length
from marian_distill.training.language.lora import merged, with_adapters
from marian_distill.training.language.trainer import LanguageModelTrainer, SampleContinuations, plain_model
from marian_distill.training.log import TrainingLog, hush_libraries
from marian_distill.training.progress import describe_device, show_progress

logger = logging.getLogger(__name__)

Arguments = tuple[CausalModelArguments, TextArguments, DistillTrainingArguments]
SAMPLING = {"do_sample": True, "temperature": 0.8, "top_k": 50}
MODEL_TYPE = "qwen3"


def train(arguments: Arguments, output_dir: Path, log: TrainingLog) -> dict[str, float]:
    """Load, train, evaluate, save; the metrics of the evaluation, none where the folder is finished already."""
    model_options, text_options, training = arguments
    options = resolved_options(arguments)
    if training.hard_example_share:
        raise UserError("--hard-example-share: packed rows are no examples; leave the option out")
    hush_libraries(bars=not training.disable_tqdm)
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
    model: Any = make_model(model_options, tokenizer)
    learns_from_teacher = training.alpha_ce < 1.0 or training.matches_layers
    teacher = load_teacher(model_options, tokenizer) if learns_from_teacher else None
    if text_options.direction != "none":
        model.config.directions = list(directions_of(text_options.direction))  # the exporter reads it
    logger.info("reading and tokenising the text")
    length = row_length(text_options, model.config.max_position_embeddings)
    rows, eval_rows, data_report = packed_data(text_options, tokenizer, length, training.seed)
    if model_options.lora_rank:
        model = with_adapters(model, model_options.lora_rank, model_options.lora_alpha, model_options.lora_dropout)

    # Training
    trainer = LanguageModelTrainer(
        model,
        training,
        tokenizer,
        teacher,
        plan=precision.resumed(runs.recorded(output_dir, runs.PLAN), training) if checkpoint else None,
        train_dataset=rows,
        eval_dataset=eval_rows,
        stop=stop_request,
    )
    show_progress(trainer)
    if text_options.continuation_tokens:
        trainer.add_callback(SampleContinuations(continuation(tokenizer, text_options), text_options.prompts or [""]))
    options[runs.PLAN] = trainer.plan.as_dict()
    fingerprints = {**data_report["fingerprints"], **_fingerprints(model_options, tokenizer)}
    if trainer.is_world_process_zero():
        runs.start_run(output_dir, options, fingerprints, checkpoint=checkpoint, overwrite=overwrite)
        log.write_into(output_dir)
    resume_from = training.resume_from_checkpoint or checkpoint
    trained = trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)

    # Evaluation, model, card
    metrics = {**trained.metrics, **(trainer.evaluate() if eval_rows else {})}
    if not trainer.is_world_process_zero():
        return metrics
    whole = merged(trainer.model) if model_options.lora_rank else plain_model(trainer.model)
    staged = output_dir / runs.STAGED
    whole.float().save_pretrained(staged)
    tokenizer.save(staged)
    run = {"metrics": metrics, **trainer.summary(), "parameters": whole.num_parameters(), "data": data_report}
    runs.finish_run(output_dir, staged, options, run, trainer.state.log_history, write_card)
    return metrics


def make_model(options: CausalModelArguments, tokenizer: TokenizerFile) -> Student:
    """A new model, or the one to go on from.

    Raises:
        UserError: a config of another kind, one that cannot be built, or one that does not fit the tokenizer.
    """
    name = str(options.student_model or options.student_config)
    values = read_folder_config(name) if options.student_model else read_json_object(name)
    _check_kind(values.get("model_type"), name)
    if options.student_model is not None:
        model = load_student(name)
        fit_tokenizer(model.config, tokenizer, name)
        return model
    kind, config = read_student_config(name)
    config.vocab_size = options.vocab_size or config.vocab_size
    kind.check_config(config, name)
    fit_tokenizer(config, tokenizer, name)
    return kind.build(config)


def _check_kind(model_type: object, name: str) -> None:
    if model_type != MODEL_TYPE:
        raise UserError(
            f"{name}: a {kind_of(model_type, name).name} student, model_type {model_type!r}; expected "
            f"{MODEL_TYPE!r}, a language model. Others are trained with distill_zh_en.py"
        )


def load_teacher(options: CausalModelArguments, tokenizer: TokenizerFile) -> Student:
    """The teacher; `UserError` when it has other tokens than the student."""
    if options.teacher_model is None:
        raise UserError(
            "--alpha-ce below 1, --hidden-matching and --attention-matching need a teacher: give --teacher-model, or "
            "--alpha-ce 1 for the text alone"
        )
    _check_kind(read_folder_config(options.teacher_model).get("model_type"), options.teacher_model)
    if TokenizerFile(options.teacher_model).library.get_vocab() != tokenizer.library.get_vocab():
        raise UserError(
            f"the teacher is compared with token by token, but {options.teacher_model} has other tokens than "
            f"{tokenizer.directory}. Train on text that the teacher wrote, with --alpha-ce 1"
        )
    return load_student(options.teacher_model)


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
