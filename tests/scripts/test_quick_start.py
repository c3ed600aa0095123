"""quick_start.py without any weights: 100 sentences end to end, and a plan."""

import re

import pytest
import torch

from kill_points import warmed_up
from marian_distill.coordinate.estimate import gpu_hours, whole_run
from marian_distill.coordinate.sample import Measured
from marian_distill.files import read_json
from toy_training import COMMAND


def test_without_weights_it_runs_from_the_environment_to_a_plan(run_script, monkeypatch, tmp_path):
    monkeypatch.chdir(COMMAND.parent)
    with warmed_up():
        done = run_script("quick_start", "--mode", "test", "--output-dir", tmp_path / "quick")
    assert done.returncode == 0, done.stderr
    assert f"torch {torch.__version__}" in done.stderr
    assert (tmp_path / "quick/run/export/model.bin").is_file()
    assert read_json(tmp_path / "quick/run/model/run.json")["data"]["plan"]["corpora"][0]["rows"] == 100
    assert re.search(r"worked out from 100 rows \(an estimate\): 26,000,000 rows", done.stdout)
    for line in ("labels", "logits", "training", "disk", "memory", "8 B      H100"):
        assert re.search(rf"^  {line} +\S", done.stdout, re.MULTILINE), line
    again = run_script("quick_start", "--mode", "test", "--output-dir", COMMAND.parent / "docs")
    assert (again.returncode, "no run of this command" in again.stderr) == (2, True)


def test_a_plan_is_the_sample_times_its_size():
    measured = Measured(
        rows=100, pairs=90, target_tokens=2000, label_seconds=36.0, logit_seconds=72.0, shard_bytes=50_000,
        train_tokens_a_pair=40.0, train_tokens_a_second=100.0, checkpoint_bytes=7, memory_bytes=1, export_bytes=1,
    )  # fmt: skip
    whole = whole_run(measured, 10_000, 1_000)
    assert (whole.label_hours, whole.logit_hours, whole.train_hours) == (1.0, 2.0, 1.0)
    assert (whole.hours, whole.hours_beside) == (4.0, 3.0)
    assert (whole.shards_bytes, whole.all_bytes) == (1_000_000, 5_000_000)
    labels, logits = gpu_hours(1e9, 1e15, 3_600)
    assert labels == pytest.approx(2e9 * 50 / (1e15 * 0.1))
    assert logits == pytest.approx(2e9 * 110 / (1e15 * 0.3))
