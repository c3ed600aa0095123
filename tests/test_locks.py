import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.locks import folder_lock

HOLD = """
import sys, time, os
from marian_distill.locks import folder_lock
with folder_lock(sys.argv[1]):
    child = os.fork() if sys.argv[2] == "fork" else 1
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


def hold(folder: Path, how: str = "alone") -> tuple[subprocess.Popen, int]:
    """A process that holds the folder; and the id of a child that it forked while it did."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder, how], stdout=subprocess.PIPE, text=True)
    return holder, int(holder.stdout.readline())


def test_the_second_process_is_told_who_holds_the_folder(tmp_path):
    holder, _ = hold(tmp_path / "run")
    with pytest.raises(UserError, match=rf"run: process {holder.pid} is writing there"), folder_lock(tmp_path / "run"):
        pass
    with folder_lock(tmp_path / "other"):
        pass
    holder.kill()
    holder.communicate()


def test_a_killed_process_holds_nothing_though_its_child_lives(tmp_path):
    holder, child = hold(tmp_path / "run", "fork")
    holder.kill()
    holder.wait()
    try:
        with folder_lock(tmp_path / "run"):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        holder.communicate()


def test_nothing_is_left_behind_and_the_folder_may_be_replaced(tmp_path):
    (tmp_path / "run").mkdir()
    with folder_lock(tmp_path / "run"):
        (tmp_path / "run").rename(tmp_path / "old")
        assert (tmp_path / ".run.lock").read_text(encoding="utf-8") == str(os.getpid())
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_of_many_processes_one_at_a_time_holds_it(tmp_path):
    script = """
import sys, pathlib
from marian_distill.errors import UserError
from marian_distill.locks import folder_lock
folder = pathlib.Path(sys.argv[1])
for _ in range(300):
    try:
        with folder_lock(folder):
            (folder.parent / "mark").touch(exist_ok=False)
            (folder.parent / "mark").unlink()
    except UserError:
        pass
"""
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    for process in [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
