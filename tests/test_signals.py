"""A command that is told to stop does so within seconds, wherever it is, and leaves nothing half-written."""

import os
import signal
import subprocess
import sys
import time

import pytest

from marian_distill.signals import Stopped, StopRequest

COMMAND = """
import ctypes, sys, time
from marian_distill.errors import run_command
from marian_distill.files import atomic_writer

def main():
    with atomic_writer(sys.argv[1]) as stream:
        stream.write("half")
        print("working", flush=True)
        if sys.argv[2] == "engine":  # a call that no signal interrupts, while other threads may run
            mutex = ctypes.create_string_buffer(64)
            for _ in range(2):
                ctypes.CDLL(None).pthread_mutex_lock(mutex)
        time.sleep(60)

run_command(main)
"""


@pytest.mark.parametrize(
    ("number", "where", "code"),
    [(signal.SIGINT, "python", 130), (signal.SIGTERM, "python", 143), (signal.SIGINT, "engine", 130)],
)
def test_it_stops_within_seconds(number, code, where, tmp_path):
    command = [sys.executable, "-c", COMMAND, tmp_path / "out", where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        time.sleep(0.3)
        process.send_signal(number)
        start = time.monotonic()
        assert process.wait(timeout=30) == code
        assert time.monotonic() - start < 5
        assert process.stderr.read() == "stopped; the same command begins anew\n"
    assert not (tmp_path / "out").exists()
    if where == "python":  # else its remains are cleared by the next run
        assert list(tmp_path.iterdir()) == []


SAVES_IN_AN_ENGINE = """
import ctypes
from marian_distill import signals
from marian_distill.errors import run_command

signals.GRACE_SECONDS, signals.SAME_REQUEST_SECONDS = 0.2, 0.5

def main():
    signals.stop_request.hold_back()
    print("working", flush=True)
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)

run_command(main)
"""


def test_a_second_request_ends_what_would_save_but_cannot():
    command = [sys.executable, "-c", SAVES_IN_AN_ENGINE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.8)
        assert process.poll() is None  # it may yet save
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143


WORKERS = """
import multiprocessing, time
from marian_distill.errors import run_command

def main():
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    worker.start()
    time.sleep(0.5)
    worker.terminate()  # by SIGTERM, as a pool ends its workers
    worker.join()
    time.sleep(4)
    print("done", flush=True)

run_command(main)
"""


def test_what_its_workers_are_sent_does_not_end_it():
    done = subprocess.run([sys.executable, "-c", WORKERS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


# Requests


def test_a_request_waits_for_work_that_has_something_to_save():
    with StopRequest() as stop:
        stop.hold_back()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGINT)  # the same request, by another way
        assert stop.exit_code() == 143


def test_a_second_request_is_obeyed_at_once(monkeypatch):
    monkeypatch.setattr("marian_distill.signals.SAME_REQUEST_SECONDS", 0.05)
    with StopRequest() as stop:
        stop.hold_back()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_request_elsewhere_is_obeyed_at_once_and_the_signal_handed_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest(), pytest.raises(Stopped):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
