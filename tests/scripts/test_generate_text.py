"""scripts/generate_text.py: prompts, files, pipes, timing; without torch for CTranslate2. Measures beside it."""

import io
import subprocess
import sys

import pytest

from marian_distill.files import read_json
from toy_language_model import TEXTS
from toy_training import COMMAND

SCRIPT = COMMAND.parent / "scripts" / "generate_text.py"


@pytest.fixture(params=["ct2", "hf"])
def folder(request, toy_writer_dir, toy_writer_ct2_dir):
    return toy_writer_ct2_dir if request.param == "ct2" else toy_writer_dir


def test_a_prompt_and_what_it_cost(folder, run_script, tmp_path):
    words = ("--prompt", "We", "--temperature", 0, "--max-new-tokens", 24, "--threads", 1)
    done = run_script("generate_text", folder, *words, "--timing", "--json", tmp_path / "cost.json")
    assert done.returncode == 0, done.stderr
    assert f"We{done.stdout.rstrip()}" in TEXTS
    assert "tokens a second" not in done.stdout
    assert "first token after" in done.stderr
    report = read_json(tmp_path / "cost.json")
    assert report["tokens"] > 2
    assert report["peak_memory_mb"] > 10


def test_stop_strings_end_the_text(folder, run_script):
    done = run_script(
        "generate_text", folder, "--prompt", "We", "--temperature", 0, "--stop", " ", ".", "--threads", 1
    )
    assert "." not in done.stdout
    assert done.stdout.strip() in ("", *(text.split()[1] for text in TEXTS if " " in text))


def test_a_file_has_a_line_for_a_line(folder, run_script, tmp_path):
    (tmp_path / "prompts.txt").write_text("We\n\n我\n", encoding="utf-8")
    words = ("--input-file", tmp_path / "prompts.txt", "--output-file", tmp_path / "texts.txt", "--seed", 3)
    assert run_script("generate_text", folder, *words, "--max-new-tokens", 8, "--threads", 1).returncode == 0
    assert (tmp_path / "texts.txt").read_text(encoding="utf-8").count("\n") == 3


def test_a_pipe_is_answered_line_by_line(toy_writer_ct2_dir, run_script, monkeypatch):
    class Pipe:
        buffer = io.BytesIO(b"We\nI\n")

        def isatty(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", Pipe())
    done = run_script("generate_text", toy_writer_ct2_dir, "--temperature", 0, "--max-new-tokens", 24, "--threads", 1)
    assert [f"{start}{rest}" in TEXTS for start, rest in zip(("We", "I"), done.stdout.splitlines(), strict=True)] == [
        True,
        True,
    ]


def test_ctranslate2_needs_no_torch(toy_writer_ct2_dir):
    code = (
        "import sys, runpy; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'datasets')));"
        f"sys.argv = ['generate_text', {str(toy_writer_ct2_dir)!r}, '--prompt', 'We', '--max-new-tokens', '4'];"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_measures_of_several_folders(toy_writer_dir, toy_writer_ct2_dir, run_script, tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(TEXTS[:12]), encoding="utf-8")
    words = ("--text", tmp_path / "text.txt", "--json", tmp_path / "report.json")
    done = run_script("evaluate_causal_lm", toy_writer_dir, toy_writer_ct2_dir, *words)
    assert done.returncode == 0, done.stderr
    trained, exported = read_json(tmp_path / "report.json")["models"]
    assert trained["bits_per_byte"] == pytest.approx(exported["bits_per_byte"], abs=1e-3)
    assert trained["tokens"] == exported["tokens"]
    assert len(done.stdout.splitlines()) == 3
