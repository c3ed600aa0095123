# Included by every recipe: a line for each stage in place of Snakemake's tables, and a stop that keeps what is done.
from marian_distill.workflow import Stages

STAGE_LINES = Stages(workflow)


onstart:
    STAGE_LINES.listen()


onerror:
    STAGE_LINES.say_how_to_go_on()
