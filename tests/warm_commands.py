"""Commands without the seconds that imports take: a process that has imported everything forks itself for each.

For a recipe of dozens of commands whose results are asked for, not its processes: in place of `uv run`, `uv` on the
PATH of `environment` sends a command's words, folder, environment and standard streams to a server, and ends with its
exit code.
"""

import atexit
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLIENT = """#!{python} -ES
import json, os, socket, sys
words = sys.argv[1:]
assert words[0] == "run", words
words = words[2:] if words[1] == "-s" else words[1:]
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    asked = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(asked)
    sys.exit((server.recv(1) or b"\\x01")[0])
"""


@contextmanager
def warm_commands(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Serve while it lasts; the environment in which `uv` is the client. `folder` is new and has a short name."""
    folder.mkdir()
    path, client = folder / "socket", folder / "uv"
    client.write_text(CLIENT.format(python=sys.executable, socket=str(path)), encoding="utf-8")
    client.chmod(0o755)
    environment = environment | {"PATH": f"{folder}{os.pathsep}{environment['PATH']}"}
    command = [sys.executable, __file__, str(path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdout.readline()  # it listens
        try:
            yield environment
        finally:
            server.terminate()


def serve(path: str) -> None:
    """Listen for ever; a fork of this process runs each command."""
    import marian_distill.evaluation.evaluate
    import marian_distill.export.ctranslate2
    import marian_distill.text.tokenization
    import marian_distill.training.trainer  # noqa: F401

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    print("listening", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            connection.sendall(bytes([run(connection)]))
            os._exit(0)
        connection.close()


def run(connection: socket.socket) -> int:
    """Become the command that is asked for; its exit code."""
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as stream:
        words, folder, environment = json.loads(stream.read(int.from_bytes(size, "big")))
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
    code: object = 0
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as leaving:
        code = leaving.code or 0
    except BaseException:  # what Python itself does with what nobody has caught
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    return code if isinstance(code, int) else 1


if __name__ == "__main__":
    serve(sys.argv[1])
