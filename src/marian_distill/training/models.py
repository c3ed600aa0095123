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
from transformers import GenerationConfig, MarianMTModel
from transformers.utils.logging import disable_progress_bar

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.pieces import EOS, PAD, UNK, MarianPieces
from marian_distill.training.arguments import ModelArguments
from marian_distill.training.students import MarianStudent, check_config, load_config, new_student, zero_pad_row
from marian_distill.training.teacher_init import InitReport, init_from_teacher, parse_layer_map, teacher_rows
from marian_distill.weights import load_marian

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
        load_marian(name).save_pretrained(folder)
        for file in TOKENIZER_FILES:
            if (tokenizer / file).is_file():
                shutil.copyfile(tokenizer / file, Path(folder, file))
        yield Path(folder)


def load_pieces(options: ModelArguments) -> MarianPieces:
    """The student's tokenizer: the one given, or its model's, or the teacher's."""
    name = options.tokenizer_dir or options.student_model or options.teacher_model
    if name is None:
        raise UserError("--tokenizer-dir is missing: build a tokenizer with scripts/build_joint_tokenizer.py")
    pieces = MarianPieces(tokenizer_folder(name))
    _check_pieces(pieces)
    return pieces


def load_teacher(options: ModelArguments, pieces: MarianPieces, alpha_ce: float) -> MarianMTModel | None:
    """The teacher in fp32, where this stage starts or learns from one.

    Raises:
        UserError: distillation of logits without a teacher, or from one whose vocabulary is another.
    """
    if alpha_ce == 1.0 and not options.init_from_teacher:
        return None
    if options.teacher_model is None:
        raise UserError(
            f"--alpha-ce {alpha_ce} needs a teacher: give --teacher-model, or --alpha-ce 1 for labels alone"
        )
    if alpha_ce < 1.0 and not same_vocabulary(options, pieces):
        raise UserError(
            f"--alpha-ce {alpha_ce} compares logits piece by piece, but {options.teacher_model} has another "
            f"vocabulary than {pieces.directory}. Use sequence-level distillation instead: translate the corpus with "
            "the teacher and train on that with --alpha-ce 1"
        )
    return load_marian(options.teacher_model)


def same_vocabulary(options: ModelArguments, pieces: MarianPieces) -> bool:
    """Whether the teacher gives every piece the same id as the student's tokenizer."""
    return MarianPieces(tokenizer_folder(str(options.teacher_model))).vocabulary == pieces.vocabulary


def fingerprints(options: ModelArguments, pieces: MarianPieces) -> dict[str, str]:
    """SHA-256 of the tokenizer and of the weights of local models, by the option that named them."""
    files = {"tokenizer": pieces.directory / "source.spm"}
    for name in ("student_model", "teacher_model"):
        files[name] = Path(getattr(options, name) or "") / "model.safetensors"
    return {name: sha256(path) for name, path in files.items() if path.is_file()}


def teacher_dtype(options: ModelArguments) -> torch.dtype | None:
    """The type asked for of the teacher's weights while it teaches; None leaves it to `training.precision`."""
    return None if options.teacher_dtype == "auto" else getattr(torch, options.teacher_dtype)


def make_student(
    options: ModelArguments, pieces: MarianPieces, teacher: MarianMTModel | None
) -> tuple[MarianStudent, InitReport | None]:
    """A student to go on with, or a new one, from the teacher's tensors where asked; and what was taken over."""
    report = None
    if options.student_model is not None:
        student = load_marian(options.student_model, MarianStudent)
        check_config(student.config, options.student_model)
    else:
        student = new_student(load_config(str(options.student_config)))
    _check_vocabulary(student, pieces, str(options.student_model or options.student_config))
    if teacher is not None and options.init_from_teacher:
        layers = {}
        for side in ("encoder", "decoder"):
            text = getattr(options, f"init_from_teacher_{side}_layer_map")
            here, there = (getattr(model.config, f"{side}_layers") for model in (student, teacher))
            layers[f"{side}_layer_map"] = None if text is None else parse_layer_map(text, here, there, side)
        same = same_vocabulary(options, pieces)
        by_piece = options.init_from_teacher_pieces and not same
        report = init_from_teacher(
            student,
            teacher,
            same_vocabulary=same,
            shrink=options.init_from_teacher_shrink,
            piece_rows=teacher_rows(pieces, MarianPieces(tokenizer_folder(str(options.teacher_model))))
            if by_piece
            else None,
            **layers,
        )
        logger.info("from the teacher: %s", report.summary())
    zero_pad_row(student)
    student.generation_config = _generation_config(student)
    return student, report


def _check_pieces(pieces: MarianPieces) -> None:
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


def _check_vocabulary(student: MarianStudent, pieces: MarianPieces, name: str) -> None:
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


def _generation_config(student: MarianStudent) -> GenerationConfig:
    """Greedy output that starts from `<pad>` and never says it, as the exported engines do."""
    pad = student.config.pad_token_id
    return GenerationConfig(
        bad_words_ids=[[pad]],
        pad_token_id=pad,
        decoder_start_token_id=pad,
        eos_token_id=student.config.eos_token_id,
        max_new_tokens=128,
        num_beams=1,
    )
