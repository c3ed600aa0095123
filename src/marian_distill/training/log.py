"""Where a stage's lines go: stderr from the first second on, and OUTPUT_DIR/train.log as soon as there is that folder.

Imports nothing that takes long, so that the first line comes before torch is loaded.
"""

import logging
import logging.handlers
import sys
import warnings
from pathlib import Path

from tqdm import tqdm

LOG_FILE = "train.log"


class _Console(logging.Handler):
    """Writes lines above the bars that tqdm draws, if it draws any."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


class TrainingLog:
    """Takes the lines of all loggers while the block runs."""

    def __enter__(self) -> "TrainingLog":
        console = _Console()
        console.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        early = logging.handlers.MemoryHandler(capacity=10_000, flushLevel=logging.CRITICAL + 1)
        self._handlers: list[logging.Handler] = [console, early]
        self._early = early
        root = logging.getLogger()
        root.setLevel(logging.INFO)
        for handler in self._handlers:
            root.addHandler(handler)
        for client in ("httpx", "httpx2"):  # the hub's
            logging.getLogger(client).setLevel(logging.WARNING)
        return self

    def write_into(self, folder: Path) -> None:
        """Append to the folder's train.log what was logged so far and what is logged from now on."""
        file = logging.FileHandler(folder / LOG_FILE, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        self._early.setTarget(file)
        self._early.flush()
        root = logging.getLogger()
        root.removeHandler(self._early)
        root.addHandler(file)
        self._handlers.append(file)

    def __exit__(self, *error: object) -> None:
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()


def hush_libraries(bars: bool) -> None:
    """Leave out what Transformers and Datasets say of themselves; `bars`: their progress bars stay."""
    from datasets import disable_progress_bars
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")  # a normaliser that is not used here
    if not bars:
        transformers_logging.disable_progress_bar()
        disable_progress_bars()
