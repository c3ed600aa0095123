"""What every test runs under: one thread a process, and commands that need not compile their imports again.

Some hundred tests start a command, one a core at a time; models this small are slower on two threads than on one.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile

import pytest

from toy_language_model import toy_prompted_dir, toy_tokenizer, toy_writer_ct2_dir, toy_writer_dir  # noqa: F401
from toy_model import toy_bundle_dir, toy_ct2_dir, toy_model_dir  # noqa: F401
from toy_training import datasets_cache, distill, toy_stage  # noqa: F401

os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in a shell's background: commands would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.dont_write_bytecode:  # as in many containers: torch and transformers take 8 of 12 seconds to compile
    BYTECODE = tempfile.mkdtemp(prefix="distill-bytecode-")
    atexit.register(shutil.rmtree, BYTECODE, ignore_errors=True)
    sys.dont_write_bytecode, sys.pycache_prefix = False, BYTECODE
    del os.environ["PYTHONDONTWRITEBYTECODE"]
    os.environ["PYTHONPYCACHEPREFIX"] = BYTECODE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with slow tests first, so that no process is left alone with one of them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
