"""`--push-to-hub` against a stand-in for the hub on this machine: what is uploaded, and what never is."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from transformers import MarianMTModel, MarianTokenizer

from toy_training import COMMAND, stage_options

TOKEN = "hf_" + "secret" * 5
NAME = "someone/toy-student"


class FakeHub(ThreadingHTTPServer):
    """Takes every file as a plain one, inside the commit."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.files: dict[str, bytes] = {}
        self.commits = 0
        self.refused = False  # with 403, as a token without the right to write is

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def do_GET(self) -> None:
        if self.server.refused:
            self.answer({"error": "Repository not found"}, 404)
        else:
            self.answer({"id": NAME, "sha": "0" * 40, "siblings": [], "name": "someone", "type": "user"})

    def do_POST(self) -> None:
        self.server.requests.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        if self.server.refused:
            self.answer({"error": "You don't have the rights to write here"}, 403)
        elif self.path == "/api/repos/create":
            self.answer({"id": NAME, "name": NAME, "url": f"{self.server.address}/{NAME}"})
        elif "/preupload/" in self.path:
            files = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in files]
            self.answer({"files": modes, "commitOid": "0" * 40})
        elif "/commit/" in self.path:
            self.server.commits += 1
            for line in body.splitlines():
                one = json.loads(line)
                if one["key"] == "file":
                    self.server.files[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
            self.answer({"commitUrl": f"{self.server.address}/{NAME}/commit/{'1' * 40}", "commitOid": "1" * 40})
        else:
            self.answer({"errors": [], "warnings": []})  # the card is checked

    def answer(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def fake_hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def push(fake_hub: FakeHub, options: list[str], home: Path) -> subprocess.CompletedProcess:
    # The hub's client reads its address once: a process of its own.
    environment = os.environ | {"HF_ENDPOINT": fake_hub.address, "HF_TOKEN": TOKEN, "HF_HOME": str(home)}
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, str(COMMAND), *options, "--push-to-hub", "--hub-model-id", NAME]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_a_finished_run_is_pushed_whole_in_one_commit(fake_hub, toy_stage, tmp_path):
    output = tmp_path / "toy-student"
    options = stage_options(toy_stage, output, save_steps=2, hub_token=TOKEN)
    done = push(fake_hub, options, tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert f"pushed: {fake_hub.address}/{NAME}/commit/" in done.stderr
    assert fake_hub.commits == 1
    # The log stays at home: it names this machine and its folders.
    assert set(fake_hub.files) == {path.name for path in output.iterdir() if path.is_file()} - {"train.log"}
    assert {"model.safetensors", "config.json", "generation_config.json", "README.md"} < set(fake_hub.files)
    assert {"source.spm", "target.spm", "vocab.json", "tokenizer_config.json"} < set(fake_hub.files)
    assert {"options.json", "run.json", "log.json"} < set(fake_hub.files)
    assert not [name for name in fake_hub.files if "checkpoint" in name or name.endswith((".bin", ".pt", ".pth"))]
    assert not [name for name, content in fake_hub.files.items() if TOKEN.encode() in content]
    assert b"library_name: transformers" in fake_hub.files["README.md"]

    fetched = tmp_path / "fetched"
    fetched.mkdir()
    for name, content in fake_hub.files.items():
        (fetched / name).write_bytes(content)
    inputs = MarianTokenizer.from_pretrained(fetched)(["I want coffee."], return_tensors="pt")
    assert len(MarianMTModel.from_pretrained(fetched).generate(**inputs)) == 1

    fake_hub.files.clear()
    again = push(fake_hub, options, tmp_path / "home")
    assert again.returncode == 0, again.stderr
    assert "is finished" in again.stderr
    assert "model.safetensors" in fake_hub.files


def test_a_hub_that_is_not_there_is_told_before_training(fake_hub, toy_stage, tmp_path):
    fake_hub.server_address = ("127.0.0.1", 9)  # where nobody listens
    done = push(fake_hub, stage_options(toy_stage, tmp_path / "run"), tmp_path / "home")
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(("error", "Traceback"))]
    assert line.startswith(f"error: --push-to-hub: cannot create {NAME} (")
    assert "check name, token and network" in line


def test_a_hub_that_says_no_is_told_before_training(fake_hub, toy_stage, tmp_path):
    fake_hub.refused = True
    done = push(fake_hub, stage_options(toy_stage, tmp_path / "run"), tmp_path / "home")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(("error", "Traceback"))]
    assert line.startswith(f"error: --push-to-hub: cannot create {NAME} (")
    assert "rights to write" in line
    assert not (tmp_path / "run").exists()
