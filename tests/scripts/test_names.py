"""One name for one thing over all scripts; the older spellings mean the same."""

import runpy
import sys
from pathlib import Path

import pytest

from marian_distill.runtime.translator import BEAM_SIZE

SCRIPTS = Path(__file__).parents[2] / "scripts"
EVALUATE = "--direction en-zh --json out.json"


@pytest.mark.parametrize(
    ("script", "spellings", "rest"),
    [
        ("export_ct2", ("--model-dir m", "m"), "--output-dir out"),
        ("export_onnx", ("--model-dir m", "m"), "--output-dir out"),
        ("export_rknn", ("--model-dir m", "m"), "--output-dir out"),
        ("make_vocabulary_map", ("--model-dir m", "m"), "--dataset a.tsv --test-file t.tsv"),
        ("export_ct2", ("--quantization float32", "--dtype float32"), "m --output-dir out"),
        ("export_onnx", ("--dtype int8", "--quantization int8"), "m --output-dir out"),
        ("export_rknn", ("--dtype w8a8", "--quantization w8a8"), "m --output-dir out"),
        ("make_vocabulary_map", ("--max-chrf-lost 1", "--max-chrf-loss 1"), "m --dataset a.tsv --test-file t.tsv"),
        ("evaluate_slices", ("--num-examples 3", "--examples 3"), f"--model-dir m {EVALUATE}"),
        ("evaluate_model", ("--max-samples 3", "--max-examples 3"), f"--model-dir m --test-file t.tsv {EVALUATE}"),
        ("evaluate_model", ("--beam-size 3", "--num-beams 3"), f"--model-dir m --test-file t.tsv {EVALUATE}"),
        ("evaluate_slices", ("--beam-size 3", "--num-beams 3"), f"--model-dir m {EVALUATE}"),
        (
            "forward_translate",
            ("--beam-size 3", "--num-beams 3"),
            "--teacher-ct2-dir t --dataset a.tsv --output-dir out",
        ),
    ],
)
def test_both_spellings_mean_the_same(script, spellings, rest, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    parse_arguments = runpy.run_path(str(SCRIPTS / f"{script}.py"))["parse_arguments"]
    found = []
    for spelling in spellings:
        monkeypatch.setattr(sys, "argv", [script, *spelling.split(), *rest.split()])
        found.append(vars(parse_arguments()))
    assert found[0] == found[1]
    assert len(found[0]) > 4


@pytest.mark.parametrize(
    ("script", "rest"),
    [
        ("evaluate_model", f"--model-dir m --test-file t.tsv {EVALUATE}"),
        ("evaluate_slices", f"--model-dir m {EVALUATE}"),
        ("forward_translate", "--teacher-ct2-dir t --dataset a.tsv --output-dir out"),
        ("translate_rknn", "--model-dir m --text x"),
    ],
)
def test_one_beam_size_is_everywhere_the_default(script, rest, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [script, *rest.split()])
    assert runpy.run_path(str(SCRIPTS / f"{script}.py"))["parse_arguments"]().beam_size == BEAM_SIZE


def test_a_model_that_is_not_given_is_told(run_script):
    done = run_script("export_onnx", "--output-dir", "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: one of the arguments --model-dir model_dir is required")
