"""Whole runs over shards, undisturbed and killed: the same weights, no step twice, nothing left of the shards."""

import shutil

import ctranslate2.converters  # noqa: F401 (once, not in every fork)
import pytest
import transformers.models.qwen2.modeling_qwen2
import transformers.models.qwen3.modeling_qwen3  # noqa: F401
import yaml

import marian_distill.coordinate.kinds
import marian_distill.export.language_model
import marian_distill.teachers.llm.transformers_engine
import marian_distill.training.caching  # noqa: F401
from kill_points import KILLED, run, warmed_up
from marian_distill.files import read_json, sha256
from toy_coordinated import SCRIPT, settings_of, write_coordinated, write_settings


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
    assert read_json(output / "model" / "run.json")["data"]["samples"] == 60
    for share in (0.45, 0.8):
        shutil.rmtree(output)
        assert run(options, output, round(share * whole.operations), command=SCRIPT).code == KILLED
        again = run(options, output, command=SCRIPT)
        assert again.code == 0, again.errors
        assert sha256(output / "model" / "model.safetensors") == weights


def write_pair_run(folder, stage, teacher, **training):
    """An encoder-decoder that learns from a Marian teacher's logits, with no labels but the corpus's own."""
    training = {
        "student_config": str(stage / "student.json"),
        "learning_rate": 0.01,
        "tokens_per_batch": 120,
        "precision": "fp32",
        "attention": "eager",
        "eval_dataset": str(folder / "dev.tsv"),
        "eval_strategy": "steps",
        "logging_steps": 1,
        "save_total_limit": 2,
        "disable_tqdm": True,
        **training,
    }
    settings = settings_of(folder, teacher, prompt=None, labels=None, training=None, tokenizer=None, logits=None)
    settings |= {"tokenizer": {"dir": str(stage / "tokenizer")}, "training": training}
    settings["logits"] = {"temperature": 2.0, "k": 6, "exact": 3}
    path = folder / "pairs.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return [str(path)]


def test_pairs_learn_from_a_translators_logits_until_patience_ends(folder, toy_stage, toy_model_dir):
    whole = run(write_pair_run(folder, toy_stage, toy_model_dir, eval_steps=2), folder / "run", command=SCRIPT)
    assert whole.code == 0, whole.errors
    steps = [entry for entry in read_json(folder / "run" / "model" / "log.json") if "loss" in entry]
    # A target whose final stop was drawn otherwise is its label's alone.
    assert all(entry["taught_share"] > 0.5 for entry in steps)
    assert steps[-1]["learning_rate"] < steps[0]["learning_rate"] / 3  # one schedule
    shutil.rmtree(folder / "run")
    changes = {"learning_rate": 3.0, "eval_steps": 1, "early_stopping_patience": 2, "load_best_model_at_end": True}
    options = write_pair_run(folder, toy_stage, toy_model_dir, save_steps=1, **changes)
    ended = run(options, folder / "run", command=SCRIPT)
    assert ended.code == 0, ended.errors
    log = read_json(folder / "run" / "model" / "log.json")
    assert max(entry["step"] for entry in log) < len(steps)
    losses = [entry["eval_loss"] for entry in log if "eval_loss" in entry]
    assert losses[-1] == min(losses)  # the best weights, not the last
    assert (folder / "run" / "export" / "model.bin").is_file()
