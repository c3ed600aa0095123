"""Every command of the Markdown pages: its script's own parser takes it, what it names is there, quick ones run."""

import argparse
import io
import re
import runpy
import shlex
import shutil
import string
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from toy_model import PAIRS
from toy_training import run_in_process, write_tsv

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted(
    page for page in REPOSITORY.rglob("*.md") if page.relative_to(REPOSITORY).parts[0] not in (".venv", "outputs")
)
PAGES += [REPOSITORY / "outputs/README.md"]
# What is kept in git and may be named in a command; what a run makes is not there yet.
KEPT = re.compile(r"(scripts|recipes|student_configs|benchmarks|tests|profiles)/|data/[^g/]|distill_zh_en\.py$")
TOOLS = (
    "pytest",
    "pre-commit",
    "ruff",
    "pyright",
    "ct2-transformers-converter",
    "ray",
)  # their own options are their own affair
# Commands of the README that take seconds on a toy model; the others train, or need a larger corpus or a download.
QUICK = (
    *("translate_ct2", "make_extra_money_data", "audit_parallel_data", "apply_corrections", "export_ct2"),
    *("forward_translate", "evaluate_model", "export_onnx", "pack_board", "estimate_rknn"),
)


def code_of(page: Path) -> tuple[list[str], str]:
    """The lines of a page's code blocks, continued ones joined, and the text around the blocks."""
    parts = re.split(r"^ *```.*\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return "".join(parts[1::2]).replace("\\\n", " ").splitlines(), "\n".join(parts[::2])


def commands_of(page: Path) -> list[list[str]]:
    """Each `uv run …` of a page, in a block or within a line, as a shell would take it apart."""
    variables: dict[str, str] = {}
    lines, text = code_of(page)
    typed = []
    for line in lines:
        line = string.Template(line.strip().removeprefix("$ ")).safe_substitute(variables)
        if assignment := re.fullmatch(r'([A-Z]+)="?(.*?)"?', line):
            variables[assignment[1]] = assignment[2]
        elif line.startswith("uv run "):
            typed.append(line)
    typed += re.findall(r"`(uv run [^`]*)`", text)
    return [shlex.split(line, comments=True) for line in typed]


def program_of(command: list[str]) -> tuple[str, list[str]]:
    """What `uv run` starts, and its options. uv's own options take no value here."""
    first = next(index for index, word in enumerate(command[2:], start=2) if not word.startswith("-"))
    return command[first], command[first + 1 :]


COMMANDS = [
    pytest.param(command, id=f"{page.relative_to(REPOSITORY)}-{index}")
    for page in PAGES
    for index, command in enumerate(commands_of(page))
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the repository, with a file for each name in capitals; the commands run in it."""
    (tmp_path / "data").mkdir()  # a real one: commands write into it
    kept = ("data/sentences.en.txt", "data/manual_corrections.csv")
    for name in ("recipes", "scripts", "student_configs", "benchmarks", "distill_zh_en.py", *kept):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    for name in ("DEV.tsv", "TEST.tsv"):
        write_tsv(tmp_path / name, PAIRS[::9])
    write_tsv(tmp_path / "CORPUS.tsv", PAIRS)
    shutil.copyfile(REPOSITORY / "recipes/quickstart/2_student.yaml", tmp_path / "STAGE.yaml")
    shutil.copyfile(REPOSITORY / "recipes/coordinated/qwen.yaml", tmp_path / "RUN.yaml")
    for name in ("MY.yaml", "MIX.yaml"):
        (tmp_path / name).write_text("corpus: CORPUS.tsv\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Parsed(BaseException):  # not an Exception: no command may take it for one of its own
    """A command's options were taken; the work must not begin."""


def parse_script(script: str, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script as far as its options."""
    parse_args = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser, *arguments, **named):
        parse_args(parser, *arguments, **named)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    monkeypatch.setattr(sys, "argv", [script, *options])
    monkeypatch.syspath_prepend(str(REPOSITORY / Path(script).parent))
    with pytest.raises(Parsed):
        runpy.run_path(str(REPOSITORY / script))["main"]()


def parse_stage(options: list[str], model: Any = None, data: Any = None) -> None:
    """Parse the options of a stage's command. `--fp16` is left out: Hugging Face refuses it where there is no GPU."""
    from marian_distill.training.parsing import parse_arguments

    if options == ["--help"]:
        with pytest.raises(SystemExit, match="0"):
            parse_arguments(options)
    else:
        parse_arguments([option for option in options if option != "--fp16"], model=model, data=data)


def parse_recipe(options: list[str]) -> None:
    """Parse the options of snakemake; what --config sets must be a setting of the recipe."""
    from snakemake.cli import get_argument_parser

    parsed, unknown = get_argument_parser().parse_known_args(options)
    assert unknown == []
    if parsed.config:
        settings = REPOSITORY / Path(parsed.snakefile).with_name("config.yaml")
        if not settings.is_file():  # the three compact recipes share theirs
            settings = REPOSITORY / "recipes/compact/config.yaml"
        known = yaml.safe_load(settings.read_text(encoding="utf-8"))
        assert {setting.partition("=")[0] for setting in parsed.config} <= set(known)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_options_that_its_script_knows(command, workspace, monkeypatch):
    for word in command:
        if KEPT.match(word) and "/NAME/" not in word:
            assert list(REPOSITORY.glob(word)), f"{word}: not in the repository"
    program, options = program_of(command)
    if program == "accelerate":
        from accelerate.commands.launch import launch_command_parser

        launch = launch_command_parser().parse_args(options[1:])
        program, options = launch.training_script, launch.training_script_args
    if program == "distill_zh_en.py":
        parse_stage(options)
    elif program == "scripts/train_causal_lm.py":
        from marian_distill.training.language.arguments import CausalModelArguments, TextArguments

        parse_stage(options, CausalModelArguments, TextArguments)
    elif program == "snakemake":
        parse_recipe(options)
    elif program.endswith(".py"):
        parse_script(program, options, monkeypatch)
    elif program == "python":
        assert (REPOSITORY / options[0]).is_file()
    else:
        assert program in TOOLS


def test_both_readmes_have_the_same_commands_and_figures():
    english, chinese = REPOSITORY / "README.md", REPOSITORY / "README.zh.md"
    assert commands_of(english) == commands_of(chinese)
    figures = [sorted(re.findall(r"\d+(?:[.,]\d+)+", code_of(page)[1])) for page in (english, chinese)]
    assert figures[0] == figures[1]
    assert len(figures[0]) > 40


def test_chinese_lines_are_not_broken_between_characters():
    for page in REPOSITORY.rglob("*.zh.md"):
        broken = re.findall(r"[\u4e00-\u9fff，。、；：）]\n[\u4e00-\u9fff（]", page.read_text(encoding="utf-8"))
        assert broken == []


def test_quick_commands_run_in_the_order_of_the_readme(
    workspace, toy_model_dir, toy_ct2_dir, toy_bundle_dir, datasets_cache, monkeypatch, capfd
):
    made_before = {  # by the quickstart, and by the slow commands that are left out here
        "quickstart/student-ft-money-coffee": toy_model_dir,
        "quickstart/teacher": toy_model_dir,
        "quickstart/ct2-int8": toy_ct2_dir,
        "rv1126b": toy_bundle_dir,
    }
    for name, folder in made_before.items():
        shutil.copytree(folder, workspace / "outputs" / name)
    toy = {"CORPUS.tsv.gz": "CORPUS.tsv", "MODEL": "outputs/quickstart/ct2-int8"}
    ran = []
    for command in commands_of(REPOSITORY / "README.md"):
        program, options = program_of(command)
        if Path(program).stem not in QUICK:
            continue
        words = [toy.get(word, word) for word in options]
        words = [str(path) for word in words for path in (sorted(workspace.glob(word)) if "*" in word else [word])]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"We like tea.\n")))
        capfd.readouterr()
        code = run_in_process(REPOSITORY / program, words, monkeypatch)
        assert code == 0, (command, capfd.readouterr().err)
        ran.append(Path(program).stem)
    assert set(ran) == set(QUICK)
