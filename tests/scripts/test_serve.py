"""The command that serves, as a process: what it says, how it stops, and that a model is exchanged under load."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from marian_distill.files import read_json, write_json

SCRIPT = Path(__file__).parents[2] / "scripts" / "serve.py"
TEA = ("We like tea.", "我们喜欢茶。")


def start(*options, cwd=None):
    command = [sys.executable, str(SCRIPT), "--port", "0", "--threads", "1", *map(str, options)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=cwd)
    said = []
    for line in process.stderr:
        said.append(line)
        if match := re.search(r"http://\S+:\d+", line):
            threading.Thread(target=lambda: said.extend(process.stderr), daemon=True).start()
            return process, match[0], said
    raise AssertionError("".join(said))


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def translated(address, text=TEA[0]):
    return httpx.post(f"{address}/api/translate", json={"text": text}, timeout=30).json()["translations"][0]["text"]


def test_sigterm_ends_it_after_what_was_taken_is_answered(toy_ct2_dir):
    process, address, said = start("--model-dir", toy_ct2_dir)
    host, port = address.removeprefix("http://").split(":")
    body = json.dumps({"text": [" ".join([TEA[0]] * 9)] * 99, "beam_size": 4}).encode()
    head = (
        f"POST /api/translate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert process.wait(30) == 143
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["translations"][98]["text"] == TEA[1] * 9
    assert said[-1] == "stopped; every request that was taken is answered\n"


def test_a_model_is_exchanged_without_a_lost_request(toy_ct2_dir, tmp_path):
    served, other = tmp_path / "ct2-served", tmp_path / "ct2-other"
    for folder in (served, other):
        shutil.copytree(toy_ct2_dir, folder)
    write_json(other / "config.json", {**read_json(other / "config.json"), "comment": "another export"})
    process, address, said = start("--model-dir", served)
    try:
        stop, answers = threading.Event(), []

        def ask():
            with httpx.Client(base_url=address, timeout=30) as client:
                while not stop.is_set():
                    answers.append(client.post("/api/translate", json={"text": TEA[0]}).status_code)

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for one in asking:
            one.start()
        wait_for(lambda: len(answers) > 3)
        served.rename(tmp_path / "old")  # for a moment there is none
        time.sleep(0.1)
        process.send_signal(signal.SIGHUP)
        other.rename(served)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: any("exchanged for the new one" in line for line in said))
        answered = len(answers)
        wait_for(lambda: len(answers) > answered + 3)
        shutil.rmtree(served)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert translated(address) == TEA[1]  # the folder is gone, the model is not
        stop.set()
        for one in asking:
            one.join()
        assert set(answers) == {200}
    finally:
        process.kill()
        process.wait()


def test_a_signal_within_a_signal_does_not_stop_it(toy_ct2_dir):
    process, address, _ = start("--model-dir", toy_ct2_dir)
    try:
        for _ in range(2_000):
            process.send_signal(signal.SIGHUP)
        assert translated(address) == TEA[1]
    finally:
        process.kill()
        process.wait()


def test_a_half_copied_model_changes_nothing(toy_ct2_dir, tmp_path):
    served = tmp_path / "ct2-served"
    shutil.copytree(toy_ct2_dir, served)
    process, address, said = start("--model-dir", served)
    try:
        with (served / "model.bin").open("r+b") as stream:
            stream.truncate(1000)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: any("goes on" in line for line in said))
        assert translated(address) == TEA[1]
    finally:
        process.kill()
        process.wait()


def test_with_no_options_it_serves_what_is_at_hand(toy_ct2_dir, tmp_path):
    shutil.copytree(toy_ct2_dir, tmp_path / "models" / "tiny-en-zh")
    shutil.copytree(toy_ct2_dir, tmp_path / "outputs" / "mine" / "ct2-int8")
    (tmp_path / "outputs" / "broken" / "ct2-int8").mkdir(parents=True)
    (tmp_path / "outputs" / "broken" / "ct2-int8" / "model.bin").touch()
    process, address, said = start(cwd=tmp_path)
    try:
        models = httpx.get(f"{address}/models").json()
        assert [(one["name"], one["loaded"]) for one in models] == [("tiny-en-zh", True), ("mine/ct2-int8", False)]
        assert sum("broken/ct2-int8" in line for line in said) == 1
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "uv run snakemake -s recipes/quickstart/Snakefile --cores all"),
        (("--model-dir", "absent"), "absent: no model here"),
        (("--port", "70000"), "70000: expected a whole number, 0 to 65535"),
        (("--most-seconds", "0"), "--most-seconds: 0: expected a number"),
    ],
)
def test_mistakes_are_one_line(options, message, tmp_path):
    command = [sys.executable, str(SCRIPT), *options]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ)
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert message in line
