"""Kill a toy stage before each of its file operations, give the same command again, compare the weights.

    uv run python tests/kill_points.py

Prints a line for each operation after which the second run does not end as an undisturbed one, and a count; a minute
or two for each hundred operations. A sample of them is part of the test suite.
"""

import contextlib
import os
import runpy
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from marian_distill.errors import run_command
from marian_distill.files import sha256
from toy_training import COMMAND, stage_options, write_toy_stage

# Audit events (docs.python.org/3/library/audit_events.html) that change files; os.rename stands for os.replace too.
CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate"}
KILLED = -signal.SIGKILL
# What a run is like: a constant rate, so that a step too many shows, dropout, more than one epoch, noise.
PLAIN = {
    "max_steps": 5,
    "save_steps": 2,
    "save_total_limit": 2,
    "lr_scheduler_type": "constant",
    "eval_dataset": None,
    "source_noise": 0.5,
}
# Evaluations that choose the weights: the rate is so high that they soon grow worse.
BEST = {
    "max_steps": 9,
    "save_steps": 1,
    "save_total_limit": 1,
    "lr_scheduler_type": "constant",
    "learning_rate": 0.5,
    "eval_strategy": "steps",
    "eval_steps": 1,
    "load_best_model_at_end": True,
    "early_stopping_patience": 2,
}
SCENARIOS = {"plain": PLAIN, "best": BEST}


class Outcome(NamedTuple):
    """How a run in a process of its own ended."""

    code: int  # exit code, or minus the signal
    operations: int  # changes to files of the output folder
    last: str  # the last of them
    errors: str


def run(options: list[str], output_dir: Path, kill_before: int = 0, command: Path = COMMAND) -> Outcome:
    """Run a command in a fork of this process, which has its imports; kill it before an operation."""
    with tempfile.TemporaryDirectory() as reports:
        child = os.fork()
        if child == 0:
            _run_child(command, options, output_dir, kill_before, Path(reports))
        _, status = os.waitpid(child, 0)
        lines = Path(reports, "operations").read_text(encoding="utf-8").splitlines()
        errors = Path(reports, "stderr").read_text(encoding="utf-8")
    return Outcome(os.waitstatus_to_exitcode(status), len(lines), lines[-1] if lines else "none", errors)


def _run_child(command: Path, options: list[str], output_dir: Path, kill_before: int, reports: Path) -> None:
    code = 1
    with contextlib.suppress(BaseException):
        operations = os.open(reports / "operations", os.O_WRONLY | os.O_CREAT)
        stderr = os.open(reports / "stderr", os.O_WRONLY | os.O_CREAT)
        os.dup2(stderr, 2)
        os.dup2(stderr, 1)
        sys.stderr, sys.stdout = os.fdopen(2, "w"), os.fdopen(1, "w")
        inside, count = str(output_dir), 0

        def watch(event: str, arguments: tuple) -> None:
            nonlocal count
            if event not in CHANGES or not isinstance(arguments[0], str | os.PathLike):
                return
            path = os.fspath(arguments[0])
            if not str(path).startswith(inside) or (event == "open" and not _writes(arguments)):
                return
            count += 1
            if count == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(operations, f"{event} {str(path).removeprefix(inside)}\n".encode())

        sys.addaudithook(watch)
        sys.argv = [str(command), *options]
        try:
            run_command(runpy.run_path(str(command))["main"])
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


def _writes(arguments: tuple) -> bool:
    mode, flags = arguments[1], arguments[2]
    return bool(set(mode or "") & set("wax+")) or bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))


class KillPoints:
    """A scenario's undisturbed run, and its kill points one by one."""

    def __init__(self, stage: Path, folder: Path, **options) -> None:
        self.output = folder / "run"
        self.options = stage_options(stage, self.output, **{"tokens_per_batch": 1500, **options})
        shutil.rmtree(self.output, ignore_errors=True)
        whole = run(self.options, self.output)
        assert whole.code == 0, whole.errors
        self.operations = whole.operations
        self.weights = sha256(self.output / "model.safetensors")

    def problem(self, point: int) -> str | None:
        """Kill before the operation and run again; what differs then from the undisturbed run."""
        shutil.rmtree(self.output, ignore_errors=True)
        killed = run(self.options, self.output, kill_before=point)
        if killed.code != KILLED:
            return f"was not killed: {killed.errors}"
        after = f"killed after {killed.last}: "
        again = run(self.options, self.output)
        if again.code != 0:
            return f"{after}exit code {again.code}: {again.errors.strip().splitlines()[-1]}"
        if sha256(self.output / "model.safetensors") != self.weights:
            return f"{after}other weights"
        left = [path.name for path in self.output.iterdir() if path.name.startswith(".") or path.name == "staged"]
        return f"{after}{left} left behind" if left else None


@contextlib.contextmanager
def warmed_up() -> Iterator[None]:
    """Import once what every fork needs; the speed of this machine is not what is tested."""
    import datasets
    import torch

    from marian_distill.training import callbacks

    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    matrix_rate = callbacks.matrix_rate
    callbacks.matrix_rate = lambda *_: 1.0
    try:
        yield
    finally:
        callbacks.matrix_rate = matrix_rate


def main() -> int:
    """Every kill point of every scenario."""
    failures = 0
    with warmed_up(), tempfile.TemporaryDirectory() as folder:
        os.environ["HF_DATASETS_CACHE"] = str(Path(folder, "cache"))
        write_toy_stage(Path(folder, "stage"))
        for name, options in SCENARIOS.items():
            points = KillPoints(Path(folder, "stage"), Path(folder), **options)
            problems = {point: points.problem(point) for point in range(1, points.operations + 1)}
            for point, problem in problems.items():
                if problem:
                    print(f"{name}, operation {point}: {problem}")
            bad = sum(map(bool, problems.values()))
            print(f"{name}: {points.operations} kill points, {bad} end otherwise than the undisturbed run")
            failures += bad
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
