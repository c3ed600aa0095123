"""The benchmarks run, at toy size; how fast is not asked here. Marian is left out: it is another environment."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from marian_distill.errors import UserError
from marian_distill.files import read_json
from toy_model import PAIRS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PNG = b"\x89PNG"


def run(name: str, folder: Path, *options: object) -> dict:
    command = [sys.executable, BENCHMARKS / f"{name}.py", "--output-dir", folder, "--threads", 1, *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / f"{name}.png").read_bytes().startswith(PNG)
    return read_json(folder / f"{name}.json")


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, datasets_cache: Path, capfd: pytest.CaptureFixture[str]):
    """Runs a benchmark, and each of its points, in this process: without the seconds that imports take in another."""
    monkeypatch.syspath_prepend(BENCHMARKS)

    def run(name: str, folder: Path, *options: object) -> dict:
        module = importlib.import_module(name)
        command = [f"{name}.py", *map(str, options), "--output-dir", str(folder)]

        def point(what: str, *more: str) -> dict:
            monkeypatch.setattr(sys, "argv", [*command, *more])
            module.main()
            return json.loads(capfd.readouterr().out.splitlines()[-1])

        monkeypatch.setattr(module, "in_a_process", point)
        monkeypatch.setattr(sys, "argv", command)
        module.main()
        assert (folder / f"{name}.png").read_bytes().startswith(PNG)
        return read_json(folder / f"{name}.json")

    return run


@pytest.mark.slow
def test_training_speed(tmp_path, run_here):
    ways = ["reference_settings", "labels"]
    toy = ["--rounds", 1, "--seconds", 1, "--pairs", 1000, "--pieces", 3000, "--tokens-per-batch", 256]
    toy += ["--precision", "fp32"]
    report = run_here("training_speed", tmp_path, *toy, "--threads", 1, "--ways", *ways)
    assert list(report["rounds"]) == list(report["pairs_per_second"]) == ways
    assert list(report["ratios"]) == ["reference_settings"]
    assert min(report["pairs_per_second"].values()) > 0
    assert 0 < report["share_of_limit"] < 1


@pytest.mark.slow
def test_translation_speed(tmp_path, toy_model_dir):
    ways = ["hf_generate", "plain_translate_batch", "ours", "ours_avx2", "ours_no_mkl"]
    toy = ["--model-dir", toy_model_dir, "--rounds", 1, "--sentences", 80]
    report = run("translation_speed", tmp_path, *toy, "--ways", *ways)
    assert list(report["sentences_per_second"]) == ways
    assert report["ratios"].keys() == report["same_text"].keys() == {*ways} - {"ours"}
    assert report["same_text"]["ours_avx2"] == report["same_text"]["ours_no_mkl"] == 1.0
    assert report["machine"]["processor"]
    assert report["latency_ms"]["greedy"]["p50"] <= report["latency_ms"]["greedy"]["p95"]
    assert report["peak_memory_mb"] > 0


@pytest.mark.slow
def test_llm_teacher(tmp_path, toy_chat_dir, toy_chat_ct2_dir):
    rows = "".join(f"{english}\t{chinese}\n" for english, chinese in PAIRS[:12])
    (tmp_path / "test.tsv").write_text(f"en\tzh\n{rows}", encoding="utf-8")
    command = [sys.executable, BENCHMARKS / "llm_teacher.py", "--model-dir", toy_chat_dir]
    command += ["--ct2-dir", toy_chat_ct2_dir]
    command += ["--test-file", tmp_path / "test.tsv", "--output-dir", tmp_path, "--threads", 1, "--rounds", 1]
    command += ["--prompt", BENCHMARKS.parent / "prompts" / "chat.yaml"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ways = read_json(tmp_path / "llm_teacher.json")["ways"]
    assert list(ways) == ["generate", "ours_transformers", "ours_ctranslate2"]
    assert ways["generate"]["same_as_generate"] == 1.0
    assert all(way["sentences_per_second"] > 0 for way in ways.values())


@pytest.mark.slow
def test_scaling(tmp_path, run_here):
    report = run_here("scaling", tmp_path, "--toy", "--threads", 1)
    assert report["machine"]["cores"] >= 1
    curves = report["curves"].values()
    assert {len(points) for points in curves} == {1}
    assert all(point["seconds"] > 0 and point["peak_memory_mb"] > 0 for points in curves for point in points)


@pytest.mark.slow
def test_ablations(toy_stage, tmp_path, distill, monkeypatch, capsys):
    """The runs of ways are commands of their own; here they run in this one, without the seconds of imports."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    ablations = importlib.import_module("ablations")

    def run_here(command: list[str], **_) -> subprocess.CompletedProcess:
        return subprocess.CompletedProcess(command, distill(*command[2:]), stderr="")

    streams = {"DEVNULL": subprocess.DEVNULL, "PIPE": subprocess.PIPE}
    monkeypatch.setattr(ablations, "subprocess", SimpleNamespace(run=run_here, **streams))
    toy = ["--dataset", toy_stage / "train.tsv", "--eval-dataset", toy_stage / "dev.tsv", "--seconds", 1]
    toy += ["--pieces", 380, "--calibration-steps", 2, "--max-eval-samples", 4, "--tokens-per-batch", 256]
    path = tmp_path / "ablations" / "ablations.json"

    def run_ways(*ways: str) -> dict:
        options = ["--output-dir", path.parent, *toy, "--ways", *ways]
        monkeypatch.setattr(sys, "argv", ["ablations.py", *map(str, options)])
        ablations.main()
        return read_json(path)["ways"]

    before = run_ways("labels")["labels"]
    capsys.readouterr()
    ways = run_ways("labels", "ema")
    assert ways["labels"] == before  # not run again
    assert "--ema-decay" in ways["ema"]["options"]
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()]
    assert rows[-2:] == ["| labels", "| ema"]
    for refused in (["reverse_kl"], ["labels", "--init-from-teacher"]):
        with pytest.raises(UserError, match="needs --teacher-model"):
            run_ways(*refused)


@pytest.mark.slow
def test_serving(tmp_path, toy_ct2_dir):
    toy = ["--model-dir", toy_ct2_dir, "--rounds", 1, "--seconds", 1, "--clients", 4, "--memory-requests", 1200]
    report = run("serving", tmp_path, *toy)
    ours, alone = (report["points"][f"4 clients, {way}"] for way in ("ours", "one call a request"))
    assert ours["batch_sentences"] > 1 == alone["batch_sentences"]
    assert ours["p50_ms"] <= ours["p99_ms"]
    assert report["memory"][-1]["requests"] >= 1200
    assert (tmp_path / "serving_memory.png").read_bytes().startswith(PNG)
