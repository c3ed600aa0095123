# Included by every recipe: a line for each stage in place of Snakemake's tables, and a stop that keeps what is done.
from pathlib import Path

from marian_distill.workflow import Stages

STAGE_LINES = Stages(workflow)


def show(report):
    """Print a report at the end, where what was asked for includes it."""
    if Path(report).is_file():
        print(Path(report).read_text(encoding="utf-8"))


onstart:
    STAGE_LINES.listen()


onerror:
    STAGE_LINES.say_how_to_go_on()
