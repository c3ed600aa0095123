"""Shards made on many machines: Ray Data gives the parts of a shard to workers, and makes those of a dead one again.

A worker fills a part's folder as any other maker does, in a place of its own, and sends it here packed; so nothing but
the teacher, the corpus and the prompt need be where the workers are. https://docs.ray.io/en/latest/data/data.html
"""

import contextlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from marian_distill.coordinate.making import MakePart
from marian_distill.coordinate.plan import PART, Part, Plan, ShardFolder
from marian_distill.coordinate.settings import Settings
from marian_distill.errors import UserError
from marian_distill.files import atomic_directory


class Worker:
    """Makes parts on some machine, with a teacher that it loads once.

    Args:
        load: gives what fills a part.
    """

    def __init__(self, load: Callable[[], MakePart]) -> None:
        self._make = load()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """A part's numbers → these, and its folder packed."""
        part = Part(*(int(row[name]) for name in Part._fields))
        with tempfile.TemporaryDirectory() as folder, io.BytesIO() as packed:
            self._make(part, Path(folder))
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.add(folder, arcname=".")
            return {**part._asdict(), "packed": packed.getvalue()}


class RayMaker:
    """A `making.Maker` over a Ray cluster.

    Args:
        shards: where the parts go, on this machine.
        load: gives what fills a part, on a worker.
        workers: how many.
        gpus: of each.
    """

    def __init__(self, shards: ShardFolder, load: Callable[[], MakePart], workers: int, gpus: int) -> None:
        self.shards, self.load, self.workers, self.gpus = shards, load, workers, gpus
        self._thread = ThreadPoolExecutor(1)
        self._begun: dict[int, Future[None]] = {}

    def begin(self, number: int) -> None:
        """Have the cluster begin a shard."""
        if number not in self._begun:
            self._begun[number] = self._thread.submit(self._fetch, number)

    def finish(self, number: int) -> None:
        """Wait for it."""
        self.begin(number)
        self._begun.pop(number).result()

    def _fetch(self, number: int) -> None:
        import ray.data  # pyright: ignore[reportMissingImports]

        missing = self.shards.missing(number)
        if not missing:
            return
        parts = ray.data.from_items([part._asdict() for part in missing], override_num_blocks=len(missing))
        made = parts.map(
            Worker,  # pyright: ignore[reportArgumentType]
            fn_constructor_args=[self.load],
            compute=ray.data.ActorPoolStrategy(size=min(self.workers, len(missing))),
            num_cpus=1,
            num_gpus=self.gpus,
        )
        for row in made.iter_rows():
            part = Part(*(int(row[name]) for name in Part._fields))
            with (
                atomic_directory(self.shards.part_path(part), PART) as folder,
                tarfile.open(fileobj=io.BytesIO(row["packed"])) as archive,
            ):
                archive.extractall(folder, filter="data")
        if missing := self.shards.missing(number):
            raise UserError(f"the Ray cluster has ended without part {missing[0].number} of shard {number}")


@contextlib.contextmanager
def cluster(address: str | None, workers: int) -> Iterator[None]:
    """A Ray cluster: the one of an address, or one on this machine for as long as the block lasts."""
    # Workers have the environment that their machine was given: no copy of this folder, installed anew by `uv run`.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError("shards: make: ray needs the package ray: uv sync --extra ray") from error
    try:
        if address:
            ray.init(address=address)
        else:
            ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    except ConnectionError as error:
        raise UserError(f"shards: ray_address {address}: no Ray cluster there ({error})") from error
    import ray.data  # pyright: ignore[reportMissingImports]

    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def ray_maker(settings: Settings, plan: Plan, shards: ShardFolder) -> Iterator[RayMaker]:
    """What makes the shards of a YAML on a cluster."""
    from marian_distill.coordinate.coordinator import part_maker

    workers, labels = settings.shards["workers"], settings.values.get("labels", {})
    gpus = int("cuda" in (labels.get("device"), settings.values.get("logits", {}).get("device")))
    with cluster(settings.shards["ray_address"], workers):
        yield RayMaker(shards, lambda: part_maker(settings, plan), workers, gpus)
