import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from marian_distill.files import read_json, sha256
from marian_distill.teachers.cache import MANIFEST, UNFINISHED, TeacherCache
from marian_distill.tokenizer_file import TokenizerFile
from toy_language_model import TEXTS, write_toy_config, write_toy_text
from toy_model import PAIRS, write_model
from toy_training import COMMAND, run_in_process, stage_options, write_tsv

SCRIPT = COMMAND.parent / "scripts" / "cache_teacher_logits.py"
TEACHING = {"alpha_ce": 0.5, "temperature": 2.0, "final_stop_share": 0.0, "tag_share": 1.0}


@pytest.fixture
def text(tmp_path) -> Path:
    return write_tsv(tmp_path / "text.tsv", PAIRS)


def losses_of(run: Path) -> list[float]:
    return [entry["loss"] for entry in read_json(run / "log.json") if "loss" in entry]


def test_a_stage_learns_from_a_cache_as_from_its_teacher(run_script, monkeypatch, toy_stage, toy_model_dir, tmp_path):
    done = run_script(
        "cache_teacher_logits", "--teacher-model", toy_model_dir, "--dataset", toy_stage / "train.tsv",
        "--output-dir", tmp_path / "cache", "--shard-size", 40, "--kind", "top-k", "--k", 6,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "96 examples" in done.stdout
    student = write_model(tmp_path / "student", seed=5)
    common = {"student_config": None, "student_model": student, "eval_dataset": None, "eval_strategy": "no"}
    found = []
    for name, ways in {
        "live": {"teacher_model": toy_model_dir, "teacher_top_k": 6},
        "cached": {"teacher_cache": tmp_path / "cache"},
    }.items():
        options = stage_options(toy_stage, tmp_path / name, **common, **TEACHING, **ways)
        assert run_in_process(COMMAND, options, monkeypatch) == 0
        found.append(losses_of(tmp_path / name))
    assert found[1] == pytest.approx(found[0], rel=3e-3)
    options = stage_options(toy_stage, tmp_path / "other", **common, **{**TEACHING, "temperature": 3.0}, **ways)
    assert run_in_process(COMMAND, options, monkeypatch) == 2


def test_killed_with_sigkill_it_goes_on_to_the_same_bytes(run_script, text, toy_model_dir, tmp_path):
    words = ["--teacher-model", toy_model_dir, "--dataset", text, "--shard-size", 20, "--kind", "random", "--k", 12]
    assert run_script("cache_teacher_logits", *words, "--output-dir", tmp_path / "undisturbed").returncode == 0
    killer = (
        "import os, runpy, sys, marian_distill.teachers.cache as cache\n"
        "write = cache._write_shard\n"
        "def die(path, *rest):\n"
        "    write(path, *rest)\n"
        "    if '00002' in path.name: os.kill(os.getpid(), 9)\n"
        "cache._write_shard = die\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    command = [sys.executable, "-c", killer, SCRIPT, *words, "--output-dir", tmp_path / "cache"]
    killed = subprocess.run(
        list(map(str, command)), capture_output=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    unfinished = tmp_path / f"cache{UNFINISHED}"
    assert len(read_json(unfinished / MANIFEST)["shards"]) == 2
    assert not (tmp_path / "cache").exists()
    assert run_script("cache_teacher_logits", *words, "--output-dir", tmp_path / "cache").returncode == 0
    assert not unfinished.exists()
    undisturbed = {path.name: sha256(path) for path in (tmp_path / "undisturbed").iterdir()}
    assert {path.name: sha256(path) for path in (tmp_path / "cache").iterdir()} == undisturbed


def test_parts_of_a_corpus_and_longer_examples(run_script, text, toy_model_dir, tmp_path):
    words = ["--teacher-model", toy_model_dir, "--dataset", text]
    for name, part in {"first": ["--max-samples", 30], "rest": ["--start-from", 30]}.items():
        assert run_script("cache_teacher_logits", *words, *part, "--output-dir", tmp_path / name).returncode == 0
    assert len(TeacherCache([tmp_path / "first"])) == 30
    assert len(TeacherCache([tmp_path / "first", tmp_path / "rest"])) == len(PAIRS)
    done = run_script("cache_teacher_logits", *words, "--max-seq-len", 12, "--output-dir", tmp_path / "short")
    assert done.returncode == 0
    assert 0 < len(TeacherCache([tmp_path / "short"])) < len(PAIRS)


def test_int8_weights_say_nearly_the_same(run_script, text, toy_model_dir, tmp_path):
    words = [
        "--teacher-model",
        toy_model_dir,
        "--dataset",
        text,
        "--max-samples",
        20,
        "--kind",
        "top-k",
        "--temperature",
        1,
    ]
    values = []
    for options in ([], ["--int8"]):
        folder = tmp_path / ("int8" if options else "fp32")
        assert run_script("cache_teacher_logits", *words, *options, "--output-dir", folder).returncode == 0
        cache = TeacherCache([folder])
        lengths = cache._shard(0).offsets[1:] - cache._shard(0).offsets[:-1]
        values.append(cache.read(np.arange(len(cache)), lengths)[1].astype(float)[:, 0])
    assert (values[0] != values[1]).any()
    assert values[0] == pytest.approx(values[1], abs=0.01)


# Language models


def train_writer(monkeypatch, tmp_path, name: str, *options: object) -> tuple[int, list[float]]:
    config = write_toy_config(tmp_path / "config.json")
    common = [
        "--student-config", config, "--max-steps", 3, "--logging-steps", 1, "--packed-length", 24, "--alpha-ce", 0.3,
        "--temperature", 2, "--precision", "fp32", "--attention", "sdpa", "--holdout-share", 0,
        "--disable-tqdm", "true",
        "--eval-strategy", "no", "--continuation-tokens", 0, "--output-dir", tmp_path / name,
    ]  # fmt: skip
    code = run_in_process(COMMAND.parent / "scripts" / "train_causal_lm.py", [*common, *options], monkeypatch)
    return code, losses_of(tmp_path / name) if code == 0 else []


def test_a_language_model_learns_from_a_cache_as_from_its_teacher(run_script, monkeypatch, toy_writer_dir, tmp_path):
    text = write_toy_text(tmp_path / "text.txt")
    done = run_script(
        "cache_teacher_logits", "--teacher-model", toy_writer_dir, "--dataset", text, "--direction", "none",
        "--max-seq-len", 24, "--kind", "top-k", "--k", 6, "--output-dir", tmp_path / "cache",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    common = ["--tokenizer-dir", toy_writer_dir, "--text", text]
    live = train_writer(monkeypatch, tmp_path, "a", *common, "--teacher-model", toy_writer_dir, "--teacher-top-k", 6)
    cached = train_writer(monkeypatch, tmp_path, "b", *common, "--teacher-cache", tmp_path / "cache")
    assert live[0] == cached[0] == 0
    assert len(live[1]) == 3
    assert cached[1] == pytest.approx(live[1], rel=3e-3)


def test_a_student_with_some_of_the_teachers_tokens_learns_to_translate_from_its_prompt(
    run_script, monkeypatch, text, toy_writer_dir, tmp_path
):
    chinese = tmp_path / "some.txt"
    chinese.write_text("".join(f"{line}\n" for line in TEXTS[::3]), encoding="utf-8")
    trimmed, cache = tmp_path / "trimmed", tmp_path / "cache"
    done = run_script(
        "trim_tokenizer",
        "--tokenizer-dir",
        toy_writer_dir,
        "--text",
        chinese,
        "--min-count",
        3,
        "--output-dir",
        trimmed,
    )
    assert done.returncode == 0, done.stderr
    sizes = TokenizerFile(trimmed).size, TokenizerFile(toy_writer_dir).size
    assert sizes[0] < sizes[1]
    (tmp_path / "prompt.txt").write_text("Say in {language}: {source}\n", encoding="utf-8")
    done = run_script(
        "cache_teacher_logits", "--teacher-model", toy_writer_dir, "--tokenizer-dir", trimmed, "--dataset", text,
        "--direction", "both", "--prompt-file", tmp_path / "prompt.txt", "--max-seq-len", 48, "--output-dir", cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the student's tokenizer lacks pieces" in done.stdout
    assert read_json(cache / MANIFEST)["prompt"] == "Say in {language}: {source}\n"
    code, losses = train_writer(
        monkeypatch, tmp_path, "run", "--tokenizer-dir", trimmed, "--text", text, "--direction", "both",
        "--packed-length", 48, "--teacher-cache", cache, "--learning-rate", 0.01,
    )  # fmt: skip
    assert code == 0
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--k", 100_000], "--k 100000: the vocabulary has"),
        (["--start-from", 100_000], "no examples are left"),
        (["--direction", "none"], "are for language models"),
        (["--teacher-model", "/nowhere/model"], "/nowhere/model"),
        (["--tokenizer-dir", "@writer@"], "source.spm"),
        (["--device", "cuda"], "--device cuda"),
    ],
)
def test_a_mistake_is_one_line(options, message, run_script, text, toy_model_dir, toy_writer_dir, tmp_path):
    options = [toy_writer_dir if option == "@writer@" else option for option in options]
    done = run_script(
        "cache_teacher_logits", "--teacher-model", toy_model_dir, "--dataset", text,
        "--output-dir", tmp_path / "cache", *options,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    assert not (tmp_path / "cache").exists()
