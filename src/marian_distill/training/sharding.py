"""A student whose weights are shared out among processes: by PyTorch's FSDP2, `fully_shard`, or by DeepSpeed's ZeRO-3.

Zhao et al. 2023, "PyTorch FSDP", https://arxiv.org/abs/2304.11277; Rajbhandari et al. 2020, "ZeRO",
https://arxiv.org/abs/1910.02054. The model is one unit: the forward pass of a student reads the weights of all layers
itself, and the one embedding table has four places in the model, which must not belong to different units.
"""

import importlib.util
import os
from pathlib import Path

import torch
from accelerate import FullyShardedDataParallelPlugin
from torch import distributed
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from transformers import TrainingArguments

from marian_distill.errors import UserError
from marian_distill.students.shares import shared_out_by_deepspeed
from marian_distill.students.student import Student


def shard(model: Student, plugin: FullyShardedDataParallelPlugin, device: torch.device) -> None:
    """Share the model's weights out, in place; accelerate then leaves them as they are.

    Args:
        model: the student.
        plugin: what `accelerate launch` made of its config.
        device: of this process.
    """
    if plugin.fsdp_version != 2:
        raise UserError("FSDP 1 is not supported: set fsdp_version: 2, as recipes/accelerate/fsdp.yaml does")
    if not isinstance(model, FSDPModule):
        policy = plugin.mixed_precision_policy
        fully_shard(
            model.to(device),  # pyright: ignore[reportArgumentType]
            reshard_after_forward=bool(plugin.reshard_after_forward),
            mp_policy=policy if isinstance(policy, MixedPrecisionPolicy) else MixedPrecisionPolicy(),
        )


def check_deepspeed_is_here() -> None:
    """Refuse what `accelerate launch` asks for where DeepSpeed is not installed."""
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true" and importlib.util.find_spec("deepspeed") is None:
        raise UserError("DeepSpeed is not installed: uv sync --extra deepspeed brings it")


def check_deepspeed(training: TrainingArguments) -> None:
    """Refuse what does not work with DeepSpeed. Its checkpoints are pickles: only a run's own are read."""
    plugin = training.deepspeed_plugin
    if plugin is None:
        return
    if plugin.zero_stage != 3:
        raise UserError(f"DeepSpeed's zero_stage {plugin.zero_stage} is not supported: set 3, or take fsdp.yaml")
    if plugin.zero3_init_flag:
        raise UserError("DeepSpeed's zero3_init_flag would share out the teacher too: set it to false")
    if training.fp16:
        raise UserError("--precision fp16 does not go with DeepSpeed: give --precision bf16 or fp32")
    checkpoint = training.resume_from_checkpoint
    if checkpoint and Path(checkpoint).resolve().parent != Path(str(training.output_dir)).resolve():
        raise UserError(
            f"--resume-from-checkpoint {checkpoint}: reading one of DeepSpeed's may run code that is in it; "
            "only those in --output-dir are read"
        )


def check_checkpoint(checkpoint: Path, *, deepspeed: bool) -> None:
    """Refuse a checkpoint whose optimizer state would not be found: DeepSpeed keeps it in files of its own."""
    written_with_it = any(checkpoint.glob("global_step*"))
    if written_with_it != deepspeed:
        how = "with" if written_with_it else "without"
        raise UserError(f"{checkpoint}: written {how} DeepSpeed; go on {how} it, by the same accelerate config")


def gather_as_one(model: Student) -> None:
    """Have DeepSpeed fetch all weights before the model's forward and backward passes, not module by module."""
    from deepspeed import zero  # pyright: ignore[reportMissingImports]

    for parameter in model.parameters():
        zero.register_external_parameter(model, parameter)


def whole_model(model: Student) -> Student:
    """The model itself or, where its weights are shared out, a copy that has them all: every process must ask for it.

    Evaluation runs on it, where processes make different numbers of steps.
    """
    if isinstance(model, FSDPModule):
        weights = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    elif shared_out_by_deepspeed(model):
        from deepspeed import zero  # pyright: ignore[reportMissingImports]

        with zero.GatheredParameters(list(model.parameters())):
            weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    else:
        return model
    copy = type(model)(model.config).to(model.device)  # pyright: ignore[reportArgumentType]
    copy.load_state_dict(weights)
    copy.generation_config = model.generation_config
    copy.set_attn_implementation(model.config._attn_implementation or "eager")
    return copy


def leave_process_group() -> None:
    """End this process's part in the group of several: threads of the group that still run would abort its exit."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
