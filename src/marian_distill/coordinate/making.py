"""Who makes the shards: this process between two trainings, or one beside it; Ray is in `coordinate.ray_workers`.

A process of its own keeps its teacher loaded. It is asked on its stdin, a shard's number a line, and answers on its
stdout with the same line; that it is gone shows as the end of either.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from marian_distill.coordinate.plan import PART, Part, ShardFolder
from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_directory
from marian_distill.locks import InUseError, folder_lock
from marian_distill.signals import OWNER, stop_request

SECONDS_FOR_AN_ORPHAN = 60.0  # in which a maker whose coordinator was killed has noticed, and left
MakePart = Callable[[Part, Path], None]  # a part and the empty folder that it fills


class Maker(Protocol):
    """Makes shards: `begin` one while another is trained on, `finish` it before its own training."""

    def begin(self, number: int) -> None:
        """Start making a shard, if that is possible beside training."""
        ...

    def finish(self, number: int) -> None:
        """Return when all parts of the shard are there."""
        ...


class Between:
    """Makes shards in this process, between trainings: for one GPU, or one core.

    Args:
        shards: where they go.
        make: fills a part.
    """

    def __init__(self, shards: ShardFolder, make: MakePart) -> None:
        self.shards, self.make = shards, make

    def begin(self, number: int) -> None:
        """Nothing: there is no one beside."""

    def finish(self, number: int) -> None:
        """Make what is missing."""
        for part in self.shards.missing(number):
            with atomic_directory(self.shards.part_path(part), PART) as folder:
                self.make(part, folder)


class Beside:
    """A process that makes shards while this one trains.

    Args:
        command: what starts it; it runs `serve`.
    """

    def __init__(self, command: list[str]) -> None:
        environment = {**os.environ, OWNER: str(os.getpid())}
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._asked: int | None = None

    def begin(self, number: int) -> None:
        """Ask for a shard."""
        if self._asked != number:
            self._asked = number
            assert self._process.stdin is not None  # noqa: S101 (a pipe)
            with contextlib.suppress(BrokenPipeError):  # it is gone: `finish` says so
                self._process.stdin.write(f"{number}\n")
                self._process.stdin.flush()

    def finish(self, number: int) -> None:
        """Wait for it."""
        self.begin(number)
        assert self._process.stdout is not None  # noqa: S101 (a pipe)
        while (answer := self._process.stdout.readline().strip()) != str(number):
            if not answer:
                raise UserError(
                    f"the process that makes shards has ended (exit code {self._process.wait()}); what it said is "
                    "above. The same command goes on where it was"
                )
        self._asked = None

    def close(self) -> None:
        """Let it go; the part that it was making is not kept."""
        if self._asked is not None:
            self._process.terminate()
        self._process.communicate()


@contextlib.contextmanager
def beside(command: list[str]) -> Iterator[Beside]:
    """A process beside this one, until the block ends."""
    maker = Beside(command)
    try:
        yield maker
    finally:
        maker.close()


def serve(shards: ShardFolder, load: Callable[[], MakePart]) -> None:
    """What the process does: make the shards that it is asked for, until nobody asks any more.

    Args:
        shards: where they go.
        load: gives what fills a part; called when the first shard is asked for.
    """
    with _alone(shards.root):
        maker: Between | None = None
        for line in sys.stdin:
            maker = maker or Between(shards, load())
            maker.finish(int(line))
            sys.stdout.write(line)
            sys.stdout.flush()


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """The lock of the shards, which a killed coordinator's maker may hold for some moments more."""
    root.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + SECONDS_FOR_AN_ORPHAN
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(folder_lock(root))
                break
            except InUseError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield


def main() -> None:
    """Serve for the run of the YAML that is named."""
    from marian_distill.coordinate.coordinator import SHARDS, part_maker, planned
    from marian_distill.coordinate.settings import read_settings

    stop_request.how_to_go_on = lambda: "this process made shards"
    settings = read_settings(sys.argv[1])
    plan = planned(settings)
    serve(ShardFolder(settings.output_dir / SHARDS, plan), lambda: part_maker(settings, plan))


if __name__ == "__main__":
    run_command(main)
