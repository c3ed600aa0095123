"""A teacher of one kind and a student of another: what each learns, by logits and by layers; and who is refused."""

import shutil

import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.students.rows import PackedRows, text_samples
from marian_distill.tokenizer_file import TokenizerFile
from marian_distill.training.arguments import DistillTrainingArguments, ModelArguments
from marian_distill.training.language.arguments import CausalModelArguments
from marian_distill.training.language.train import load_teacher as load_language_teacher
from marian_distill.training.language.trainer import LanguageModelTrainer
from marian_distill.training.models import load_pieces, load_teacher, make_student
from toy_language_model import TEXTS, new_toy_model, write_toy_config

BY_ALL = {"alpha_ce": 0.0, "temperature": 1.0, "hidden_matching": 0.5, "attention_matching": 0.5, "max_steps": 25}


@pytest.fixture
def new_liquid(pieces):
    """Builds a liquid student of the tokenizer's vocabulary; `changes` are fields of its config."""

    def build(seed: int = 0, **changes) -> LiquidStudent:
        torch.manual_seed(seed)
        sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "attention_heads": 2, "ffn_dim": 32}
        cell = {"units": 16, "motor_units": 5}
        ids = {"vocab_size": len(pieces.vocabulary), "pad_token_id": pieces.pad_id, "eos_token_id": pieces.eos_id}
        start = {"decoder_start_token_id": pieces.pad_id}
        return LiquidStudent(LiquidConfig(**{**sizes, **cell, **ids, **start, **changes}))

    return build


def first_and_last(trainer, part: str) -> tuple[float, float]:
    parts = [entry[part] for entry in trainer.state.log_history if part in entry]
    return parts[0], parts[-1]


def check_learnt(trainer) -> None:
    trainer.train()
    for part in ("divergence", "matching"):
        first, last = first_and_last(trainer, part)
        assert last < 0.8 * first, (part, first, last)


def test_marian_teaches_liquid(new_model, new_liquid, new_trainer):
    teacher = new_model(seed=1, d_model=24, encoder_layers=3, decoder_layers=2, attention_heads=4)
    trainer = new_trainer(new_liquid(), teacher, **BY_ALL)
    assert trainer.matching.attention == ["encoder", "decoder to encoder"]
    check_learnt(trainer)


def test_liquid_teaches_marian(new_model, new_liquid, new_trainer):
    trainer = new_trainer(new_model(), new_liquid(seed=1, d_model=24, decoder_layers=2, attention_heads=4), **BY_ALL)
    assert trainer.matching.attention == ["encoder", "decoder to encoder"]  # the teacher's cell has none of its own
    check_learnt(trainer)


def test_a_language_model_teaches_a_language_model(toy_tokenizer, tmp_path):
    rows = PackedRows(text_samples(TEXTS[:60], toy_tokenizer, 64), toy_tokenizer, 64, seed=0)
    options = {"output_dir": str(tmp_path), "use_cpu": True, "precision": "fp32", "learning_rate": 1e-2,
               "logging_steps": 1, "save_strategy": "no", "disable_tqdm": True, "tokens_per_batch": 256}  # fmt: skip
    student = new_toy_model(toy_tokenizer, num_hidden_layers=1)
    teacher = new_toy_model(toy_tokenizer, seed=1, hidden_size=48, num_attention_heads=8, num_key_value_heads=4)
    training = DistillTrainingArguments(**{**options, **BY_ALL})
    trainer = LanguageModelTrainer(student, training, toy_tokenizer, teacher, train_dataset=rows)
    assert trainer.matching.pairs == {"decoder": [(0, 1)]}
    check_learnt(trainer)


def test_a_language_model_teaches_no_other_kind(toy_writer_dir, pieces):
    options = ModelArguments(student_config="any", teacher_model=str(toy_writer_dir))
    with pytest.raises(UserError, match=r"a Qwen3 model, whose tokenizer is of another kind .* sequence-level"):
        load_teacher(options, pieces, DistillTrainingArguments(output_dir="any", alpha_ce=0.5))
    with pytest.raises(UserError, match="holds the tokenizer of a language model; a Marian or a liquid student needs"):
        load_pieces(options)


def test_no_other_kind_teaches_a_language_model(toy_model_dir, toy_tokenizer):
    options = CausalModelArguments(
        student_config="any", tokenizer_dir=str(toy_tokenizer.directory), teacher_model=str(toy_model_dir)
    )
    with pytest.raises(UserError, match="a Marian student, model_type 'marian'; expected 'qwen3'"):
        load_language_teacher(options, toy_tokenizer)


def test_a_language_model_teaches_none_with_other_tokens(toy_writer_dir, toy_tokenizer, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(toy_writer_dir, folder)
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(text.replace(">>eng<<", ">>fra<<"), encoding="utf-8")
    options = CausalModelArguments(
        student_config="any", tokenizer_dir=str(toy_tokenizer.directory), teacher_model=str(folder)
    )
    with pytest.raises(UserError, match=r"has other tokens than .* Train on text that the teacher wrote"):
        load_language_teacher(options, TokenizerFile(toy_tokenizer.directory))


def test_a_language_model_is_no_student_of_the_other_command(pieces, tmp_path):
    config = write_toy_config(tmp_path / "writer.json")
    options = ModelArguments(student_config=str(config), tokenizer_dir=str(pieces.directory))
    with pytest.raises(UserError, match=r"a Qwen3 student is a language model: scripts/train_causal_lm.py trains it"):
        make_student(options, SentencePieceTokenizer(pieces.directory), None)
