"""The plan of a corpus's shards, which is a run's identity, and the folder where at most two of them lie.

A shard is a range of the corpus's rows, cut into parts; a part is a folder that is whole or absent, and all that a
kill may cost. Nothing is written down of what was made or deleted: a shard is whole when all its parts are there, and
how far training is, only its checkpoint says (`coordinate.stage`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from marian_distill.errors import UserError
from marian_distill.files import read_json, remove, write_json
from marian_distill.schema import fault_of, read_shaped
from marian_distill.text.ranges import CorpusRecord

MOST_ON_DISK = 2  # shards: one is trained on while the next is made
PART = "a part of a shard"  # for `files.atomic_directory`


class Part(NamedTuple):
    """Rows of a shard that are made at once."""

    shard: int
    number: int
    first: int
    rows: int


class Shard(NamedTuple):
    """Rows that are trained on at once; with several passes over the corpus the same rows are several shards."""

    number: int
    first: int
    rows: int


class PlanRecord(TypedDict):
    """plan.json: the corpora and how they are cut; `made_with` has what the shards' content depends on."""

    corpora: list[CorpusRecord]
    shard_rows: int
    part_rows: int
    passes: int
    made_with: dict[str, object]


class Plan:
    """How a corpus is cut.

    Args:
        record: of corpora with at least one row.
    """

    def __init__(self, record: PlanRecord) -> None:
        self.record = record
        self.rows = sum(corpus["rows"] for corpus in record["corpora"])
        self.shards_of_a_pass = -(-self.rows // record["shard_rows"])
        self.shards = self.shards_of_a_pass * record["passes"]

    def shard(self, number: int) -> Shard:
        """The shard of a number below `shards`."""
        first = number % self.shards_of_a_pass * self.record["shard_rows"]
        return Shard(number, first, min(self.record["shard_rows"], self.rows - first))

    def parts(self, number: int) -> list[Part]:
        """The parts of a shard."""
        shard, size = self.shard(number), self.record["part_rows"]
        starts = range(shard.first, shard.first + shard.rows, size)
        return [
            Part(number, place, first, min(size, shard.first + shard.rows - first))
            for place, first in enumerate(starts)
        ]

    def rows_through(self, number: int) -> int:
        """Rows of all shards up to this one, itself included."""
        passes, place = divmod(number, self.shards_of_a_pass)
        return passes * self.rows + min((place + 1) * self.record["shard_rows"], self.rows)

    @property
    def rows_in_all(self) -> int:
        """Rows of all passes."""
        return self.rows * self.record["passes"]


def known_corpora(path: Path) -> list[CorpusRecord]:
    """What an earlier plan in this file says of its corpora; nothing where there is none."""
    return read_shaped(path, PlanRecord)["corpora"] if path.is_file() else []


def keep_plan(path: Path, record: PlanRecord) -> None:
    """Write a run's plan, or hold it against the one that the run began with.

    Raises:
        UserError: the run began with another plan.
    """
    if not path.is_file():
        write_json(path, record)
        return
    there = read_json(path)
    if fault := fault_of(there, PlanRecord, ""):
        raise UserError(f"{path}: {fault}. It is not a plan that this program wrote; remove its folder")
    if changed := next((name for name in record if there[name] != record[name]), None):
        raise UserError(
            f"{path}: the run began with another plan ({changed} is {_shortened(there[changed])} there, "
            f"{_shortened(record[changed])} now); give that one, or another output_dir"
        )


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) < 100 else f"{text[:100]}…"


class ShardFolder:
    """Where shards lie while they are needed: ROOT/SHARD/PART, each part whole or absent.

    Args:
        root: the folder.
        plan: of the shards.
    """

    def __init__(self, root: Path, plan: Plan) -> None:
        self.root, self.plan = root, plan

    def path(self, number: int) -> Path:
        """A shard's folder."""
        return self.root / f"{number:05d}"

    def part_path(self, part: Part) -> Path:
        """A part's folder."""
        return self.path(part.shard) / f"{part.number:05d}"

    def missing(self, number: int) -> list[Part]:
        """Parts of a shard that are not there yet."""
        return [part for part in self.plan.parts(number) if not self.part_path(part).is_dir()]

    def part_folders(self, number: int) -> list[Path]:
        """Folders of a whole shard's parts, in order."""
        return [self.part_path(part) for part in self.plan.parts(number)]

    def on_disk(self) -> list[int]:
        """Numbers of the shards that are there, whole or not."""
        return sorted(int(path.name) for path in self.root.glob("[0-9]*") if path.name.isdecimal())

    def keep_only(self, numbers: Sequence[int]) -> None:
        """Delete all other shards; one that a kill has left half deleted is among them again."""
        for number in self.on_disk():
            if number not in numbers:
                remove(self.path(number))
