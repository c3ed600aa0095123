import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from marian_distill.files import read_json, write_json
from marian_distill.runtime.prompt import language_of

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)
import pty

SCRIPT = Path(__file__).parents[2] / "scripts" / "translate_ct2.py"
CTRL_C, CTRL_D = b"\x03", b"\x04"


class Terminal:
    """The prompt in a terminal of its own: what is typed, and what the screen shows until the next prompt."""

    def __init__(self, model_dir: Path, home: Path, *options: str) -> None:
        self.leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, "--model-dir", model_dir, *options],
            stdin=follower,
            stdout=follower,  # readline needs both to be a terminal
            stderr=follower,
            env={**os.environ, "XDG_CACHE_HOME": str(home), "TERM": "dumb"},
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # its own terminal: Ctrl-C is for it
        )
        os.close(follower)
        self.read()

    def read(self) -> str:
        screen = b""
        while not screen.endswith((b"en-zh> ", b"zh-en> ")):
            screen += os.read(self.leader, 1000)
        return screen.decode()

    def type(self, text: str) -> str:
        os.write(self.leader, f"{text}\n".encode())
        return self.read()

    def leave(self, typed: bytes) -> int:
        os.write(self.leader, typed)
        code = self.process.wait(timeout=60)
        os.close(self.leader)
        return code


@pytest.fixture
def both_ways(toy_ct2_dir, tmp_path):
    """The model under a config.json that declares both directions: enough to be turned round."""
    folder = Path(shutil.copytree(toy_ct2_dir, tmp_path / "both"))
    config = {**read_json(folder / "config.json"), "directions": ["en-zh", "zh-en"]}
    write_json(folder / "config.json", {**config, "source_tags": {"en-zh": ">>cmn_Hans<<", "zh-en": ">>eng<<"}})
    return folder


def test_commands_are_obeyed_and_what_is_no_command_is_told(toy_ct2_dir, tmp_path):
    terminal = Terminal(toy_ct2_dir, tmp_path)
    assert ":best N" in terminal.type(":help")
    assert ":nonsense: no such command; :help lists them" in terminal.type(":nonsense")
    assert "'zh-en': this model translates en-zh" in terminal.type(":zh-en")
    assert "我们喜欢茶。" in terminal.type("We like tea.")
    best = terminal.type(":best 3") + terminal.type("We like tea.")
    assert len([line for line in best.splitlines() if line.strip().startswith("-")]) == 3
    assert "expected 1 to the beam size, 4" in terminal.type(":best 9")
    assert "Chinese; the model translates from English" in terminal.type("我们喜欢茶。")
    assert terminal.leave(b":q\n") == 0


@pytest.mark.parametrize("leaving", [b"exit\n", b"quit\n", b":q\n", b":quit\n", CTRL_D])
def test_it_is_left_by_every_usual_word(leaving, toy_ct2_dir, tmp_path):
    assert Terminal(toy_ct2_dir, tmp_path).leave(leaving) == 0


def test_ctrl_c_clears_the_line_and_goes_on(toy_ct2_dir, tmp_path):
    terminal = Terminal(toy_ct2_dir, tmp_path)
    os.write(terminal.leader, b"We like cof")
    time.sleep(0.5)  # until the line editor has read it
    os.write(terminal.leader, CTRL_C)
    terminal.read()
    assert "我们喜欢茶。" in terminal.type("We like tea.")
    time.sleep(3.5)  # a command that is interrupted is ended within that
    assert terminal.process.poll() is None
    assert terminal.leave(CTRL_D) == 0


def test_sigterm_ends_it(toy_ct2_dir, tmp_path):
    terminal = Terminal(toy_ct2_dir, tmp_path)
    terminal.process.terminate()
    assert terminal.process.wait(timeout=30) == 143


def test_a_line_in_the_other_language_turns_it_round_with_a_word(both_ways, tmp_path):
    terminal = Terminal(both_ways, tmp_path)
    screen = terminal.type("我们喜欢茶。")
    assert "looks like Chinese: zh-en from now on" in screen
    assert screen.endswith("zh-en> ")
    assert terminal.type("We like tea.").endswith("en-zh> ")
    assert terminal.leave(CTRL_D) == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We like tea.", "en"),
        ("我们喜欢茶。", "zh"),
        ("我要一杯latte", "zh"),
        ("Say 你好 to all the people over there.", None),
        ("iPhone 15", "en"),
        ("OK", None),
        ("19.99", None),
    ],
)
def test_the_language_of_a_line(text, language):
    assert language_of(text) == language
