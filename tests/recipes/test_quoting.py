"""Paths that a shell would take apart reach the commands whole, in every recipe; test files of one name stay two."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SNAKEFILES = sorted([*REPOSITORY.glob("recipes/*/Snakefile"), *REPOSITORY.glob("recipes/*/*.smk")])
# A space, both quotes, and what a shell would run.
FOLDER = 'it\'s $(touch ran) `touch ran` "here" &'

LABEL = "tea & {threads} $(touch ran)"


@pytest.fixture
def workspace(tmp_path):
    """A folder that looks like the repository, and text in a folder with an odd name."""
    for name in ("recipes", "student_configs", "scripts", "profiles"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    rows = "".join(f"Tea number {number}, please.\t请给我{number}号茶。\n" for number in range(400))
    for name in ("corpus.tsv", "dev.tsv", "one/test.tsv", "two/test.tsv"):
        (tmp_path / FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / FOLDER / name).write_text(f"en\tzh\n{rows}", encoding="utf-8")
    labelled = rows.replace("\n", f"\t{LABEL}\n")
    (tmp_path / FOLDER / "corpus.tsv").write_text(labelled, encoding="utf-8")
    return tmp_path


def snakemake(workspace: Path, recipe: str, *options: str) -> str:
    settings = {
        "corpus": f"{FOLDER}/corpus.tsv",
        "dev": f"{FOLDER}/dev.tsv",
        "tests": [f"{FOLDER}/one/test.tsv", f"{FOLDER}/two/test.tsv"],
        "source_weights": {LABEL: 2},
    }
    (workspace / "mine.yaml").write_text(json.dumps(settings))
    snakefile = f"recipes/{recipe}/Snakefile"
    command = [sys.executable, "-m", "snakemake", "-s", snakefile, "--cores", "2", "-p"]
    command += [*options, "--configfile", "mine.yaml"]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (workspace / "ran").exists()
    return done.stdout + done.stderr


@pytest.mark.parametrize("recipe", ["local_corpus", "compact_en_zh", "liquid"])
def test_every_command_gets_an_odd_path_whole(recipe, workspace):
    printed = snakemake(workspace, recipe, "-n")
    assert "Exception" not in printed
    commands = [shlex.split(line) for line in printed.splitlines() if "uv run" in line]
    words = {word for command in commands for word in command}
    for name in ("corpus.tsv", "dev.tsv", "one/test.tsv", "two/test.tsv"):
        assert f"{FOLDER}/{name}" in words
    assert f"{LABEL}=2" in words
    assert "touch" not in words
    scores = {word for word in words if word.endswith("test.json")}
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in scores} == {"one-test", "two-test"}


def test_a_rule_runs_on_an_odd_path(workspace, monkeypatch):
    for domain in ("money", "coffee", "travel"):
        (workspace / "data/generated/local_corpus").mkdir(parents=True, exist_ok=True)
        (workspace / f"data/generated/local_corpus/{domain}.csv").write_text("source,target\n")
    script = workspace / "uv"  # stands before the real one: no environment is made, and the tokenizer is small
    script.write_text(f'#!/bin/sh\nshift 2\nexec {shlex.quote(sys.executable)} "$@" --vocab-size 315\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{workspace}:{os.environ['PATH']}")
    snakemake(workspace, "local_corpus", "tokenizers/local_corpus_8k/vocab.json")
    assert (workspace / "tokenizers/local_corpus_8k/vocab.json").is_file()


@pytest.mark.parametrize("setting", ["size=huge", "direction=en-de"])
def test_a_setting_that_no_recipe_has_is_one_line(setting, workspace):
    text = [f"{name}={FOLDER}/{name}.tsv" for name in ("corpus", "dev")]
    command = [sys.executable, "-m", "snakemake", "-s", "recipes/local_corpus/Snakefile", "-n", "--config", setting]
    done = subprocess.run([*command, *text], cwd=workspace, capture_output=True, text=True, check=False)
    name, _, value = setting.partition("=")
    assert done.returncode == 1
    assert f"{name}: {value!r}; expected " in done.stdout + done.stderr
    assert "KeyError" not in done.stdout + done.stderr


@pytest.mark.parametrize("snakefile", SNAKEFILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_rule_hands_a_path_to_the_shell_unquoted(snakefile):
    text = snakefile.read_text(encoding="utf-8")
    shell = re.findall(r"^ +shell:\n((?: +f?\".*\n)+)", text, re.MULTILINE)
    unquoted = [found for rule in shell for found in re.findall(r"\{(?:input|output|params)[^:}]*\}", rule)]
    assert unquoted == []
    assert not [found for rule in shell for found in re.findall(r"\{config\[", rule)]
