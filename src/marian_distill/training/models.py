"""From options to models: where teacher, tokenizer and student come from, and whether they fit together."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from transformers.utils.logging import disable_progress_bar

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.pieces import EOS, PAD, UNK, SentencePieceTokenizer
from marian_distill.students.kind import InitPlan, InitReport, kind_of, read_student_config
from marian_distill.students.loading import find_kind, load_student
from marian_distill.students.pairs import PairKind
from marian_distill.students.student import Student
from marian_distill.training.arguments import ModelArguments

logger = logging.getLogger(__name__)

TOKENIZER_FILES = ["source.spm", "target.spm", "vocab.json", "tokenizer_config.json", "special_tokens_map.json"]


def tokenizer_folder(name: str) -> Path:
    """Folder of the tokenizer files of a local folder or a hub model (fetched, or found in the hub's cache)."""
    if Path(name).is_dir():
        return Path(name)
    try:
        return Path(snapshot_download(name, allow_patterns=TOKENIZER_FILES))
    except (HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError) as error:
        raise UserError(f"{name}: neither a folder here nor a model on the hub that can be reached") from error


@contextmanager
def model_folder(name: str) -> Iterator[Path]:
    """A model as a folder of safetensors and tokenizer files: a local one as it is, a hub model's for the block.

    Many models of the hub have their safetensors in a branch of their own, which transformers finds.
    """
    if Path(name).is_dir():
        yield Path(name)
        return
    tokenizer = tokenizer_folder(name)
    disable_progress_bar()  # of writing, which takes a moment
    with tempfile.TemporaryDirectory() as folder:
        load_student(name).save_pretrained(folder)
        for file in TOKENIZER_FILES:
            if (tokenizer / file).is_file():
                shutil.copyfile(tokenizer / file, Path(folder, file))
        yield Path(folder)


def load_pieces(options: ModelArguments) -> SentencePieceTokenizer:
    """The student's tokenizer: the one given, or its model's, or the teacher's."""
    name = options.tokenizer_dir or options.student_model or options.teacher_model
    if name is None:
        raise UserError("--tokenizer-dir is missing: build a tokenizer with scripts/build_joint_tokenizer.py")
    pieces = SentencePieceTokenizer(tokenizer_folder(name))
    _check_pieces(pieces)
    return pieces


def load_teacher(
    options: ModelArguments, pieces: SentencePieceTokenizer, alpha_ce: float, matches_layers: bool = False
) -> Student | None:
    """The teacher in fp32, where this stage starts or learns from one.

    Raises:
        UserError: distillation of logits without a teacher, or from one whose vocabulary is another.
    """
    if alpha_ce == 1.0 and not options.init_from_teacher and not matches_layers:
        return None
    if options.teacher_model is None and matches_layers:
        raise UserError("--hidden-matching and --attention-matching need a teacher: give --teacher-model")
    if options.teacher_model is None:
        raise UserError(
            f"--alpha-ce {alpha_ce} needs a teacher: give --teacher-model, or --alpha-ce 1 for labels alone"
        )
    teacher_kind = find_kind(options.teacher_model)
    if not isinstance(teacher_kind, PairKind):
        raise UserError(
            f"{options.teacher_model}: a {teacher_kind.name} model, whose tokenizer is of another kind than this "
            "student's, so that neither logits nor weights compare. Use sequence-level distillation instead: "
            "translate the corpus with the teacher and train on that with --alpha-ce 1"
        )
    if matches_layers and not same_vocabulary(options, pieces):
        raise UserError(
            f"--hidden-matching, --attention-matching: {options.teacher_model} has another vocabulary than "
            f"{pieces.directory}, so its layers see other tokens; leave them out"
        )
    if alpha_ce < 1.0 and not same_vocabulary(options, pieces):
        raise UserError(
            f"--alpha-ce {alpha_ce} compares logits piece by piece, but {options.teacher_model} has another "
            f"vocabulary than {pieces.directory}. Use sequence-level distillation instead: translate the corpus with "
            "the teacher and train on that with --alpha-ce 1"
        )
    return load_student(options.teacher_model)


def same_vocabulary(options: ModelArguments, pieces: SentencePieceTokenizer) -> bool:
    """Whether the teacher gives every piece the same id as the student's tokenizer."""
    return SentencePieceTokenizer(tokenizer_folder(str(options.teacher_model))).vocabulary == pieces.vocabulary


def fingerprints(options: ModelArguments, pieces: SentencePieceTokenizer) -> dict[str, str]:
    """SHA-256 of the tokenizer and of the weights of local models, by the option that named them."""
    files = {"tokenizer": pieces.directory / "source.spm"}
    for name in ("student_model", "teacher_model"):
        files[name] = Path(getattr(options, name) or "") / "model.safetensors"
    return {name: sha256(path) for name, path in files.items() if path.is_file()}


def teacher_dtype(options: ModelArguments) -> torch.dtype | None:
    """The type asked for of the teacher's weights while it teaches; None leaves it to `training.precision`."""
    return None if options.teacher_dtype == "auto" else getattr(torch, options.teacher_dtype)


def make_student(
    options: ModelArguments, pieces: SentencePieceTokenizer, teacher: Student | None
) -> tuple[Student, InitReport | None]:
    """A student to go on with, or a new one, from the teacher's tensors where asked; and what was taken over."""
    name, report = str(options.student_model or options.student_config), None
    if options.student_model is not None:
        student = load_student(options.student_model)
        kind = kind_of(student.config.model_type)
        kind.check_config(student.config, name)
        kind.collator(pieces)  # refuses a tokenizer of another kind
    else:
        kind, config = read_student_config(name)
        kind.collator(pieces)
        student = kind.build(config)
    _check_vocabulary(student, pieces, name)
    if teacher is not None and options.init_from_teacher:
        if teacher.config.model_type != student.config.model_type:
            raise UserError(
                f"--init-from-teacher: a {student.config.model_type} student cannot start from the weights of "
                f"{options.teacher_model}, a {teacher.config.model_type} model; leave the option out"
            )
        plan = InitPlan(
            pieces,
            SentencePieceTokenizer(tokenizer_folder(str(options.teacher_model))),
            options.init_from_teacher_encoder_layer_map,
            options.init_from_teacher_decoder_layer_map,
            options.init_from_teacher_shrink,
            options.init_from_teacher_pieces,
        )
        report = kind.initialise(student, teacher, plan)
        logger.info("from the teacher: %s", report.summary())
    student.generation_config = kind.generation_config(student.config)
    return student, report


def _check_pieces(pieces: SentencePieceTokenizer) -> None:
    """Refuse a vocab.json that belongs to another .spm: its text would be `<unk>` throughout."""
    special = [piece for piece in (EOS, UNK, PAD) if piece not in pieces.vocabulary]
    if special:
        raise UserError(f"{pieces.directory / 'vocab.json'}: no {special[0]} in it; build the tokenizer again")
    for name, processor in (("source.spm", pieces.source), ("target.spm", pieces.target)):
        size = processor.get_piece_size()
        known = sum(processor.id_to_piece(index) in pieces.vocabulary for index in range(size))
        if known < 0.9 * size:  # a hub model's lacks a few
            raise UserError(
                f"{pieces.directory / 'vocab.json'}: has {known} of the {size} pieces of {name}; "
                "they belong to different tokenizers"
            )


def _check_vocabulary(student: Student, pieces: SentencePieceTokenizer, name: str) -> None:
    if student.config.vocab_size != len(pieces.vocabulary) or student.config.pad_token_id != pieces.pad_id:
        raise UserError(
            f"{name}: vocab_size {student.config.vocab_size} and pad id {student.config.pad_token_id} do not match "
            f"the tokenizer {pieces.directory} with {len(pieces.vocabulary)} pieces and pad id {pieces.pad_id}; "
            "make a config with scripts/make_student_config.py --vocab-size"
        )
    if student.config.eos_token_id != pieces.eos_id:
        raise UserError(
            f"{name}: eos_token_id {student.config.eos_token_id} is not the tokenizer's id of {EOS}, {pieces.eos_id}"
        )
