"""forward_translate.py with a language model: both directions, filters, provenance, a kill, bad input."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from marian_distill.files import read_json
from marian_distill.text.corpus import CorpusSource, load_parallel
from toy_chat import asked, completion, serving
from toy_model import PAIRS

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "forward_translate.py"
PROMPT = ["--prompt", REPOSITORY / "prompts" / "chat.yaml"]
CHINESE, ENGLISH = dict(PAIRS), {zh: en for en, zh in PAIRS}


@pytest.fixture
def corpus(tmp_path):
    rows = "\n".join(f"{en}\t{zh}" for en, zh in PAIRS[:40])
    path = tmp_path / "corpus.tsv"
    path.write_text(f"en\tzh\n{rows}\n", encoding="utf-8")
    return path


def translate(request):
    """What a good model says, with the manners that models have."""
    source = asked(request)
    return completion(f"译文：“{CHINESE[source]}”" if source in CHINESE else f"**{ENGLISH[source]}**\n\nNote: tea.")


@pytest.mark.parametrize("direction", ["en-zh", "zh-en"])
def test_an_endpoint_teaches_both_directions(run_script, corpus, tmp_path, direction):
    with serving(translate) as server:
        options = ["--teacher-endpoint", server.url, *PROMPT, "--dataset", corpus, "--direction", direction]
        done = run_script("forward_translate", *options, "--output-dir", tmp_path / "out", "--chunk-rows", 16)
    assert done.returncode == 0, done.stderr
    assert "rows by origin: teacher 40\nrejected: none" in done.stdout
    assert "sentences/s" in done.stderr
    rows = load_parallel(CorpusSource(str(tmp_path / "out")))
    assert list(zip(rows["en"], rows["zh"], strict=True)) == PAIRS[:40]
    report = read_json(tmp_path / "out" / "forward_translation.json")
    assert (report["backend"], report["teacher"], report["direction"]) == ("endpoint", "toy", direction)
    assert len(report["prompt_sha256"]) == 64


def test_what_is_no_translation_never_becomes_one(run_script, corpus, tmp_path):
    said = {
        PAIRS[0][0]: completion(PAIRS[0][1][:2], finish="length"),
        PAIRS[1][0]: completion("我不能翻译这个句子。"),
        PAIRS[2][0]: completion("我們喜歡茶。"),
        PAIRS[3][0]: completion("I want juice."),
        PAIRS[4][0]: completion("1. 我想要拿铁。\n2. 我要拿铁。"),
    }
    with serving(lambda request: said.get(asked(request)) or translate(request)) as server:
        options = ["--teacher-endpoint", server.url, *PROMPT, "--dataset", corpus, "--output-dir", tmp_path / "out"]
        done = run_script("forward_translate", *options, "--rejected", "drop")
    assert done.returncode == 0, done.stderr
    assert "teacher 35" in done.stdout
    for reason in ("cut 1", "refusal 1", "traditional 1", "untranslated 1", "explanation 1"):
        assert reason in done.stdout
    assert load_parallel(CorpusSource(str(tmp_path / "out")))["en"] == [en for en, _ in PAIRS[5:40]]


@pytest.mark.parametrize("choose", ["meaning", "length"])
def test_the_best_of_several_needs_no_reference(run_script, corpus, tmp_path, choose):
    def say(request):
        assert request["n"] == 2
        return completion("她昨天晚上在图书馆里面看见了三只特别可爱的小猫。", CHINESE[asked(request)])

    with serving(say) as server:
        options = ["--teacher-endpoint", server.url, *PROMPT, "--dataset", corpus, "--output-dir", tmp_path / "out"]
        done = run_script("forward_translate", *options, "--n-best", 2, "--choose", choose)
    assert "teacher 40" in done.stdout, done.stderr
    assert load_parallel(CorpusSource(str(tmp_path / "out")))["zh"] == [zh for _, zh in PAIRS[:40]]


@pytest.mark.parametrize("engine", ["toy_chat_dir", "toy_chat_ct2_dir"])
def test_a_model_on_this_machine_runs_to_the_end(run_script, corpus, tmp_path, engine, request):
    options = ["--teacher-llm", request.getfixturevalue(engine), *PROMPT, "--dataset", corpus, "--max-samples", 6]
    done = run_script("forward_translate", *options, "--output-dir", tmp_path / "out", "--max-new-tokens", 6)
    assert done.returncode == 0, done.stderr  # it knows nothing: what it says is rejected, and the references stay
    assert "reference" in done.stdout
    assert load_parallel(CorpusSource(str(tmp_path / "out"))).num_rows == 6
    report = read_json(tmp_path / "out" / "forward_translation.json")
    assert report["backend"] == ("transformers" if engine == "toy_chat_dir" else "ctranslate2")


def test_kill_9_costs_what_was_in_the_air(corpus, tmp_path):
    held = threading.Event()

    def say(request):
        if len(server.requests) > 24 and not held.is_set():
            held.wait(60)
        return translate(request)

    with serving(say) as server:
        command = [sys.executable, SCRIPT, "--teacher-endpoint", server.url, *PROMPT, "--dataset", corpus]
        command += ["--output-dir", tmp_path / "out", "--chunk-rows", 8, "--concurrency", 4]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}

        def start():
            return subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.PIPE)

        process = start()
        deadline = time.monotonic() + 120
        while len(server.requests) <= 24 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        held.set()
        assert not (tmp_path / "out").exists()
        before = len(server.requests)
        again = start()
        _, stderr = again.communicate(timeout=120)
        assert again.returncode == 0, stderr
        assert len(server.requests) - before == 40 - 24  # three chunks of eight were kept
    rows = load_parallel(CorpusSource(str(tmp_path / "out")))
    assert list(zip(rows["en"], rows["zh"], strict=True)) == PAIRS[:40]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one teacher"),
        (["--teacher-llm", "x", "--teacher-ct2-dir", "y"], "give one teacher"),
        (["--teacher-llm", "nowhere/at-all", "--backend", "vllm"], "--backend: invalid choice: 'vllm'"),
        (["--teacher-llm", "{folder}"], "no tokenizer that transformers can load"),
        (["--teacher-llm", "{folder}", "--backend", "ctranslate2"], "no model.bin"),
        (["--teacher-llm", "{chat}", "--compute-type", "int3"], "--compute-type int3"),
        (["--teacher-llm", "{chat}", "--device", "cuda"], "--device cuda: torch sees no GPU here"),
        (["--teacher-llm", "{chat}", "--prompt", "{folder}/none.yaml"], "no such file"),
        (["--teacher-llm", "{chat}", "--choose", "reverse"], "--choose reverse needs --reverse-ct2-dir"),
        (["--teacher-llm", "{chat}", "--min-quality", "0.5"], "--min-quality needs --choose"),
        (["--teacher-endpoint", "http://127.0.0.1:9/v1"], "cannot be reached"),
    ],
)
def test_mistakes_are_one_line(run_script, corpus, tmp_path, toy_chat_dir, options, message):
    folder = tmp_path / "empty"
    folder.mkdir()
    given = [str(option).format(folder=folder, chat=toy_chat_dir) for option in options]
    prompt = [] if "--prompt" in given else PROMPT
    done = run_script("forward_translate", *prompt, *given, "--dataset", corpus, "--output-dir", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "out").exists()
