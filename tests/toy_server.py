"""A real server of the toy model, in a thread of the test's process, on a port of its own."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from marian_distill.serving.app import create_app
from marian_distill.serving.limits import Keys, Limits
from marian_distill.serving.models import Models


@contextmanager
def serving(folders: Sequence[Path], limits: Limits | None = None, keys: Sequence[str] = ()) -> Iterator[str]:
    """Serve model folders; the server's address."""
    app = create_app(Models(folders, threads=1), limits or Limits(), Keys(keys))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def address(toy_ct2_dir: Path) -> Iterator[str]:
    """Of a server that all tests share."""
    with serving([toy_ct2_dir]) as found:
        yield found


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx.Client]:
    """A client of it."""
    with httpx.Client(base_url=address, timeout=30) as found:
        yield found
