"""scripts/train_causal_lm.py and its tokenizer, at toy size: whole, killed and resumed, adapted, refused."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from marian_distill.files import read_json
from toy_language_model import TEXTS, VOCAB_SIZE, write_toy_config, write_toy_text, write_toy_tokenizer
from toy_model import PAIRS, write_tokenizer
from toy_training import COMMAND, write_tsv

SCRIPT = COMMAND.parent / "scripts" / "train_causal_lm.py"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """text.txt, pairs.tsv, tokenizer/, student.json."""
    folder = tmp_path_factory.mktemp("causal-stage")
    write_toy_text(folder / "text.txt")
    write_tsv(folder / "pairs.tsv", PAIRS)
    write_toy_tokenizer(folder / "tokenizer")
    write_toy_config(folder / "student.json")
    return folder


def options(stage: Path, output_dir: Path, **changes) -> list[str]:
    defaults = {
        "student_config": stage / "student.json",
        "tokenizer_dir": stage / "tokenizer",
        "text": stage / "text.txt",
        "output_dir": output_dir,
        "holdout_share": 0.1,
        "max_steps": 6,
        "logging_steps": 1,
        "save_steps": 3,
        "learning_rate": 0.01,
        "packed_length": 32,
        "tokens_per_batch": 256,
        "continuation_tokens": 4,
        "disable_tqdm": True,
        "precision": "fp32",
        "attention": "sdpa",
    }
    chosen = {name: value for name, value in {**defaults, **changes}.items() if value is not None}
    return [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_a_model_from_text(stage, run_script, tmp_path):
    done = run_script("train_causal_lm", *options(stage, tmp_path / "run", max_steps=20, save_steps=100))
    assert done.returncode == 0, done.stderr
    run = read_json(tmp_path / "run" / "run.json")
    log = read_json(tmp_path / "run" / "log.json")
    losses = [entry["loss"] for entry in log if "loss" in entry]
    assert losses[-1] < 0.8 * losses[0]
    metrics = run["metrics"]
    text = sum(len(text.encode()) + 1 for text in TEXTS)
    assert run["data"]["bytes"] + run["data"]["eval_bytes"] == text
    assert metrics["eval_bpb"] < 8
    assert metrics["eval_perplexity"] == pytest.approx(torch.tensor(metrics["eval_loss"]).exp().item(), rel=1e-5)
    assert "▸" in (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    assert "bits per byte" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run")
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "run").config.eos_token_id == tokenizer.eos_token_id
    assert (
        "is finished"
        in run_script("train_causal_lm", *options(stage, tmp_path / "run", max_steps=20, save_steps=100)).stderr
    )


def test_killed_and_resumed_is_undisturbed_to_the_last_bit(stage, run_script, tmp_path):
    assert run_script("train_causal_lm", *options(stage, tmp_path / "whole")).returncode == 0
    killed = tmp_path / "killed"
    command = [sys.executable, str(SCRIPT), *options(stage, killed, max_steps=6)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not (killed / "checkpoint-3" / "trainer_state.json").is_file() and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.wait()
    assert not (killed / "run.json").exists()
    done = run_script("train_causal_lm", *options(stage, killed))
    assert done.returncode == 0, done.stderr
    assert "going on from step 3" in done.stderr
    whole, resumed = weights(tmp_path / "whole"), weights(killed)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_accumulated_steps_are_those_of_one_large_batch(stage, run_script, tmp_path):
    def gradient(name: str, **batches) -> float:
        run = options(stage, tmp_path / name, max_steps=1, max_train_samples=60, **batches)
        assert run_script("train_causal_lm", *run).returncode == 0
        return read_json(tmp_path / name / "log.json")[0]["grad_norm"]

    at_once = gradient("one", tokens_per_batch=32 * 1000)
    rows = read_json(tmp_path / "one" / "run.json")["data"]["rows"]
    one_by_one = gradient("many", tokens_per_batch=32, gradient_accumulation_steps=rows)
    assert one_by_one == pytest.approx(at_once, rel=1e-4)


def test_adapters_are_merged(stage, run_script, tmp_path):
    pytest.importorskip("peft")
    assert run_script("train_causal_lm", *options(stage, tmp_path / "base")).returncode == 0
    onward = options(
        stage,
        tmp_path / "adapted",
        student_config=None,
        tokenizer_dir=None,
        student_model=tmp_path / "base",
        lora_rank=4,
    )
    done = run_script("train_causal_lm", *onward)
    assert done.returncode == 0, done.stderr
    base, adapted = weights(tmp_path / "base"), weights(tmp_path / "adapted")
    assert base.keys() == adapted.keys()
    changed = {name for name in base if not torch.equal(base[name], adapted[name])}
    assert changed == {name for name in base if "proj" in name}


def test_a_translator(stage, run_script, tmp_path):
    pairs = options(stage, tmp_path / "run", text=stage / "pairs.tsv", direction="both", packed_length=64, max_steps=2)
    done = run_script("train_causal_lm", *pairs)
    assert done.returncode == 0, done.stderr
    data = read_json(tmp_path / "run" / "run.json")["data"]
    assert data["samples"] + data["eval_samples"] == 2 * len(PAIRS)
    card = ModelCard.load(tmp_path / "run" / "README.md")
    assert (card.data.language, card.data.pipeline_tag) == (["en", "zh"], "translation")
    assert card.data.tags == ["qwen3", "en-zh", "zh-en"]
    assert {one.metric_type for one in card.data.eval_results} == {"perplexity", "bpb"}


@pytest.mark.parametrize("direction", ["none", "zh-en"])
def test_the_snippet_of_the_card_runs(direction, stage, run_script, tmp_path, monkeypatch):
    text = {"text": stage / "pairs.tsv", "packed_length": 64}
    done = run_script("train_causal_lm", *options(stage, tmp_path / "run", direction=direction, max_steps=1, **text))
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert str(tmp_path) not in card
    snippet = card.partition("```python\n")[2].partition("```")[0]
    assert ('"我们喜欢茶。", ">>eng<<"' in snippet) == (direction == "zh-en")
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(snippet, {})  # noqa: S102 (our own)
    assert said.getvalue().endswith("\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, "--text is missing"),
        ({"text": "absent.txt"}, "absent.txt: no such file"),
        ({"student_model": "somewhere"}, "give either --student-config"),
        ({"tokenizer_dir": None}, "--tokenizer-dir is missing"),
        ({"packed_length": 100}, "--packed-length 100: this model's context is 64 tokens"),
        ({"lora_rank": 4}, "--lora-rank adapts a trained model"),
        ({"alpha_ce": 0.5}, "need a teacher: give --teacher-model"),
        ({"hidden_matching": 0.5}, "need a teacher: give --teacher-model"),
        ({"tekst": "x"}, "unknown option --tekst; did you mean --text?"),
        ({"vocab_size": 300}, "vocab_size 300, but the tokenizer"),
    ],
)
def test_a_mistake_is_one_line(changes, message, stage, run_script, tmp_path):
    done = run_script("train_causal_lm", *options(stage, tmp_path / "run", **changes))
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert not (tmp_path / "run").exists()


def test_a_tokenizer_of_another_kind(stage, run_script, tmp_path):
    write_tokenizer(tmp_path / "spm")
    done = run_script("train_causal_lm", *options(stage, tmp_path / "run", tokenizer_dir=tmp_path / "spm"))
    assert done.returncode == 2
    assert "holds the SentencePiece tokenizer of a Marian or a liquid model" in done.stderr


def test_a_config_of_another_kind(stage, run_script, tmp_path):
    write_toy_config(tmp_path / "other.json", model_type="marian")
    done = run_script("train_causal_lm", *options(stage, tmp_path / "run", student_config=tmp_path / "other.json"))
    assert done.returncode == 2
    assert "expected 'qwen3'" in done.stderr


def test_the_tokenizer_script(stage, run_script, tmp_path):
    words = ("--text", stage / "text.txt", "--vocab-size", VOCAB_SIZE, "--output-dir", tmp_path / "bpe")
    done = run_script("train_bpe_tokenizer", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{VOCAB_SIZE} tokens")
    written = {path.name: path.read_bytes() for path in (tmp_path / "bpe").glob("tokenizer*.json")}
    assert run_script("train_bpe_tokenizer", *words).returncode == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "bpe").glob("tokenizer*.json")} == written
    done = run_script("train_bpe_tokenizer", *words[:2], "--vocab-size", 8000, "--output-dir", tmp_path / "large")
    assert done.returncode == 2
    assert "the text has no more than" in done.stderr
    assert not (tmp_path / "large").exists()
