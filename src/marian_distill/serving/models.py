"""The models that a server has: found in folders, loaded, and exchanged while it runs when a folder changes on disk.

A model that is exchanged, or whose folder is gone, goes on until its last batch is done. A folder that cannot be
loaded (half copied, say) changes nothing until it changes again.
"""

import contextlib
import copy
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from marian_distill.errors import UserError
from marian_distill.files import read_json_object
from marian_distill.languages import DIRECTIONS, Direction, Language, languages_of
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.protection import Format, Protectable
from marian_distill.runtime.translator import declared_directions

logger = logging.getLogger(__name__)

# What a folder is recognised by, and the engine that reads it; a language model's has a model.bin as well.
ENGINES = {"bundle.json": "onnx", "tokenizer.json": "ctranslate2 generator", "model.bin": "ctranslate2"}
SECONDS_BETWEEN_LOOKS = 2.0
AT_HAND = ("models/*", "outputs/**/ct2-int8*")


class Search(NamedTuple):
    """What all sentences of a batch have in common."""

    direction: Direction
    beam_size: int = 1
    alternatives: int = 0
    format: Format = "text"
    glossary: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Model:
    """A folder's model, loaded."""

    name: str
    folder: Path
    engine: str
    directions: tuple[Direction, ...]
    bytes: int
    translator: Protectable

    def with_beam(self, beam_size: int) -> Protectable:
        """The same engine, another beam."""
        translator = copy.copy(self.translator)
        translator.beam_size = beam_size
        return translator


def find_folders(root: Path) -> list[Path]:
    """The model folders at hand: those that come with the repository, then those that its recipes exported."""
    found = [folder for pattern in AT_HAND for folder in sorted(root.glob(pattern)) if engine_of(folder)]
    return list(dict.fromkeys(found))


def engine_of(folder: Path) -> str | None:
    """Which engine reads a folder; None when it holds no model."""
    return next((engine for file, engine in ENGINES.items() if (folder / file).is_file()), None)


def name_of(folder: Path) -> str:
    """What a model is called: its folder, and the one above it where every export has the same name."""
    folder = folder.absolute()
    return f"{folder.parent.name}/{folder.name}" if folder.name.startswith("ct2-") else folder.name


def directions_of(folder: Path) -> tuple[Direction, ...]:
    """What a folder's config declares, or else its name says."""
    config = read_json_object(folder / ("bundle.json" if engine_of(folder) == "onnx" else "config.json"))
    named: tuple[Direction, ...] = tuple(direction for direction in DIRECTIONS if direction in name_of(folder))
    directions = declared_directions(config) or named
    if not directions:
        raise UserError(f"{folder}: its config declares no directions. Export it again with scripts/export_ct2.py.")
    return directions


def load(folder: Path, threads: int) -> Model:
    """Load a folder; `UserError` in one line when that cannot be."""
    engine = engine_of(folder)
    if engine is None:
        raise UserError(f"{folder}: no model here (model.bin or bundle.json). Make one with scripts/export_ct2.py.")
    directions = directions_of(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return Model(
        name_of(folder), folder, engine, directions, size, _translator(folder, engine, directions[0], threads)
    )


def _translator(folder: Path, engine: str, direction: Direction, threads: int):
    if engine == "onnx":
        from marian_distill.runtime.bundle_translator import BundleTranslator

        return BundleTranslator(folder, direction, threads=threads)
    if engine == "ctranslate2 generator":
        from marian_distill.runtime.prompted_translator import PromptedTranslator

        return PromptedTranslator(folder, direction, inter_threads=threads, intra_threads=1)
    # A batch is cut into smaller ones that are translated side by side, each on a thread of its own.
    return CTranslate2Translator(folder, direction, inter_threads=threads, intra_threads=1)


def stamp_of(folder: Path) -> tuple:
    """Changes whenever a file of the folder does, or the folder is another one; () while it is no model folder."""
    try:
        files = sorted((path.name, path.stat()) for path in folder.iterdir() if not path.name.startswith("."))
        return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in files)
    except OSError:
        return ()


class Models:
    """Model folders, and of each direction the first model that can translate it.

    Args:
        folders: in the order in which they are preferred.
        threads: of each engine.
        skip_broken: tell of a folder that cannot be loaded, and go on without it, unless none can.
    """

    def __init__(self, folders: Sequence[Path], threads: int, skip_broken: bool = False) -> None:
        self.threads = threads
        self.folders = list(folders)
        self._stamps = {folder: stamp_of(folder) for folder in folders}
        self._directions = self._read_directions(skip_broken)
        self._models: dict[Path, Model] = {}
        for folder in self._used():
            self._models[folder] = load(folder, threads)
        # Its `put` may interrupt itself, as one signal does another; an Event's `set` would wait for itself for ever.
        self._looks: SimpleQueue[None] = SimpleQueue()
        self._ended = False

    def _read_directions(self, skip_broken: bool) -> dict[Path, tuple[Direction, ...]]:
        found, last_error = {}, None
        for folder in self.folders:
            try:
                if engine_of(folder) is None:
                    raise UserError(f"{folder}: no model here. Make one with scripts/export_ct2.py.")
                found[folder] = directions_of(folder)
            except UserError as error:
                if not skip_broken:
                    raise
                logger.warning("%s", error)
                last_error = error
        if not found:
            raise last_error or UserError("no model folder given")
        return found

    def _used(self) -> Iterable[Path]:
        """The folders that some direction is translated by."""
        chosen = (self._folder_of(direction) for direction in DIRECTIONS)
        return dict.fromkeys(folder for folder in chosen if folder)

    def _folder_of(self, direction: str) -> Path | None:
        return next((folder for folder, directions in self._directions.items() if direction in directions), None)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """All that can be translated."""
        return tuple(direction for direction in DIRECTIONS if self._folder_of(direction))

    def of(self, direction: str) -> Model | None:
        """The model that translates a direction now."""
        folder = self._folder_of(direction)
        return self._models[folder] if folder else None

    def describe(self) -> list[dict]:
        """Every folder, whether it is loaded or another one is preferred."""
        told = []
        for folder, directions in self._directions.items():
            model = self._models.get(folder)
            told.append(
                {
                    "name": name_of(folder),
                    "directions": [
                        dict(zip(("source", "target"), languages_of(one), strict=True)) for one in directions
                    ],
                    "bytes": model.bytes if model else sum(size for _, _, size, _ in stamp_of(folder)),
                    "compute_type": model.translator.compute_type if model else None,
                    "engine": engine_of(folder) if model is None else model.engine,
                    "loaded": model is not None,
                }
            )
        return told

    # Exchanged while they are used

    def look_now(self, *_: object) -> None:
        """Look whether folders have changed without waiting; may be called by a signal, also within another one."""
        self._looks.put(None)

    def __enter__(self) -> "Models":
        self._watcher = threading.Thread(target=self._watch, name="model folders", daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = True
        self.look_now()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended:
            with contextlib.suppress(Empty):
                self._looks.get(timeout=SECONDS_BETWEEN_LOOKS)
            for folder in () if self._ended else list(self._models):
                self._exchange(folder)

    def _exchange(self, folder: Path) -> None:
        stamp = stamp_of(folder)
        if stamp == self._stamps[folder]:
            return
        self._stamps[folder] = stamp
        try:
            model = load(folder, self.threads)
            if model.directions != self._directions[folder]:
                raise UserError(f"{folder}: translates {' and '.join(model.directions)} now; start the server again")
        except (UserError, OSError) as error:
            logger.warning("%s. The model that was loaded before goes on.", str(error).rstrip("."))
            return
        self._models[folder] = model
        logger.warning("%s: exchanged for the new one", folder)


def languages_from(directions: Iterable[str]) -> Mapping[Language, list[Language]]:
    """Source language → target languages."""
    targets: dict[Language, list[Language]] = {}
    for direction in directions:
        source, target = languages_of(direction)
        targets.setdefault(source, []).append(target)
    return targets
