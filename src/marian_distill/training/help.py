"""The trainer's `--help`: options by what they are about, the common ones first, each with its default."""

import argparse
import dataclasses
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from marian_distill.training.teaching import TeachingArguments

# Hugging Face's options that a stage is likely to set; `--help-all` shows the others too.
COMMON = (
    *("output_dir", "max_steps", "num_train_epochs", "learning_rate", "lr_scheduler_type", "warmup_steps"),
    *("per_device_train_batch_size", "gradient_accumulation_steps", "weight_decay", "label_smoothing_factor"),
    *("adam_beta2", "max_grad_norm", "bf16", "fp16", "use_cpu", "seed"),
    *("eval_strategy", "eval_steps", "predict_with_generate", "load_best_model_at_end", "metric_for_best_model"),
    *("save_strategy", "save_steps", "save_total_limit", "resume_from_checkpoint", "logging_steps"),
)
INDENT = 26


def format_help(
    description: str | None, actions: Sequence[argparse.Action], dataclass_types: Sequence[Any], *, everything: bool
) -> str:
    """The page.

    Args:
        description: its head.
        actions: the parser's.
        dataclass_types: model, data and training options, in this order.
        everything: Hugging Face's rarer options, too.
    """
    by_name = {action.dest: action for action in reversed(actions)}  # of an option and its --no-, the option
    model, data, training = ([field.name for field in dataclasses.fields(kind)] for kind in dataclass_types)
    own = [name for name in training if name in vars(dataclass_types[-1])["__annotations__"]]
    teaching = [field.name for field in dataclasses.fields(TeachingArguments)]
    rare = [name for name in training if name not in (*COMMON, *own, *teaching)]
    groups = {
        "Student, teacher, tokenizer": model,
        "Data": data,
        "Distillation, batches, the run's folder": own,
        "More ways to teach, each off by default": teaching,
        "Training (Hugging Face's)": [name for name in COMMON if name not in own],
    }
    if everything:
        groups["More of Hugging Face's"] = rare
    parts = [(description or "").strip(), _option("--config FILE.yaml", str(by_name["config"].help))]
    for title, names in groups.items():
        parts.append(f"{title}:\n" + "\n".join(_lines(by_name[name] for name in names if name in by_name)))
    if not everything:
        parts.append(f"--help-all shows the other {len(rare)} of Hugging Face's, which may be given as well.")
    return "\n\n".join(parts) + "\n"


def _lines(actions: Iterable[argparse.Action]) -> Iterable[str]:
    for action in actions:
        text = " ".join(str(action.help or "").replace("%%", "%").split())
        if action.default not in (None, [], "", argparse.SUPPRESS):
            default = getattr(action.default, "value", action.default)  # of an enumeration
            text += f" [{' '.join(map(str, default)) if isinstance(default, list) else default}]"
        yield _option(f"--{action.dest.replace('_', '-')}{_values(action)}", text)


def _values(action: argparse.Action) -> str:
    if action.nargs == "?":  # true or false
        return ""
    if action.choices is not None and len(list(action.choices)) <= 4:
        return f" {{{','.join(map(str, action.choices))}}}"
    name = getattr(action.type, "__name__", "str")
    return {"int": " N", "float": " X"}.get(name, " TEXT") + (" …" if action.nargs == "+" else "")


def _option(name: str, text: str) -> str:
    width = min(shutil.get_terminal_size().columns, 119)
    head = f"  {name}"
    body = textwrap.wrap(text, max(width - INDENT, 40)) or [""]
    if len(head) >= INDENT:
        body = ["", *body]
    first = f"{head.ljust(INDENT)}{body[0]}".rstrip()
    return "\n".join([first, *(" " * INDENT + line for line in body[1:])])
