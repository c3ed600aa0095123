"""Two processes train as one does with the same global batch, also where they share out the weights."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from safetensors import safe_open

from marian_distill.files import read_json
from toy_training import COMMAND, stage_options, write_student_config

CONFIGS = Path(__file__).parents[1] / "recipes" / "accelerate"
LAUNCH = Path(__file__).with_name("launch_on_cpus.py")


def train(stage: Path, output: Path, config: str | None) -> dict[str, list[float]]:
    """Train in one process, or in two under an accelerate config; each logged number by its name."""
    student = stage.parent / "no-dropout.json"
    write_student_config(student, vocab_size=read_json(stage / "student.json")["vocab_size"], dropout=0.0)
    options = {"student_config": student, "tokens_per_batch": 200, "max_steps": 6, "save_steps": 3, "seed": 5}
    options |= {"source_noise": 0.3, "final_stop_share": 0.3}
    arguments = stage_options(stage, output, **options, gradient_accumulation_steps=1 if config else 2, use_cpu=True)
    command = [COMMAND]
    if config:
        arguments.append("--ddp-backend=gloo")
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]
        command = [*launch, LAUNCH, CONFIGS / f"{config}.yaml"]
    if config == "zero3_offload":  # works on CPUs as it is
        launch = ["-m", "accelerate.commands.accelerate_cli", "launch", "--main_process_port", 0]
        command = [*launch, "--config_file", CONFIGS / f"{config}.yaml", COMMAND]
    done = subprocess.run(
        [sys.executable, *map(str, command), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"COLLECTIVES": str(stage.parent)},
    )
    assert done.returncode == 0, done.stderr
    log = read_json(output / "log.json")
    names = ("loss", "cross_entropy", "grad_norm", "eval_loss")
    return {name: [entry[name] for entry in log if name in entry] for name in names}


@pytest.fixture(scope="module")
def one_process(toy_stage, tmp_path_factory) -> dict[str, list[float]]:
    return train(toy_stage, tmp_path_factory.mktemp("one") / "run", None)


@pytest.mark.slow
@pytest.mark.parametrize("config", ["ddp", "fsdp", "zero3", "zero3_offload"])
def test_two_processes_have_the_losses_of_one(config, one_process, toy_stage, tmp_path):
    if config == "zero3_offload":
        pytest.importorskip("deepspeed")  # compiles two of its parts the first time, which takes minutes
    two_processes = train(toy_stage, tmp_path / "run", config)
    for name, values in one_process.items():
        assert two_processes[name] == pytest.approx(values, rel=1e-4), name
    assert len(one_process["loss"]) == 6
    assert read_json(tmp_path / "run" / "run.json")["steps"] == 6
    assert (tmp_path / "run" / "model.safetensors").is_file()
    assert not (tmp_path / "run" / "staged").exists()
    if config == "ddp":  # in a step: two buckets of gradients; target tokens and requests to stop, from host to host
        assert read_json(toy_stage.parent / "collectives.json") == ["gloo:all_reduce"] * 3
    with safe_open(tmp_path / "run" / "model.safetensors", "pt") as model:
        rows = model.get_slice("model.shared.weight")
        assert rows.get_shape() == [read_json(toy_stage / "student.json")["vocab_size"], 64]
        assert rows.get_dtype() == "F32" and not rows[-1:].any()

    if config.startswith("zero3"):  # stopped after three steps and started again
        shutil.rmtree(tmp_path / "run" / "checkpoint-6")
        (tmp_path / "run" / "run.json").unlink()
        resumed = train(toy_stage, tmp_path / "run", config)
        assert resumed["loss"] == pytest.approx(one_process["loss"], rel=1e-4)
        assert resumed["eval_loss"] == pytest.approx(one_process["eval_loss"], rel=1e-4)


@pytest.mark.parametrize("config", ["single_gpu", "ddp", "fsdp", "zero3", "zero3_offload"])
def test_every_config_is_one_that_accelerate_reads(config):
    path = CONFIGS / f"{config}.yaml"
    loaded = load_config_from_file(str(path))  # refuses unknown keys
    assert loaded.mixed_precision == "no"
    assert f"--config_file recipes/accelerate/{config}.yaml" in path.read_text(encoding="utf-8")
