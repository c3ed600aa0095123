import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("distill-zh-en")


def run(*words, cwd=None):
    return subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, timeout=60, cwd=cwd)


def test_translate(toy_ct2_dir):
    result = run("translate", "--model-dir", toy_ct2_dir, "--text", "We like tea.")
    assert (result.returncode, result.stdout, result.stderr) == (0, "我们喜欢茶。\n", "")


def test_help_lists_the_options_of_both():
    assert "distill-zh-en serve --model-dir MODEL" in run("--help").stdout
    assert "--most-requests-a-minute" in run("serve", "--help").stdout
    assert "--check-numbers" in run("translate", "--help").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("sing",), "invalid choice: 'sing'"),
        (("serve",), "no model in models/* or outputs/**/ct2-int8*"),
        (("serve", "--port", "x"), "x: expected a whole number"),
        (("translate", "--text", "x"), "uv run snakemake -s recipes/quickstart/Snakefile --cores all"),
    ],
)
def test_mistakes_are_one_line(words, message, tmp_path):
    result = run(*words, cwd=tmp_path)
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert message in line
