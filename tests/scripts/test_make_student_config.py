import runpy
import sys
from pathlib import Path

import pytest

from marian_distill.errors import run_command
from marian_distill.files import read_json
from marian_distill.students.kind import read_student_config
from marian_distill.students.marian.config import student_config

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_student_config.py"
SIZES = "--d-model 320 --encoder-layers 5 --decoder-layers 2 --attention-heads 8 --ffn-dim 1280 --vocab-size 32001"


@pytest.fixture
def make(monkeypatch, capsys):
    """Runs the script with options in this process; gives exit code and stderr."""

    def run(*options: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, options)])
        code = 0
        try:
            run_command(runpy.run_path(str(SCRIPT))["main"])
        except SystemExit as leaving:
            code = int(str(leaving.code))
        return code, capsys.readouterr().err.strip()

    return run


def test_sizes_make_a_config_whose_parameters_are_told(make, tmp_path):
    path = tmp_path / "new" / "student.json"
    assert make("--output", path, *SIZES.split()) == (0, f"{path}: 20,021,760 parameters")
    _, preset = read_student_config(SCRIPT.parents[1] / "student_configs" / "320d_5x2_32k.json")
    assert read_student_config(path)[1].to_dict() == preset.to_dict()


def test_what_is_left_out_comes_from_the_teacher(make, tmp_path):
    teacher = student_config(
        d_model=48, encoder_layers=6, decoder_layers=6, attention_heads=4, ffn_dim=96, vocab_size=80,
        activation_function="relu",
    )  # fmt: skip
    teacher.scale_embedding = False
    teacher.save_pretrained(tmp_path / "teacher")
    code, told = make(
        "--teacher-model", tmp_path / "teacher", "--output", tmp_path / "s.json", "--decoder-layers", "2"
    )
    assert code == 0, told
    config = read_json(tmp_path / "s.json")
    expected = {
        "d_model": 48, "encoder_layers": 6, "decoder_layers": 2, "decoder_attention_heads": 4, "encoder_ffn_dim": 96,
        "vocab_size": 80, "activation_function": "relu", "scale_embedding": False, "model_type": "marian",
    }  # fmt: skip
    assert {name: config[name] for name in expected} == expected


LIQUID = "--model-type liquid --d-model 256 --encoder-layers 3 --decoder-layers 1 --attention-heads 4 --ffn-dim 1024"
WRITER = "--model-type qwen3 --d-model 384 --decoder-layers 6 --attention-heads 6 --ffn-dim 1024 --vocab-size 8000"


@pytest.mark.parametrize(
    ("options", "preset", "parameters"),
    [
        (f"{LIQUID} --vocab-size 8001 --dropout 0", "liquid_256d_3x1_8k", "5,419,872"),
        (f"{LIQUID} --vocab-size 8001 --dropout 0 --cell gru --units 144", "liquid_256d_3x1_8k_gru", "5,419,616"),
        (f"{WRITER} --key-value-heads 2", "mini_qwen_tiny", "12,514,944"),
    ],
)
def test_a_config_of_each_kind_is_as_its_preset(make, options, preset, parameters, tmp_path):
    path = tmp_path / "student.json"
    assert make("--output", path, *options.split()) == (0, f"{path}: {parameters} parameters")
    kind, config = read_student_config(path)
    assert kind.name in ("liquid", "Qwen3")
    _, expected = read_student_config(SCRIPT.parents[1] / "student_configs" / f"{preset}.json")
    differing = {name for name, value in expected.to_dict().items() if config.to_dict().get(name) != value}
    assert differing <= {"motor_units", "dtype", "transformers_version"}, differing


def test_a_teacher_of_another_kind_gives_its_sizes(make, toy_model_dir, tmp_path):
    path = tmp_path / "liquid.json"
    code, told = make("--teacher-model", toy_model_dir, "--model-type", "liquid", "--output", path)
    assert code == 0, told
    config, teacher = read_json(path), read_json(toy_model_dir / "config.json")
    assert [config.get(name) for name in ("model_type", "vocab_size")] == ["liquid", teacher["vocab_size"]]
    assert config["d_model"] == config["units"] == teacher["d_model"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SIZES.replace("--attention-heads 8", "--attention-heads 7"), "7 does not divide d_model 320"),
        ("--d-model 320", "--encoder-layers is missing"),
        (f"{WRITER} --encoder-layers 2", "--encoder-layers: a Qwen3 student has none; it has --d-model"),
        (f"{SIZES} --cell gru", "--cell: a Marian student has none"),
        (f"{LIQUID} --vocab-size 8001 --cell lstm", "cell 'lstm': expected cfc, ltc, gru, ssru"),
        (f"{SIZES} --model-type bart", "--model-type: model_type 'bart'; the kinds of students are marian, liquid"),
        ("--teacher-model no/such/folder", "no/such/folder: no model there"),
    ],
)
def test_mistakes_are_told_in_one_line_and_write_nothing(make, options, message, tmp_path):
    code, told = make("--output", tmp_path / "student.json", *options.split())
    assert code == 2
    assert message in told
    assert len(told.splitlines()) == 1
    assert not list(tmp_path.iterdir())
