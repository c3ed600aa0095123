"""Configs of liquid students: what cannot be built is refused in one line that names the value."""

from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.students.kinds import parameter_count, read_student_config
from marian_distill.students.liquid.configuration import LiquidConfig, read_config

PRESETS = Path(__file__).parents[3] / "student_configs"
MARIAN = 5_733_120 - 2 * 512 * 256  # 256d_3x1_8k.json without its fixed positions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": "lstm"}, "cell 'lstm': expected cfc, ltc, gru, ssru"),
        ({"attention_heads": 3}, "attention_heads 3 does not divide d_model 256"),
        ({"d_model": 27, "attention_heads": 3}, "d_model 27 is odd"),
        ({"decoder_layers": 0}, "decoder_layers 0: expected 1 or more"),
        ({"motor_units": 254}, "motor_units 254 of 256 units: expected at least 1, and 3 fewer"),
        ({"sparsity": 1.0}, "sparsity 1.0: expected a share in"),
        ({"cell": "ltc", "ode_unfolds": 0}, "ode_unfolds 0"),
        ({"dropout": 1.0}, "dropout 1.0"),
        ({"pad_token_id": 0}, "pad_token_id 0 and decoder_start_token_id 8000: expected both to be the last of 8001"),
        ({"max_position_embeddings": 64}, "max_position_embeddings 64 is below 512"),
        ({"activation_function": "sine"}, "activation_function 'sine'"),
        ({"units": "many"}, "units"),
    ],
)
def test_a_config_that_cannot_be_built_is_refused_in_one_line(changes, message):
    with pytest.raises(UserError, match=r"^here: ") as refusal:
        read_config({"model_type": "liquid", **changes}, "here")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_training_and_transformers_write_beside_it_is_read():
    saved = LiquidConfig().to_dict() | {"use_cache": False, "directions": ["en-zh"], "_name_or_path": "here"}
    assert read_config(saved, "here").units == LiquidConfig().units
    with pytest.raises(UserError, match="has no 'unites'"):
        read_config(saved | {"unites": 3}, "here")


@pytest.mark.parametrize("path", sorted(PRESETS.glob("liquid_*.json")), ids=lambda path: path.stem)
def test_every_preset_loads_and_is_of_equal_size(path):
    kind, config = read_student_config(path)
    assert kind.name == "liquid"
    assert abs(parameter_count(config) / MARIAN - 1) < 0.05


def test_the_default_is_as_large_as_the_marian_student_of_its_width():
    assert abs(parameter_count(LiquidConfig()) / MARIAN - 1) < 0.02
