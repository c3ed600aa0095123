import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.export.pack import MODULES, PACKAGE, pack_board
from marian_distill.files import read_json, sha256

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def board_bundle_dir(toy_bundle_dir, tmp_path):
    """The toy bundle, said to be for a board."""
    folder = shutil.copytree(toy_bundle_dir, tmp_path / "bundle")
    config = read_json(folder / "bundle.json")
    config |= {"engine": "rknn", "target": "rv1126b", "dtype": "fp16", "toolkit": "rknn-toolkit2 2.5.0"}
    (folder / "bundle.json").write_text(json.dumps(config))
    return folder


def test_a_board_s_pack_asks_for_the_toolkit_s_runtime_and_its_numpy(board_bundle_dir, tmp_path):
    members = pack_board(board_bundle_dir, SCRIPTS, tmp_path / "board.tar.gz")
    with tarfile.open(tmp_path / "board.tar.gz") as archive:
        assert sorted(archive.getnames()) == sorted(f"board/{member}" for member in members)
        assert {(member.uid, member.mtime, member.mode) for member in archive} == {(0, 0, 0o644)}
        archive.extractall(tmp_path, filter="data")
    needs = (tmp_path / "board" / "requirements.txt").read_text().splitlines()
    assert "rknn-toolkit-lite2==2.5.0" in needs
    assert "numpy<=1.26.4" in needs
    install = tmp_path / "board" / "install.sh"
    assert "/usr/lib/librknnrt.so is missing" in install.read_text()
    subprocess.run(["sh", "-n", install], check=True)  # the shell can read it


@pytest.mark.parametrize("name", ["../secret.txt", "link.txt"])
def test_what_is_not_a_file_of_the_bundle_itself_is_not_packed(name, board_bundle_dir, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (board_bundle_dir / "link.txt").symlink_to(tmp_path / "secret.txt")
    config = read_json(board_bundle_dir / "bundle.json")
    config["files"][name] = {"bytes": 6, "sha256": sha256(tmp_path / "secret.txt")}
    (board_bundle_dir / "bundle.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="no file of the folder itself"):
        pack_board(board_bundle_dir, SCRIPTS, tmp_path / "board.tar.gz")
    assert not (tmp_path / "board.tar.gz").exists()


def test_a_python_that_is_too_new_for_the_toolkit_is_refused(board_bundle_dir, tmp_path):
    pack_board(board_bundle_dir, SCRIPTS, tmp_path / "board.tar.gz")
    with tarfile.open(tmp_path / "board.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.14.0 && exit 0\nexit 1\n')
    python.chmod(0o755)
    command = ["sh", tmp_path / "board" / "install.sh"]
    environment = {"PYTHON": str(python), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 2
    assert "Python 3.14.0 is not 3.11 to 3.12; try PYTHON=" in result.stderr


def test_every_module_of_the_pack_is_there_and_what_is_left_out_is_not_imported():
    packed = [PACKAGE / module for module in MODULES]
    assert all(path.is_file() for path in packed)
    text = "".join(path.read_text(encoding="utf-8") for path in packed)
    for absent in ("tqdm", "ctranslate2", "marian_distill.text.corpus", "marian_distill.export"):
        assert f"import {absent}" not in text
        assert f"from {absent}" not in text
