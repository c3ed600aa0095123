"""Files and folders that are either whole or absent: written under a temporary name, then put in place.

Bytes reach the disk before the name does (fsync, then rename). A folder is exchanged for the old one in one step where
the system can (renameat2 of Linux), and only when the marker in the old one lists every file that is there. What a
killed run left under a temporary name is cleared by the next one that writes to the same place.
"""

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from marian_distill.errors import DISK_ERRORS, UserError
from marian_distill.temporary import clear_abandoned, new_temporary, prefix_of, release

MARKER = ".made_by.json"
IGNORED = frozenset({MARKER, ".snakemake_timestamp"})  # the latter is how Snakemake dates a folder
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of renameat2(2)


# Files


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield an empty file that appears under `path`, as it was filled, when the block ends without an error.

    A link is followed. What is no file (a pipe, /dev/null) is given as it is.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    path = Path(os.path.realpath(path))
    with _errors_name(path):
        if path.is_dir():
            raise UserError(f"{path}: is a folder. Give a file name.")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, handle = new_temporary(path, folder=False)
        try:
            yield temporary
            sync(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
            sync(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            release(handle)


@contextmanager
def atomic_writer(path: str | Path) -> Iterator[IO[str]]:
    """Open a UTF-8 text file that appears under `path` only when the block ends without an error."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON, whole or not at all."""
    with atomic_writer(path) as stream:
        json.dump(value, stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file; a missing or broken one (see `parse_json`) is a `UserError` that names it."""
    try:
        return parse_json(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error})") from error


def read_json_object(path: str | Path) -> dict[str, Any]:
    """`read_json` of a file that must hold an object."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def parse_json(text: str) -> Any:
    """JSON as the standard has it; `ValueError` otherwise: NaN, half a character, thousands of digits or brackets."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if "\\ud" in text.lower():
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("half of a surrogate pair, which is no character") from error
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove(path: Path) -> None:
    """Delete a file, a link (not what it leads to), or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


# Folders


@contextmanager
def atomic_directory(path: str | Path, kind: str) -> Iterator[Path]:
    """Yield an empty folder that becomes `path` when the block ends without an error.

    An earlier one of the same kind is replaced; it stays whole until the new one is.

    Args:
        path: the folder.
        kind: what the folder is, with its article (`a tokenizer`), for the marker and for messages.

    Raises:
        UserError: see `check_replaceable`.
    """
    path = Path(os.path.realpath(path))
    with _errors_name(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _recover(path)
        check_replaceable(path, kind)
        temporary, handle = new_temporary(path, folder=True)
        try:
            yield temporary
            write_json(temporary / MARKER, {"made_by": "distill-zh-en", "kind": kind, "files": _files_of(temporary)})
            temporary.chmod(0o755)
            _sync_tree(temporary)
            check_replaceable(path, kind)  # again: the work took its time
            _put_in_place(temporary, path)
            sync(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        finally:
            release(handle)


def check_replaceable(path: str | Path, kind: str) -> None:
    """Refuse to replace a folder that holds anything but what this program wrote there as `kind`, unchanged since.

    Raises:
        UserError: a file, the working folder, a mount point, a folder without the marker or of another kind, one to
            which a file was added or in which one was edited.
    """
    path = Path(os.path.realpath(path))
    if not path.exists():
        return
    if not path.is_dir():
        raise UserError(f"{path}: is a file. Give another folder.")
    if path == Path.cwd() or path in Path.cwd().parents or path.is_mount():
        what = "a mount point" if path.is_mount() else "the working folder, or holds it"
        raise UserError(f"{path}: is {what}, and the output folder is replaced whole. Name a folder inside it.")
    if not any(path.iterdir()):
        return
    if not (path / MARKER).is_file():
        raise UserError(
            f"{path}: not empty, and no {MARKER} in it says that this program wrote it as {kind}. "
            "Give another folder, or remove it yourself."
        )
    record = read_json_object(path / MARKER)
    if record.get("kind") != kind:
        raise UserError(f"{path}: is {record.get('kind')}, not {kind}. Give another folder.")
    written, under_change = record.get("files"), record.get("changing")
    under_change = [str(name) for name in under_change] if isinstance(under_change, list) else []
    for name in (MARKER, *under_change):
        clear_abandoned(path / name)
    for name, digest in sorted(_files_of(path).items()):
        if name in under_change:
            continue
        if not isinstance(written, dict) or written.get(name) != digest:
            found = f"{name} was edited" if name in (written or ()) else f"holds {name}, which was not written with it"
            raise UserError(f"{path}: {found}. Move it away, or give another folder.")


@contextmanager
def changing(folder: str | Path, *names: str) -> Iterator[None]:
    """Tell a folder's marker that its own program writes, or removes, these files while the block runs.

    Until the block has ended, hence after a kill in it too, `check_replaceable` lets them be whatever they are.
    """
    folder = Path(folder)
    if not (folder / MARKER).is_file():
        yield
        return
    record = read_json_object(folder / MARKER)
    files = {name: digest for name, digest in record["files"].items() if name not in names}
    write_json(folder / MARKER, {**record, "files": files, "changing": names})
    yield
    record.pop("changing", None)  # of a block that was killed
    files |= {name: sha256(folder / name) for name in names if (folder / name).is_file()}
    write_json(folder / MARKER, {**record, "files": files})


def _files_of(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path in it, with its SHA-256; of a link, where it points."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in [*names, *(one for one in folders if Path(place, one).is_symlink())]:
            path = Path(place, name)
            if name not in IGNORED:
                relative = path.relative_to(folder).as_posix()
                found[relative] = str(path.readlink()) if path.is_symlink() else sha256(path)
    return found


def _put_in_place(temporary: Path, path: Path) -> None:
    """Rename a folder to `path`; what was there is deleted after."""
    if not path.exists() or not any(path.iterdir()):
        if sys.platform == "win32" and path.exists():
            path.rmdir()  # Windows puts no folder in another's place
        temporary.replace(path)
    elif _exchange(temporary, path):
        shutil.rmtree(temporary)
    else:
        old = _old_name(path)
        path.rename(old)
        temporary.rename(path)  # a kill before this: see `_recover`
        shutil.rmtree(old)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; False where the system or the file system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # no Linux, or an old C library
        return False
    return renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def _old_name(path: Path) -> Path:
    return path.parent / f".{path.name}.old"


def _recover(path: Path) -> None:
    """Put back, or clear, the folder that a run was replacing without `_exchange` when it was killed."""
    old = _old_name(path)
    if (old / MARKER).is_file():
        if path.exists():
            shutil.rmtree(old)
        else:
            old.rename(path)


# The disk


def check_writable(path: str | Path, what: str = "") -> None:
    """Try, before the work, whether a file or folder can be made at `path`; nothing is left behind.

    Args:
        path: the output.
        what: the option's name, for the message.

    Raises:
        UserError: it cannot, with the system's reason.
    """
    path = Path(path)
    said = f"{what} {path}".strip()
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass  # a new one
    except OSError as error:
        raise UserError(f"{said}: {error.strerror}. Give another path.") from error
    folder = Path(os.path.realpath(path)).parent
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{said}: nothing can be written in {folder} ({error.strerror}). Give another path."
        ) from error


def _sync_tree(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            if not Path(place, name).is_symlink():
                sync(Path(place, name))
        sync(Path(place))


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    flags = os.O_RDONLY
    if sys.platform == "win32":
        if path.is_dir():
            return  # Windows opens no folders, and writes nothing through what is open for reading
        flags = os.O_RDWR
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Have the system's errors name the output that the user knows, not its temporary name or none."""
    try:
        yield
    except OSError as error:
        own = prefix_of(path)
        named = str(error.filename or "")
        if error.errno in DISK_ERRORS and (not named or any(part.startswith(own) for part in Path(named).parts)):
            error.filename = str(path)
            if error.filename2 is not None:
                error.filename2 = str(path)
        raise
