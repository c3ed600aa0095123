"""Train, export and translate as a processor of ten years ago would: AVX2 alone, emulated on a newer one.

torch, oneDNN, MKL and CTranslate2 each choose their kernels once, when they are loaded: a process of its own.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.files import read_json
from toy_training import AVX2, COMMAND, stage_options

SCRIPTS = COMMAND.parent / "scripts"
# Several commands in one process, each as its command line would run it; what torch computes with comes last.
RUN_ALL = """
import json, runpy, sys
for sys.argv in json.loads(sys.argv[1]):
    runpy.run_path(sys.argv[0], run_name="__main__")
import torch
print(torch.backends.cpu.get_cpu_capability())
"""


def commands(toy_stage: Path, model_dir: Path, folder: Path) -> list[list[str]]:
    """Six more steps of a trained model, its int8 folder, and a sentence of that."""
    options = stage_options(
        toy_stage, folder / "run", student_config=None, tokenizer_dir=None, student_model=model_dir, max_steps=6,
        learning_rate=1e-4, use_cpu=True,
    )  # fmt: skip
    export = [folder / "run", "--output-dir", folder / "int8", "--direction", "en-zh", "--min-parity", 0]
    translate = ["--model-dir", folder / "int8", "--text", "We like tea."]
    scripts = [[SCRIPTS / "export_ct2.py", *export], [SCRIPTS / "translate_ct2.py", *translate]]
    return [[str(COMMAND), *options], *(list(map(str, command)) for command in scripts)]


def losses(folder: Path) -> list[float]:
    return [entry["loss"] for entry in read_json(folder / "run" / "log.json") if "loss" in entry]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="AVX2 is of x86 processors")
def test_an_avx2_processor_trains_exports_and_translates_alike(toy_stage, toy_model_dir, distill, tmp_path):
    (_, *options), *_ = commands(toy_stage, toy_model_dir, tmp_path / "here")
    assert distill(*options) == 0

    older = commands(toy_stage, toy_model_dir, tmp_path / "older")
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(older)], env=os.environ | AVX2, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    *_, translation, capability = done.stdout.decode().splitlines()
    assert capability == "AVX2"
    assert losses(tmp_path / "older") == pytest.approx(losses(tmp_path / "here"), rel=1e-3)
    assert len(losses(tmp_path / "older")) == 6
    assert translation == "我们喜欢茶。"
