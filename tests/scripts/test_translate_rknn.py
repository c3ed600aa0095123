import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(name, *options, stdin=b""):
    command = [sys.executable, str(SCRIPTS / name), *map(str, options)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120)


def test_text_a_pipe_and_a_file(toy_bundle_dir, tmp_path):
    result = run("translate_rknn.py", "--model-dir", toy_bundle_dir, "--text", "We like tea.")
    assert (result.returncode, result.stdout.decode(), result.stderr) == (0, "我们喜欢茶。\n", b"")
    result = run("translate_rknn.py", "--model-dir", toy_bundle_dir, "--beam-size", 3, stdin=b"We like tea.\n\n")
    assert result.stdout.decode() == "我们喜欢茶。\n\n"
    (tmp_path / "en.txt").write_text("We like tea.\nI want water.\n", encoding="utf-8")
    files = ("--input-file", tmp_path / "en.txt", "--output-file", tmp_path / "zh.txt")
    assert run("translate_rknn.py", "--model-dir", toy_bundle_dir, *files).returncode == 0
    assert (tmp_path / "zh.txt").read_text(encoding="utf-8") == "我们喜欢茶。\n我想要水。\n"


def test_the_benchmark_writes_figures_to_send_back(toy_bundle_dir, tmp_path):
    options = ("--model-dir", toy_bundle_dir, "--json", tmp_path / "out.json", "--repeats", 2)
    result = run("benchmark_rknn.py", *options)
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["sentences"] == 16
    assert f"{report['encoder_ms']['p50']:.2f} ms median" in result.stdout.decode()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("translate_rknn.py", ("--model-dir", "absent", "--text", "x"), "absent: no bundle.json here"),
        ("translate_rknn.py", ("--text", "x", "--input-file", "y"), "give --text or --input-file, not both"),
        ("benchmark_rknn.py", ("--model-dir", "absent", "--json", "out.json"), "absent: no bundle.json here"),
        ("pack_board.py", ("absent", "--output", "out.tar.gz"), "absent: no bundle.json here"),
        ("pack_board.py", ("absent", "--output", "out.zip"), "out.zip: expected a name that ends in .tar.gz"),
        ("export_onnx.py", ("absent", "--output-dir", "out"), "absent: no such folder"),
        ("export_rknn.py", ("absent", "--output-dir", "out"), "absent: no such folder"),
        ("export_rknn.py", ("absent", "--target", "rv1126", "--output-dir", "out"), "give --target rv1126b"),
        (
            "export_rknn.py",
            ("absent", "--target", "rk9999", "--output-dir", "out"),
            "'rk9999': expected rv1126b",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(name, options, message, tmp_path, run_script, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_script(name.removesuffix(".py"), *options)
    assert result.returncode == 2
    *notes, line = result.stderr.splitlines()
    assert len(notes) <= 1  # "no dev set at hand"
    assert line.startswith("error: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_pack_runs_where_there_is_nothing_else(toy_bundle_dir, tmp_path):
    """The whole way of a board, with ONNX Runtime in the place of the NPU: unpack, install, translate, time."""
    archive = tmp_path / "toy.tar.gz"
    assert run("pack_board.py", toy_bundle_dir, "--output", archive).returncode == 0
    subprocess.run(["tar", "xzf", archive], cwd=tmp_path, check=True)
    archive.unlink()
    pack = tmp_path / "toy"
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment = {**clean, "PYTHON": sys.executable}
    subprocess.run(["sh", "install.sh"], cwd=pack, check=True, env=environment, timeout=300)
    python = pack / ".venv" / "bin" / "python"

    def on_board(*options):
        return subprocess.run(
            [python, *options], cwd=pack, capture_output=True, text=True, check=True, env=clean
        ).stdout

    packages = on_board("-m", "pip", "list", "--format=freeze").lower()
    assert "sentencepiece" in packages
    assert not any(name in packages for name in ("torch", "transformers", "ctranslate2", "tqdm", "distill"))
    assert on_board("translate_rknn.py", "--text", "We like tea.") == "我们喜欢茶。\n"
    assert "ms median" in on_board("benchmark_rknn.py", "--json", "out.json", "--repeats", "1")
