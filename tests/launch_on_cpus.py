"""Runs distill_zh_en.py under an accelerate config as a process of `accelerate launch` would on GPUs, here on a CPU.

    RANK=0 LOCAL_RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=… python launch_on_cpus.py CONFIG.yaml OPTIONS …

accelerate shards on GPUs alone, for no reason that lies in PyTorch: it is told that these processes have some.
Writes what the processes sent each other within a step into collectives.json of the environment's COLLECTIVES folder.
"""

import json
import os
import sys
from pathlib import Path

from accelerate import state
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.dataclasses import DistributedType
from accelerate.utils.launch import prepare_multi_gpu_env

COMMAND = Path(__file__).parents[1] / "distill_zh_en.py"


def environment_of(config: str) -> dict[str, str]:
    """What `accelerate launch --config_file CONFIG` sets for its processes."""
    arguments = launch_command_parser().parse_args(["--config_file", config, str(COMMAND)])
    arguments, *_ = _validate_launch_command(arguments)
    return prepare_multi_gpu_env(arguments)


class StateWithGpus(state.AcceleratorState):
    """Takes the sharding plugin on a CPU too."""

    def __init__(self, *arguments, fsdp_plugin=None, **options) -> None:
        super().__init__(*arguments, fsdp_plugin=fsdp_plugin, **options)
        if fsdp_plugin is not None:
            self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin
            state.PartialState._shared_state["distributed_type"] = DistributedType.FSDP


def count_collectives(folder: Path) -> None:
    """Have the trainer count what is sent from its first log, after the first step, to the end of the second step."""
    from torch import profiler
    from transformers import TrainerCallback

    from marian_distill.training import progress

    class Count(TrainerCallback):
        def on_log(self, args, state, control, **kwargs):
            if state.global_step == 1:
                self.profile = profiler.profile(activities=[profiler.ProfilerActivity.CPU])
                self.profile.start()

        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 2:
                self.profile.stop()
                names = [event.name for event in self.profile.events() if event.name.startswith("gloo:")]
                if state.is_world_process_zero:
                    (folder / "collectives.json").write_text(json.dumps(sorted(names)))

    show_progress = progress.show_progress

    def show_progress_and_count(trainer):
        show_progress(trainer)
        trainer.add_callback(Count())

    progress.show_progress = show_progress_and_count


if __name__ == "__main__":
    own = {name: os.environ[name] for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}
    os.environ |= environment_of(sys.argv.pop(1)) | own
    import accelerate.accelerator

    accelerate.accelerator.AcceleratorState = StateWithGpus
    import runpy

    if "COLLECTIVES" in os.environ:
        count_collectives(Path(os.environ["COLLECTIVES"]))

    runpy.run_path(str(COMMAND), run_name="__main__")
