"""Files and folders that are whole or absent, and how a command reports what went wrong."""

import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.edited import check_unedited, unedited_writer
from marian_distill.errors import UserError, run_command
from marian_distill.files import (
    MARKER,
    atomic_directory,
    atomic_writer,
    changing,
    check_writable,
    read_json,
    sha256,
    write_json,
)
from marian_distill.signals import Stopped


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


def test_what_a_person_edited_is_not_written_over(tmp_path):
    path = tmp_path / "pairs.csv"

    def write(text: str) -> None:
        with unedited_writer(path, {"rows": len(text)}) as stream:
            stream.write(text)

    write("one")
    write("two")
    path.write_text("mine")
    with pytest.raises(UserError, match="was edited since"):
        write("three")
    assert path.read_text() == "mine"
    path.with_name("pairs.csv.report.json").unlink()
    with pytest.raises(UserError, match="or is somebody else's"):
        check_unedited(path)


def test_a_kill_between_report_and_file_does_not_make_it_somebody_else_s(tmp_path):
    path = tmp_path / "pairs.csv"
    for text in ("one", "two"):
        with unedited_writer(path, {}) as stream:
            stream.write(text)
    path.write_text("one")  # as it was when the report of "two" was there and the file not yet
    check_unedited(path)
    path.unlink()
    check_unedited(path)


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
    [
        (None, "value.json: no such file"),
        (b'{"a": ', "value.json: not valid JSON"),
        (b'"\xff"', "not valid JSON"),
        (b"[NaN]", "NaN is no JSON number"),
        (b'"\\ud800"', "half of a surrogate pair"),
        (b"9" * 5000, "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_cannot_be_read_is_told(content, message, tmp_path):
    if content is not None:
        (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_json(tmp_path / "value.json")
    assert message in str(caught.value)


def write_folder(path, **files):
    with atomic_directory(path, "a model") as folder:
        for name, text in files.items():
            (folder / name).write_text(text)


def contents(path):
    return {file.name: file.read_text() for file in path.iterdir() if file.name != MARKER}


def test_a_folder_appears_when_it_is_whole_and_replaces_the_one_that_was_made_before(tmp_path):
    path = tmp_path / "model"
    for content in ("first", "second"):
        with atomic_directory(path, "a model") as folder:
            (folder / content).touch()
            assert not (path / content).exists()
        assert [*contents(path)] == [content]
        assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_an_interrupted_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "model"
    write_folder(path, old="1")
    with pytest.raises(InterruptedWriteError), atomic_directory(path, "a model") as folder:
        (folder / "new").touch()
        raise InterruptedWriteError
    assert contents(path) == {"old": "1"}
    assert list(tmp_path.iterdir()) == [path]


def diary(path):
    path.mkdir()
    (path / "diary.txt").write_text("dear diary")


def added_to(path):
    write_folder(path, weights="1")
    diary(path / "mine")


def edited(path):
    write_folder(path, weights="1", notes="generated")
    (path / "notes").write_text("mine")


def of_another_kind(path):
    with atomic_directory(path, "a tokenizer") as folder:
        (folder / "vocab.json").touch()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (diary, r"not empty, and no \.made_by\.json in it says that this program wrote it as a model"),
        (added_to, r"holds mine/diary\.txt, which was not written with it"),
        (edited, r"notes was edited"),
        (of_another_kind, r"is a tokenizer, not a model"),
        (lambda path: path.touch(), r"is a file"),
    ],
)
def test_what_this_program_did_not_write_is_never_replaced(make, message, tmp_path):
    make(tmp_path / "out")
    before = sorted((path, path.is_file() and path.read_bytes()) for path in tmp_path.rglob("*"))
    with pytest.raises(UserError, match=message):
        write_folder(tmp_path / "out", weights="2")
    assert sorted((path, path.is_file() and path.read_bytes()) for path in tmp_path.rglob("*")) == before


def test_what_a_person_adds_while_it_is_made_is_not_lost(tmp_path):
    write_folder(tmp_path / "out", weights="1")
    with pytest.raises(UserError, match="holds notes"), atomic_directory(tmp_path / "out", "a model") as folder:
        (folder / "weights").write_text("2")
        (tmp_path / "out" / "notes").write_text("mine")
    assert contents(tmp_path / "out") == {"weights": "1", "notes": "mine"}
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_file_that_its_program_adds_later_may_be_replaced_with_the_rest(tmp_path):
    write_folder(tmp_path / "out", weights="1")
    with changing(tmp_path / "out", "map"):
        (tmp_path / "out" / "map").write_text("1")
    (tmp_path / "out" / "weights").unlink()  # as Snakemake does before it makes it again
    write_folder(tmp_path / "out", weights="2")
    assert contents(tmp_path / "out") == {"weights": "2"}


def test_a_folder_that_its_program_was_changing_may_be_replaced_what_a_person_edited_may_not(tmp_path):
    write_folder(tmp_path / "out", weights="1", map="1")
    with pytest.raises(InterruptedWriteError), changing(tmp_path / "out", "map"):
        (tmp_path / "out" / "map").write_text("2")
        raise InterruptedWriteError
    write_folder(tmp_path / "out", weights="2", map="1")
    with changing(tmp_path / "out", "map"):
        (tmp_path / "out" / "weights").write_text("mine")
    with pytest.raises(UserError, match="weights was edited"):
        write_folder(tmp_path / "out", weights="3")
    (tmp_path / "out" / "weights").write_text("2")
    (tmp_path / "out" / "map").write_text("mine")  # after the change
    with pytest.raises(UserError, match="map was edited"):
        write_folder(tmp_path / "out", weights="3")


@pytest.mark.parametrize("name", [".", "..", "/", "out/.."])
def test_the_working_folder_is_not_replaced(name, tmp_path, monkeypatch):
    (tmp_path / "work" / "out").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(UserError, match="Name a folder inside it"):
        write_folder(name)
    assert (tmp_path / "work" / "out").is_dir()


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with atomic_writer(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    write_folder(tmp_path / "model", weights="1")
    (tmp_path / "latest").symlink_to("model")
    write_folder(tmp_path / "latest", weights="2")
    assert (tmp_path / "latest").is_symlink()
    assert contents(tmp_path / "model") == {"weights": "2"}


def test_a_device_is_written_to_not_replaced(tmp_path):
    with atomic_writer("/dev/null") as stream:
        stream.write("text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


# What killed runs leave

KILLED = """
import os, sys
from marian_distill.files import atomic_directory, atomic_writer
with atomic_directory(sys.argv[1] + "/model", "a model") as folder, atomic_writer(sys.argv[1] + "/text") as stream:
    (folder / "weights").write_text("half")
    stream.write("half")
    print("writing", flush=True)
    if sys.argv[2] == "wait":
        sys.stdin.read()
    os.kill(os.getpid(), 9)
"""


def test_the_next_run_clears_what_a_killed_one_left_and_leaves_a_live_one_alone(tmp_path):
    def start(what):
        command = [sys.executable, "-c", KILLED, tmp_path, what]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        return process

    start("die").wait()
    assert len(list(tmp_path.iterdir())) == 2
    with start("wait") as living:
        assert len(list(tmp_path.iterdir())) == 2  # its own
        write_folder(tmp_path / "model", weights="1")
        with atomic_writer(tmp_path / "text") as stream:
            stream.write("whole")
        assert len(list(tmp_path.iterdir())) == 4
        living.stdin.close()
    write_folder(tmp_path / "model", weights="2")
    with atomic_writer(tmp_path / "text") as stream:
        stream.write("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "text"]


@pytest.mark.parametrize("killed", [False, True])
def test_where_folders_cannot_be_exchanged_one_of_them_is_always_found_again(killed, tmp_path, monkeypatch):
    monkeypatch.setattr("marian_distill.files._exchange", lambda one, other: False)
    write_folder(tmp_path / "model", weights="1")
    if killed:  # between the two renames
        (tmp_path / "model").rename(tmp_path / ".model.old")
        with pytest.raises(InterruptedWriteError), atomic_directory(tmp_path / "model", "a model"):
            raise InterruptedWriteError
        assert contents(tmp_path / "model") == {"weights": "1"}
    write_folder(tmp_path / "model", weights="2")
    assert contents(tmp_path / "model") == {"weights": "2"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: Path("/proc/x/y"), "nothing can be written in /proc"),
        (lambda folder: folder / ("n" * 300), "File name too long"),
        (lambda folder: folder / "loop" / "x", "Too many levels of symbolic links"),
        (lambda folder: folder / "file" / "x", "Not a directory"),
    ],
)
def test_an_output_is_tried_and_leaves_nothing(make, message, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=message):
        check_writable(make(tmp_path), "--json")
    check_writable(tmp_path / "new" / "folder" / "file")
    check_writable(tmp_path / ("中" * 85))  # 255 bytes
    with atomic_writer(tmp_path / ("中" * 85)) as stream:
        stream.write("text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop", "中" * 85]


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()


ON_WINDOWS = """
import sys
from pathlib import Path
sys.path.append(sys.argv[2])
import as_on_windows
as_on_windows.pretend()
from marian_distill.files import atomic_directory, atomic_writer

folder = Path(sys.argv[1])
(folder / "model").mkdir()
for text in ("one", "two"):
    with atomic_writer(folder / "file") as stream:
        stream.write(text)
    with atomic_directory(folder / "model", "a model") as model:
        (model / "weights").write_text(text)
for write in (lambda: atomic_writer(folder / "file"), lambda: atomic_directory(folder / "model", "a model")):
    try:
        with write():
            raise ValueError("broken off")
    except ValueError:
        pass
"""


def test_files_and_folders_are_whole_on_what_is_as_narrow_as_windows(tmp_path):
    command = [sys.executable, "-c", ON_WINDOWS, tmp_path, Path(__file__).parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == (tmp_path / "model" / "weights").read_text() == "two"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "model"}


# What a command says


def _fail(error: BaseException):
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("train.tsv: no such\n  file"), 2, "error: train.tsv: no such file"),
        (KeyboardInterrupt(), 130, "stopped; the same command begins anew"),
        (Stopped(), 130, "stopped; the same command begins anew"),
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
