"""Two CPU processes (gloo) train as one does with the same global batch."""

import subprocess
import sys

import pytest

from marian_distill.files import read_json
from toy_training import COMMAND, stage_options, write_student_config


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(toy_stage, tmp_path):
    vocabulary = read_json(toy_stage / "student.json")["vocab_size"]
    write_student_config(tmp_path / "student.json", vocab_size=vocabulary, dropout=0.0)
    options = {
        "student_config": tmp_path / "student.json",
        "tokens_per_batch": 200,
        "logging_steps": 1,
        "max_steps": 6,
    }
    options |= {"seed": 5, "use_cpu": True}
    logs = {}
    for processes in (1, 2):
        output = tmp_path / f"run{processes}"
        arguments = stage_options(toy_stage, output, **options, gradient_accumulation_steps=2 // processes)
        launch = []
        if processes > 1:
            arguments.append("--ddp-backend=gloo")
            launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes]
        command = [sys.executable, *launch, COMMAND, *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        logs[processes] = read_json(output / "log.json")
    for name in ("loss", "cross_entropy", "grad_norm", "eval_loss"):
        one, two = ([entry[name] for entry in logs[processes] if name in entry] for processes in (1, 2))
        assert two == pytest.approx(one, rel=1e-4), name
        assert one
    run = tmp_path / "run2"
    assert sorted(entry["step"] for entry in logs[2] if "loss" in entry) == [1, 2, 3, 4, 5, 6]
    assert read_json(run / "run.json")["steps"] == 6
    assert (run / "model.safetensors").is_file()
    assert not (run / "staged").exists()
