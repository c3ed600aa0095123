"""A recipe's lines, and its stop, in a workflow of two short stages."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STAGES = Path(__file__).parents[1] / "recipes" / "stages.smk"
SNAKEFILE = """
include: "{stages}"

rule all:
    input: "second"

rule first:
    input: stage="first.yaml"
    output: "first"
    shell: "touch {{output}}"

rule second:
    input: "first", stage="second.yaml"
    output: "second"
    shell: "{python} worker.py {{output}}"
"""
# A command that keeps what it has when it is asked to stop.
WORKER = """
import pathlib, sys, time
from marian_distill.signals import StopRequest
with StopRequest() as stop:
    stop.hold_back()
    pathlib.Path("pid").write_text(str(__import__("os").getpid()))
    while not stop.signal and not pathlib.Path("go").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    if stop.signal:
        pathlib.Path("kept").write_text(stop.signal.name)
        sys.exit(stop.exit_code())
    pathlib.Path(sys.argv[1]).touch()
"""


@pytest.fixture
def recipe(tmp_path: Path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(stages=STAGES, python=sys.executable), encoding="utf-8")
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    (tmp_path / "first.yaml").write_text("expected_minutes: 3\n", encoding="utf-8")
    (tmp_path / "second.yaml").write_text("expected_minutes: 120\n", encoding="utf-8")
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nolock", "--printshellcmds"]
        run = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(run)
        return run

    yield start
    for run in started:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)


def wait_for(path: Path, run: subprocess.Popen) -> None:
    while not path.exists() or not path.read_text(encoding="utf-8"):
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.05)


def test_each_stage_is_a_line_with_its_number_and_the_time_left(recipe, tmp_path):
    (tmp_path / "go").touch()
    run = recipe()
    _, errors = run.communicate(timeout=300)
    lines = [line for line in errors.splitlines() if line]
    assert run.returncode == 0, errors
    assert lines[:3] == [
        "2 stages to run, about 2.1 h",
        "stage 1 of 2: first (about 3 min); left in all: about 2.1 h",
        "    touch first",
    ]
    assert lines[3].startswith("stage 2 of 2: second (about 2.0 h); left in all: ")
    assert lines[4:] == [f"    {sys.executable} worker.py second"]


@pytest.mark.parametrize("how", ["terminal", "SIGINT", "SIGTERM"])
def test_a_stopped_recipe_keeps_its_stages_work_and_says_how_to_go_on(how, recipe, tmp_path):
    run = recipe()
    wait_for(tmp_path / "pid", run)
    if how == "terminal":
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.Signals[how])
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 1
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "SIGINT"
    lines = errors.strip().splitlines()
    assert lines[-1] == "stopped; the same command goes on where it was"
    assert "Traceback" not in errors
    assert len(lines) < 10


def test_a_stage_stops_though_its_workflow_is_killed(recipe, tmp_path):
    run = recipe()
    wait_for(tmp_path / "pid", run)
    stage = psutil.Process(int((tmp_path / "pid").read_text(encoding="utf-8")))
    run.kill()
    stage.wait(timeout=120)
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "SIGTERM"
