import runpy
import sys
from pathlib import Path

import pytest

from marian_distill.errors import run_command
from marian_distill.files import read_json
from marian_distill.students.marian.config import student_config
from marian_distill.training.models import read_student_config

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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SIZES.replace("--attention-heads 8", "--attention-heads 7"), "7 does not divide d_model 320"),
        ("--d-model 320", "--encoder-layers is missing"),
        ("--teacher-model no/such/folder", "no/such/folder: no config there"),
    ],
)
def test_mistakes_are_told_in_one_line_and_write_nothing(make, options, message, tmp_path):
    code, told = make("--output", tmp_path / "student.json", *options.split())
    assert code == 2
    assert message in told
    assert len(told.splitlines()) == 1
    assert not list(tmp_path.iterdir())
