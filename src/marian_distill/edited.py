"""Files that a person may edit: written once, and written over only while they are as this program left them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from marian_distill.errors import UserError
from marian_distill.files import atomic_path, read_json_object, sha256, write_json


@contextmanager
def unedited_writer(path: str | Path, report: dict[str, Any]) -> Iterator[IO[str]]:
    """`atomic_writer` of a file that a person may edit later; `report` goes beside it (see `report_of`).

    The report holds the file's SHA-256, by which `check_unedited` knows it again; it is written just before the file,
    hence also the SHA-256 of the one that this replaces: a kill between the two leaves that.
    """
    check_unedited(path)
    path = Path(path)
    replaced = {"replaced": sha256(path)} if path.is_file() else {}
    with atomic_path(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        write_json(report_of(path), {**report, "sha256": sha256(temporary), **replaced})


def report_of(path: str | Path) -> Path:
    """The report beside a file of `unedited_writer`."""
    return Path(f"{path}.report.json")


def check_unedited(path: str | Path) -> None:
    """Refuse to write over a file that is not as `unedited_writer` left it: a person's work may be in it.

    Raises:
        UserError: it was edited since, or something else wrote it.
    """
    if not Path(path).is_file():
        return
    report = read_json_object(report_of(path)) if report_of(path).is_file() else {}
    if sha256(path) not in (report.get("sha256"), report.get("replaced")):
        raise UserError(
            f"{path}: was edited since this program wrote it, or is somebody else's. Give another name, or remove it."
        )
