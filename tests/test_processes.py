"""Two processes train as one does with the same global batch, also where they share out the weights."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from safetensors import safe_open

from marian_distill.files import read_json
from toy_training import COMMAND, stage_options, write_student_config
from warm_commands import warm_commands

CONFIGS = Path(__file__).parents[1] / "recipes" / "accelerate"
LAUNCH = Path(__file__).with_name("launch_on_cpus.py")
PROCESSES = 2
Log = dict[str, list[float]]


@pytest.fixture(scope="module")
def environment(toy_stage, tmp_path_factory) -> Iterator[dict[str, str]]:
    """In which `uv run FILE …` starts at once: a dozen processes would import torch for longer than they train."""
    variables = os.environ | {"COLLECTIVES": str(toy_stage.parent)}
    with warm_commands(tmp_path_factory.mktemp("p") / "warm", variables) as environment:
        yield environment


def train(stage: Path, output: Path, config: str | None, environment: dict[str, str]) -> Log:
    """Train in one process, or in two under an accelerate config; each logged number by its name."""
    student = stage.parent / "no-dropout.json"
    write_student_config(student, vocab_size=read_json(stage / "student.json")["vocab_size"], dropout=0.0)
    options = {"student_config": student, "tokens_per_batch": 200, "max_steps": 6, "save_steps": 3, "seed": 5}
    options |= {"source_noise": 0.3, "final_stop_share": 0.3}
    arguments = stage_options(stage, output, **options, gradient_accumulation_steps=1 if config else 2, use_cpu=True)
    if config is None:
        run([["uv", "run", COMMAND, *arguments]], [environment])
    elif config == "zero3_offload":  # works on CPUs as it is
        launch = ["-m", "accelerate.commands.accelerate_cli", "launch", "--main_process_port", 0]
        launch += ["--config_file", CONFIGS / f"{config}.yaml", COMMAND]
        run([[sys.executable, *launch, *arguments, "--ddp-backend=gloo"]], [environment])
    else:
        command = ["uv", "run", LAUNCH, CONFIGS / f"{config}.yaml", *arguments, "--ddp-backend=gloo"]
        run([command] * PROCESSES, [environment | place for place in places()])
    log = read_json(output / "log.json")
    names = ("loss", "cross_entropy", "grad_norm", "eval_loss")
    return {name: [entry[name] for entry in log if name in entry] for name in names}


def places() -> list[dict[str, str]]:
    """What torch.distributed reads in each process of a run on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": str(PROCESSES), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [{"RANK": str(rank), "LOCAL_RANK": str(rank)} | common for rank in range(PROCESSES)]


def run(commands: list[list[object]], environments: list[dict[str, str]]) -> None:
    """Run commands side by side to their ends."""
    running = [
        subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.PIPE, text=True)
        for command, environment in zip(commands, environments, strict=True)
    ]
    errors = [process.communicate(timeout=900)[1] for process in running]
    assert [process.returncode for process in running] == [0] * len(running), "\n".join(errors)


@pytest.fixture(scope="module")
def one_process(toy_stage, tmp_path_factory, environment) -> Log:
    return train(toy_stage, tmp_path_factory.mktemp("one") / "run", None, environment)


@pytest.mark.slow
@pytest.mark.parametrize("config", ["ddp", "fsdp", "zero3", "zero3_offload"])
def test_two_processes_have_the_losses_of_one(config, one_process, toy_stage, tmp_path, environment):
    if config == "zero3_offload":
        pytest.importorskip("deepspeed")  # compiles two of its parts the first time, which takes minutes
    two_processes = train(toy_stage, tmp_path / "run", config, environment)
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
        resumed = train(toy_stage, tmp_path / "run", config, environment)
        assert resumed["loss"] == pytest.approx(one_process["loss"], rel=1e-4)
        assert resumed["eval_loss"] == pytest.approx(one_process["eval_loss"], rel=1e-4)


@pytest.mark.parametrize("config", ["single_gpu", "ddp", "fsdp", "zero3", "zero3_offload"])
def test_every_config_is_one_that_accelerate_reads(config):
    path = CONFIGS / f"{config}.yaml"
    loaded = load_config_from_file(str(path))  # refuses unknown keys
    assert loaded.mixed_precision == "no"
    assert f"--config_file recipes/accelerate/{config}.yaml" in path.read_text(encoding="utf-8")
