"""What the README says of installing, in an environment that has nothing yet."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "src", "scripts")


def size_mb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@pytest.mark.slow
def test_translating_alone_needs_neither_torch_nor_300_megabytes(toy_ct2_dir, tmp_path):
    for name in NEEDED:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        copy(REPOSITORY / name, tmp_path / name)
    command = ["uv", "run", "--no-default-groups", "--python", sys.executable, "-s", "scripts/translate_ct2.py"]
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        [*command, "--model-dir", str(toy_ct2_dir), "--text", "We like tea."],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "我们喜欢茶。\n"), done.stderr
    installed = {path.name for path in (tmp_path / ".venv").glob("[lL]ib*/**/site-packages/*")}
    assert "ctranslate2" in installed
    assert not installed & {"torch", "transformers", "datasets"}
    assert size_mb(tmp_path / ".venv") <= 300
