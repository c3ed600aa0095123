import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from marian_distill.serving.app import create_app
from marian_distill.serving.limits import Keys, Limits
from marian_distill.serving.models import Models
from toy_model import toy_ct2_dir, toy_model_dir  # noqa: F401


@contextmanager
def serving(folders, limits=None, keys=None) -> Iterator[str]:
    """A real server on a port of its own; its address."""
    app = create_app(Models(folders, threads=1), limits or Limits(), Keys(keys or ()))
    config = uvicorn.Config(app, port=0, log_level="error", limit_concurrency=(limits or Limits()).connections)
    server = uvicorn.Server(config)
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
def address(toy_ct2_dir) -> Iterator[str]:  # noqa: F811
    with serving([toy_ct2_dir]) as address:
        yield address


@pytest.fixture(scope="session")
def client(address) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client
