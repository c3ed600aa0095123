"""The trainer of packed rows, where it goes its own way."""

import pytest

from marian_distill.students.rows import PackedRows, text_samples
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.language.trainer import LanguageModelTrainer
from toy_language_model import TEXTS, new_toy_model


def test_what_is_evaluated_while_training_is_the_average_that_is_published(toy_tokenizer, tmp_path):
    rows = PackedRows(text_samples(TEXTS, toy_tokenizer, 64), toy_tokenizer, 64, seed=0)
    options = {"output_dir": str(tmp_path), "use_cpu": True, "precision": "fp32", "attention": "eager", "max_steps": 4,
               "learning_rate": 1e-2, "eval_strategy": "steps", "eval_steps": 4, "save_strategy": "no",
               "disable_tqdm": True, "ema_decay": 0.9}  # fmt: skip
    model, training = new_toy_model(toy_tokenizer), DistillTrainingArguments(**options)
    trainer = LanguageModelTrainer(model, training, toy_tokenizer, train_dataset=rows, eval_dataset=rows)
    trainer.train()
    [logged] = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert logged == pytest.approx(trainer.evaluate()["eval_loss"], rel=1e-6)
