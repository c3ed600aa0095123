"""Files and folders that are whole or absent, and how a command reports what went wrong."""

import hashlib
import stat

import pytest

from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_directory, atomic_writer, read_json, sha256, write_json


class InterruptedWriteError(Exception):
    pass


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "text.txt"
    with atomic_writer(path) as stream:
        stream.write("拿铁\n")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == "拿铁\n".encode()
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644  # others may read it, unlike a temporary file


def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(InterruptedWriteError), atomic_writer(path) as stream:
        stream.write("half of the ne")
        raise InterruptedWriteError
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_comes_back_as_it_was(tmp_path):
    value = {"名": ["拿铁", 19.99, None, True]}
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == value
    assert "拿铁" in (tmp_path / "value.json").read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_json(tmp_path / "value.json", {"a": object()})
    assert read_json(tmp_path / "value.json") == value


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "value.json: no such file"), (b'{"a": ', "value.json: not valid JSON"), (b'"\xff"', "not valid JSON")],
)
def test_json_that_cannot_be_read_is_told(content, message, tmp_path):
    if content is not None:
        (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_json(tmp_path / "value.json")
    assert message in str(caught.value)


def test_a_folder_appears_when_it_is_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "model"
    for content in ("first", "second"):
        with atomic_directory(path) as folder:
            (folder / content).touch()
            assert not (path / content).exists()
        assert [file.name for file in path.iterdir()] == [content]
        assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_an_interrupted_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(InterruptedWriteError), atomic_directory(path) as folder:
        (folder / "new").touch()
        raise InterruptedWriteError
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()


# What a command says


def _fail(error: BaseException):
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("train.tsv: no such\n  file"), 2, "error: train.tsv: no such file"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (SystemExit(143), 143, ""),
    ],
)
def test_a_command_leaves_with_one_line_and_a_code(error, code, line, capsys):
    with pytest.raises(SystemExit) as leaving:
        run_command(_fail(error))
    assert leaving.value.code == code
    assert capsys.readouterr().err.strip() == line


def test_a_full_device_is_told_in_one_line(capsys):
    def main() -> None:
        with open("/dev/full", "w") as stream:  # noqa: PTH123 (a real full device)
            stream.write("text")

    with pytest.raises(SystemExit) as leaving:
        run_command(main)
    assert leaving.value.code == 2
    assert capsys.readouterr().err.startswith("error: no space left on device")


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(5, "input/output error")])
def test_what_is_no_mistake_of_the_user_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        run_command(_fail(error))
