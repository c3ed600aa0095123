"""A toy stage for tests of distill_zh_en.py: corpus, tokenizer, student config; and the command, in this process."""

import runpy
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from marian_distill.errors import run_command
from marian_distill.files import write_json
from toy_model import PAIRS, write_tokenizer

# An AVX2-only processor, as most laptops have it, on a newer one.
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "CT2_FORCE_CPU_ISA": "AVX2",
}
COMMAND = Path(__file__).parents[1] / "distill_zh_en.py"


def write_tsv(path: Path, pairs: Iterable[tuple[str, str]]) -> Path:
    path.write_text("en\tzh\n" + "".join(f"{english}\t{chinese}\n" for english, chinese in pairs), encoding="utf-8")
    return path


def write_student_config(path: Path, **changes) -> Path:
    """A small student for the toy tokenizer; `changes` are sizes of `student_config` or fields of the JSON."""
    from marian_distill.students.marian.config import student_config

    sizes = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "attention_heads": 2, "ffn_dim": 128}
    sizes |= {name: changes.pop(name) for name in (*sizes, "vocab_size", "dropout") if name in changes}
    write_json(path, student_config(**sizes).to_dict() | changes)
    return path


def write_toy_stage(folder: Path) -> None:
    """Write tokenizer/, train.tsv, dev.tsv and student.json."""
    folder.mkdir(parents=True, exist_ok=True)
    vocab_size = write_tokenizer(folder / "tokenizer")
    write_tsv(folder / "train.tsv", [pair for index, pair in enumerate(PAIRS) if index % 9])
    write_tsv(folder / "dev.tsv", PAIRS[::9])
    write_student_config(folder / "student.json", vocab_size=vocab_size, dropout=0.05)


@pytest.fixture(scope="session")
def toy_stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `write_toy_stage` fills."""
    folder = tmp_path_factory.mktemp("toy-stage")
    write_toy_stage(folder)
    return folder


@pytest.fixture
def datasets_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A datasets cache of the tests' own, shared by a session."""
    import datasets

    cache = tmp_path_factory.getbasetemp() / "datasets-cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    return cache


class Done(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    returncode: int
    stdout: str
    stderr: str


def run_in_process(path: Path, options: Iterable[object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command's file as its command line would, without the seconds that a new process takes; its exit code."""
    monkeypatch.setattr(sys, "argv", [str(path), *map(str, options)])
    try:
        run_command(runpy.run_path(str(path))["main"])
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    return 0


@pytest.fixture
def run_script(monkeypatch: pytest.MonkeyPatch, datasets_cache: Path, capfd: pytest.CaptureFixture[str]):
    """Runs scripts/NAME.py with options in this process; gives what it left."""

    def run(name: str, *options: object) -> Done:
        capfd.readouterr()
        code = run_in_process(COMMAND.parent / "scripts" / f"{name}.py", options, monkeypatch)
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def distill(monkeypatch: pytest.MonkeyPatch, datasets_cache: Path):
    """Runs distill_zh_en.py with options in this process; gives the exit code."""
    import torch

    torch.set_num_threads(1)
    return lambda *options: run_in_process(COMMAND, options, monkeypatch)


def stage_options(stage: Path, output_dir: Path, **options) -> list[str]:
    """The command line of a new student on the toy corpus; an option of None is left out."""
    defaults = {
        "student_config": stage / "student.json",
        "tokenizer_dir": stage / "tokenizer",
        "dataset": stage / "train.tsv",
        "eval_dataset": stage / "dev.tsv",
        "output_dir": output_dir,
        "max_steps": 4,
        "logging_steps": 1,
        "learning_rate": 0.003,
        "tokens_per_batch": 4000,
        "disable_tqdm": True,
        "precision": "fp32",  # what is measured may turn out one way now and another way then
        "attention": "eager",
    }
    chosen = {name: value for name, value in {**defaults, **options}.items() if value is not None}
    return [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
