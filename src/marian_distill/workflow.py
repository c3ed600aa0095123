"""What every recipe's Snakefile shares: a line for each stage, and a stop that keeps what is done.

Snakemake's tables are replaced by which stage runs, of how many, and the time left. Ctrl-C, SIGINT and SIGTERM are
handed on to the commands that run, which save and leave; a workflow that is killed outright they notice by themselves
(`signals`). https://snakemake.readthedocs.io/en/stable/
"""

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import yaml
from snakemake.logging import LogEvent, logger

from marian_distill.signals import OWNER, STOP_SIGNALS

OTHER_MINUTES = 0.2  # what a rule without a YAML that states `expected_minutes` takes
WORTH_A_LINE = 10  # seconds of a stage whose end is told


class Stages(logging.Formatter):
    """The formatter of Snakemake's messages on the terminal; what it makes empty is not written.

    Args:
        workflow: the Snakefile's global of that name.
    """

    def __init__(self, workflow: Any) -> None:
        super().__init__()
        self.workflow = workflow
        self.started: dict[int, float] = {}  # job id → when
        self.finished: dict[int, tuple[float, float]] = {}  # job id → minutes stated, minutes taken
        self.total = 0
        self.stopping = False
        if workflow.is_main_process:
            os.environ[OWNER] = str(os.getpid())
            console = next(handler for handler in logger.handlers if not isinstance(handler, logging.FileHandler))
            self.usual = console.formatter or logging.Formatter()
            console.setFormatter(self)

    # Lines

    def format(self, record: logging.LogRecord) -> str:
        """A line, or nothing."""
        message: Any = record
        event = getattr(record, "event", None)
        if self.workflow.dryrun or (event is None and str(record.msg).startswith("Nothing to be done")):
            return self.usual.format(record)
        if event == LogEvent.RUN_INFO:
            self.total = len(self._stages())
            return f"{self.total} stages to run, {about(self._minutes_left())}"
        if event == LogEvent.JOB_INFO:
            return self._begins(self._job(message.jobid))
        if event == LogEvent.SHELLCMD:
            return f"    {' '.join(message.shellcmd.split())}" if message.shellcmd else ""
        if event == LogEvent.JOB_FINISHED:
            return self._ends(self._job(message.job_id))
        if self.stopping or record.levelno < logging.WARNING:
            return ""
        if event == LogEvent.JOB_ERROR:
            return f"{_name(self._job(message.jobid))} failed: what it said, and its command, are above"
        repeats = getattr(record, "exception", "") in ("RuleException", "CalledProcessError")
        return "" if repeats or "At least one job did not complete" in str(record.msg) else self.usual.format(record)

    def _stages(self) -> list[Any]:
        """Jobs that are not done yet, without rules that only name what is wanted."""
        return [job for job in self.workflow.dag.needrun_jobs() if not job.is_norun]

    def _job(self, jobid: int) -> Any:
        return next(job for job in self.workflow.dag.jobs if self.workflow.dag.jobid(job) == jobid)

    def _begins(self, job: Any) -> str:
        if job.is_norun:
            return ""
        left = self._minutes_left()
        self.started[job.jobid] = time.monotonic()
        which = f"stage {len(self.started)} of {self.total}: {_name(job)}"
        return f"{which} ({about(stated_minutes(job.input))}); left in all: {about(left)}"

    def _ends(self, job: Any) -> str:
        if job.jobid not in self.started:
            return ""
        seconds = time.monotonic() - self.started[job.jobid]
        self.finished[job.jobid] = (stated_minutes(job.input), seconds / 60)
        return f"done: {_name(job)}, {seconds / 60:.1f} min" if seconds > WORTH_A_LINE else ""

    def _minutes_left(self) -> float:
        """Stated minutes, as much longer as the stages took that state them; stages may share the cores."""
        told = [pair for pair in self.finished.values() if pair[0] > OTHER_MINUTES]
        pace = sum(taken for _, taken in told) / sum(stated for stated, _ in told) if told else 1.0
        cores = self.workflow.cores or 1
        left = 0.0
        for job in self._stages():
            if job.jobid not in self.finished:
                since = (time.monotonic() - self.started.get(job.jobid, time.monotonic())) / 60
                left += max(stated_minutes(job.input) * pace - since, 0.0) * min(job.threads, cores) / cores
        return left

    # Stop

    def listen(self) -> None:
        """Take SIGINT and SIGTERM over from Snakemake, which would wait for the commands to end by themselves."""
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                signal.signal(number, self._hand_on)

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        """Have the commands stop as they do after Ctrl-C; Snakemake waits for them."""
        again, self.stopping = self.stopping, True
        for process in psutil.Process().children(recursive=True):
            if process.name().startswith("python"):
                process.send_signal(signal.SIGINT)
        if not again:
            raise KeyboardInterrupt

    def say_how_to_go_on(self) -> None:
        """The last line of a workflow that did not end."""
        what = "stopped;" if self.stopping else "a stage failed; mend what it says above, then"
        print(f"{what} the same command goes on where it was", file=sys.stderr)


def _name(job: Any) -> str:
    return " ".join([job.rule.name, *map(str, job.wildcards_dict.values())])


def stated_minutes(inputs: Any) -> float:
    """What the stage's YAML among a job's inputs states as `expected_minutes`."""
    for path in (Path(str(name)) for name in inputs):
        if path.suffix == ".yaml" and path.is_file():
            return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("expected_minutes", OTHER_MINUTES)
    return OTHER_MINUTES


def about(minutes: float) -> str:
    """Such as "about 3 min"."""
    if minutes < 0.75:
        return "under a minute"
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"
