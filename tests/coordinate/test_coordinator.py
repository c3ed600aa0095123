"""Whole runs over shards, undisturbed and killed: the same weights, no step twice, nothing left of the shards."""

import shutil

import ctranslate2.converters  # noqa: F401 (once, not in every fork)
import pytest
import transformers.models.qwen2.modeling_qwen2
import transformers.models.qwen3.modeling_qwen3  # noqa: F401

import marian_distill.coordinate.kinds
import marian_distill.export.language_model
import marian_distill.teachers.llm.transformers_engine
import marian_distill.training.caching  # noqa: F401
from kill_points import KILLED, run, warmed_up
from marian_distill.files import read_json, sha256
from toy_coordinated import SCRIPT, write_coordinated, write_settings


@pytest.fixture(scope="module", autouse=True)
def quick():
    with warmed_up():
        yield


@pytest.fixture
def folder(tmp_path, toy_chat_dir):
    write_coordinated(tmp_path, toy_chat_dir)
    return tmp_path


def test_a_killed_run_ends_as_an_undisturbed_one(folder, toy_chat_dir):
    training = {"eval_text": str(folder / "dev.tsv"), "eval_strategy": "steps", "eval_steps": 2}
    training |= {"load_best_model_at_end": True, "early_stopping_patience": 9, "save_total_limit": 2}
    options = [str(write_settings(folder, toy_chat_dir, training=training))]
    output = folder / "run"
    whole = run(options, output, command=SCRIPT)
    assert whole.code == 0, whole.errors
    weights, log = sha256(output / "model" / "model.safetensors"), read_json(output / "model" / "log.json")
    steps = [entry["step"] for entry in log if "loss" in entry]
    assert steps == list(range(1, len(steps) + 1))
    assert (output / "export" / "model.bin").is_file()
    assert list((output / "shards").iterdir()) == []
    for share in (0.45, 0.8):
        shutil.rmtree(output)
        assert run(options, output, round(share * whole.operations), command=SCRIPT).code == KILLED
        again = run(options, output, command=SCRIPT)
        assert again.code == 0, again.errors
        assert sha256(output / "model" / "model.safetensors") == weights
