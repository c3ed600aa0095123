"""Kill a coordinated run at random moments (SIGKILL): no shard is lost, none trained twice, the weights are the same.

    uv run python tests/kill_coordinator.py              20 runs, each killed once and given again; one killed often
    uv run python tests/kill_coordinator.py --kills 4    fewer

Of the runs every other one makes its shards in a process beside, which outlives the coordinator for some moments. A
line for each kill that did harm, and a count at the end; about ten minutes.
"""

import argparse
import os
import random
import runpy
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import ctranslate2.converters  # noqa: F401 (once, not in every fork)
import transformers.models.qwen2.modeling_qwen2
import transformers.models.qwen3.modeling_qwen3  # noqa: F401

import marian_distill.coordinate.kinds
import marian_distill.export.language_model
import marian_distill.teachers.llm.transformers_engine
import marian_distill.training.caching  # noqa: F401
from kill_points import warmed_up
from marian_distill.errors import run_command
from marian_distill.files import read_json, sha256
from toy_chat import write_toy_chat
from toy_coordinated import SCRIPT, write_coordinated, write_settings


class Run:
    """A run in a fork of this process, which has its imports."""

    def __init__(self, config: Path) -> None:
        self.most_on_disk, self.code = 0, None
        self._shards = config.parent / "run" / "shards"
        self._child = os.fork()
        if self._child == 0:
            log = os.open(config.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            sys.stderr = os.fdopen(2, "w")
            sys.argv = [str(SCRIPT), str(config)]
            code = 0
            try:
                run_command(runpy.run_path(str(SCRIPT))["main"])
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else 1
            os._exit(code)

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None where it still runs after so many seconds; shards are counted meanwhile."""
        end = time.monotonic() + seconds
        while self.code is None and time.monotonic() < end:
            shards = [path for path in self._shards.glob("*") if path.name.isdecimal()]
            self.most_on_disk = max(self.most_on_disk, len(shards))
            child, status = os.waitpid(self._child, os.WNOHANG)
            if child:
                self.code = os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        return self.code

    def kill(self) -> None:
        """As `kill -9` does."""
        os.kill(self._child, signal.SIGKILL)
        self.wait(60)


def outcome(folder: Path) -> tuple[str, list[int]]:
    """The weights and the steps of a finished run."""
    log = read_json(folder / "run/model/log.json")
    return sha256(folder / "run/model/model.safetensors"), [entry["step"] for entry in log if "loss" in entry]


def finished(config: Path) -> Run:
    """A run to its end."""
    run = Run(config)
    if run.wait(600) != 0:
        sys.exit(f"exit code {run.code}: {config.with_suffix('.log').read_text()[-3000:]}")
    return run


def main() -> int:
    """Undisturbed runs, killed ones, and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator, harm, most = random.Random(arguments.seed), 0, 0
    with warmed_up(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child = os.fork()
        if child == 0:  # threads of engines stay out of the process that forks
            write_toy_chat_folder(folder / "chat")
            os._exit(0)
        os.waitpid(child, 0)
        write_coordinated(folder, folder / "chat")
        training = {"save_steps": 1, "eval_text": str(folder / "dev.tsv"), "eval_strategy": "steps", "eval_steps": 2}
        configs = [
            write_settings(folder, folder / "chat", training=training, shards={"make": make}).rename(
                folder / f"{make}.yaml"
            )
            for make in ("between", "beside")
        ]
        expected, seconds = [], []
        for config in configs:
            shutil.rmtree(folder / "run", ignore_errors=True)
            begun = time.monotonic()
            most = max(most, finished(config).most_on_disk)
            seconds.append(time.monotonic() - begun)
            expected.append(outcome(folder))
        print(f"undisturbed: {len(expected[0][1])} steps, {seconds[0]:.0f} s, beside {seconds[1]:.0f} s", flush=True)
        harm += expected[0] != expected[1]
        for number in range(arguments.kills):
            which = number % 2
            shutil.rmtree(folder / "run", ignore_errors=True)
            run, moment = Run(configs[which]), generator.uniform(0, seconds[which])
            run.wait(moment)
            done = run.code is not None
            if not done:
                run.kill()
            again = finished(configs[which])
            most = max(most, run.most_on_disk, again.most_on_disk)
            same = outcome(folder) == expected[which]
            harm += not same
            how = "had ended" if done else "killed"
            print(f"{configs[which].stem}: {how} after {moment:.1f} s: {'same' if same else 'OTHER'}", flush=True)
        shutil.rmtree(folder / "run", ignore_errors=True)
        kills = 0
        while kills < arguments.kills:
            run = Run(configs[0])
            if run.wait(generator.uniform(0, seconds[0] / 2)) is not None:
                break
            run.kill()
            kills += 1
        most = max(most, finished(configs[0]).most_on_disk)
        same = outcome(folder) == expected[0]
        harm += not same
        print(f"one run, killed {kills} times: {'same' if same else 'OTHER'}")
    print(f"{harm} ended otherwise than the undisturbed run; at most {most} shards on the disk")
    return int(harm > 0 or most > 2)


def write_toy_chat_folder(folder: Path) -> None:
    """The teacher."""
    folder.mkdir()
    write_toy_chat(folder)


if __name__ == "__main__":
    sys.exit(main())
