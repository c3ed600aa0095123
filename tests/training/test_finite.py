import math

import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.training.finite import check_finite


def test_a_loss_that_is_not_finite_stops_the_run_at_the_next_log(new_model, new_trainer, tmp_path):
    trainer = new_trainer(new_model(), max_steps=50, logging_steps=2, learning_rate=1e20, max_grad_norm=0.0)
    with pytest.raises(UserError, match=r"step \d+: \w+ (is|holds).*lower --learning-rate"):
        trainer.train()
    assert trainer.state.global_step <= 8
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_teacher_of_nan_teaches_nothing(new_model, new_trainer):
    teacher = new_model(seed=1)
    teacher.model.shared.weight.data[3, 3] = math.nan
    trainer = new_trainer(new_model(), teacher, max_steps=50, logging_steps=2, alpha_ce=0.5)
    with pytest.raises(UserError, match="step 2: loss is nan"):
        trainer.train()


def test_weights_that_are_not_finite_are_not_saved(new_model, new_trainer, tmp_path):
    trainer = new_trainer(new_model(), max_steps=3, save_strategy="steps", save_steps=2, logging_steps=100)
    with torch.no_grad():
        trainer.model.model.encoder.layers[0].fc1.bias[0] = math.inf
    with pytest.raises(UserError, match="holds numbers that are not finite"):
        trainer.train()
    assert not list(tmp_path.rglob("*.safetensors"))


def test_sound_weights_pass(new_model):
    check_finite(new_model(), None, 1)
