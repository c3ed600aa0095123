"""Which type a stage computes in: decided here, once, by timing the stage's own training steps.

No table of processors can tell. A processor without bf16 instructions runs bf16 products 60 to 500 times slower than
fp32 (https://github.com/pytorch/pytorch/issues/146508); one that runs them seven times faster may still train a narrow
model faster in fp32, since casts and small operations are most of its step. So each type that could win makes a few
steps of this student on this text, forward and backward, and the quickest is taken: for the student, for its attention
and, separately, for the teacher.

torch.compile is never chosen: batches have a shape each, and it would compile for every one (`--torch-compile` asks
for it all the same).
"""

import copy
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from torch import Tensor

from marian_distill.students.kind import Collator
from marian_distill.students.student import Batch, Student
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.losses import DistillationLoss, projection_loss
from marian_distill.training.speed import quickest_rate

logger = logging.getLogger(__name__)

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
# A type whose matrix products run below this share of fp32's rate cannot win by what else it saves.
HOPELESS = 0.5
# The first candidate (fp32 on a CPU, plain attention) stays unless another is faster by this much: else noise decides.
MARGIN = 0.97
SECONDS, FEWEST_ROUNDS, MOST_ROUNDS = 3.0, 3, 12
# Padded tokens of the batch that is timed: on a CPU a part of a large batch tells as much in less time.
TRIAL_TOKENS = {"cpu": 2048}


@dataclass(frozen=True)
class Plan:
    """What a run computes in.

    Attributes:
        precision: fp32, bf16 or fp16, of the student's steps.
        teacher_precision: of the teacher's weights; None without a teacher.
        attention: eager or sdpa, of both.
        reason: why, for a person.
    """

    precision: str
    teacher_precision: str | None
    attention: str
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """The student's type."""
        return DTYPES[self.precision]

    def apply(self, training: DistillTrainingArguments) -> None:
        """Set what the Hugging Face trainer reads."""
        training.bf16, training.fp16 = self.precision == "bf16", self.precision == "fp16"
        training.mixed_precision = "no" if self.precision == "fp32" else self.precision

    def as_dict(self) -> dict[str, Any]:
        """For options.json, and back by `Plan(**values)`."""
        return asdict(self)


def choose(
    student: Student,
    teacher: Student | None,
    batch: Batch,
    training: DistillTrainingArguments,
    teacher_dtype: torch.dtype | None = None,
) -> Plan:
    """Decide by what is asked for and, where that leaves a choice, by timing steps. Weights and random state stay.

    Args:
        student: as it will be trained; moved to the training device.
        teacher: of the loss; None where labels alone are learnt.
        batch: one of the stage's own, of everyday size (see `trial_batch`).
        training: `precision`, `bf16`, `fp16`, `attention` and the device are read.
        teacher_dtype: the teacher's type, where it was asked for.
    """
    device = training.device
    types, ruled_out = candidate_types(training, device)
    kinds = ["eager", "sdpa"] if training.attention == "auto" else [training.attention]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        seconds = _time_student(student, batch, types, kinds, device)
        best = _quickest(seconds)
        precision, attention = best.split()
        teacher_precision = None
        if teacher is not None:
            teacher_types = types if teacher_dtype is None else [NAMES[teacher_dtype]]
            teacher_seconds = _time_teacher(teacher, batch, teacher_types, attention, device)
            teacher_precision = _quickest(teacher_seconds)
            seconds |= {f"teacher {name}": value for name, value in teacher_seconds.items()}
    padded = student.work(batch).padded
    reason = _reason(training, best, teacher_precision, seconds, ruled_out, padded)
    plan = Plan(precision, teacher_precision, attention, reason)
    (plan,) = broadcast_object_list([plan])  # of several processes, the first one's word counts
    return plan


def resumed(values: Mapping[str, Any] | None, training: DistillTrainingArguments) -> Plan | None:
    """The plan that a run began with, also on another machine; None: choose anew, for another type is asked for now.

    What is asked for now is followed, with a warning: a run that computes otherwise ends with other weights.

    Args:
        values: what `Plan.as_dict` gave.
        training: `precision`, `bf16`, `fp16` and `attention` are read.
    """
    if values is None:
        return None
    plan = Plan(**values)
    ruled_out = training.precision == "auto" and getattr(training, plan.precision, None) is False
    another_type = training.precision not in ("auto", plan.precision) or ruled_out
    another_attention = training.attention not in ("auto", plan.attention)
    followed = [f"--{plan.precision} false" if ruled_out else f"--precision {training.precision}"] * another_type
    followed += [f"--attention {training.attention}"] * another_attention
    if followed:
        logger.warning(
            "the run began in %s with %s attention; from here on it follows %s: "
            "it will not end with the weights of an undisturbed run",
            plan.precision, plan.attention, " and ".join(followed),
        )  # fmt: skip
    if another_type:
        return None
    if another_attention:
        plan = replace(plan, attention=training.attention)
    dtypes = ("fp32", plan.precision)
    plain, ours = (quickest_rate(DTYPES[name], training.device) for name in dtypes)
    if ours < HOPELESS * plain:
        logger.warning(
            "the run began in %s, whose products run %.0f × slower than fp32's here: --precision fp32 goes on faster",
            plan.precision, plain / ours,
        )  # fmt: skip
    return replace(plan, reason=f"{plan.precision}: as the run began")


def candidate_types(training: DistillTrainingArguments, device: torch.device) -> tuple[list[str], dict[str, str]]:
    """Types worth timing, the default first, and why others are not: by name.

    On a GPU the default is the half type that it has; on a CPU and on Apple's GPU fp32.
    """
    if training.precision != "auto":
        return [training.precision], {}
    if device.type == "cuda":
        half = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        types = [half, "fp32"]
    else:
        types = ["fp32", "bf16"]
    types = [name for name in types if name == "fp32" or getattr(training, name) is not False]
    ruled_out = {}
    for name in set(types) - {"fp32"}:
        try:
            rates = {each: quickest_rate(DTYPES[each], device) for each in (name, "fp32")}
        except (RuntimeError, TypeError) as error:  # Apple's GPU before macOS 14 has no bf16
            ruled_out[name] = f"{name} does not run here ({str(error).splitlines()[0]})"
            continue
        if rates[name] < HOPELESS * rates["fp32"]:
            ruled_out[name] = f"{name} products run {rates['fp32'] / rates[name]:.0f} × slower here"
    return [name for name in types if name not in ruled_out], ruled_out


def trial_batch(sampler: Any, dataset: Any, collate: Collator, device: torch.device) -> dict[str, Tensor]:
    """The batch of median size among a sampler's first hundred, or as many of its rows as tell enough, collated."""
    batches = sorted(sampler.batches()[:100], key=len)
    chosen = batches[len(batches) // 2]
    padded = int(sampler.source_lengths[chosen].max() + sampler.target_lengths[chosen].max())
    rows = dataset.select_columns(["input_ids", "labels"]).with_format("numpy")
    most = max(1, TRIAL_TOKENS.get(device.type, 2**31) // padded)
    return collate([rows[int(index)] for index in chosen[:most]])


def race(candidates: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Shortest seconds of each candidate's call, in rounds that take turns; one that falls far behind drops out.

    A single candidate is not run: 0.0.
    """
    if len(candidates) == 1:
        return dict.fromkeys(candidates, 0.0)
    # The first call compiles kernels, and may meet whatever else the machine does: it tells only who is hopeless.
    best = {name: min(_timed(run), _timed(run)) for name, run in candidates.items()}
    running = {name for name, seconds in best.items() if seconds < 5 * min(best.values())}
    best |= dict.fromkeys(running, float("inf"))
    start = time.perf_counter()
    for number in range(MOST_ROUNDS):
        if len(running) == 1 or (number >= FEWEST_ROUNDS and time.perf_counter() - start > SECONDS):
            break
        for name in sorted(running, key=list(candidates).index):
            best[name] = min(best[name], _timed(candidates[name]))
        running = {name for name in running if best[name] < 1.2 * min(best.values())}
    return best


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _quickest(seconds: Mapping[str, float]) -> str:
    """The quickest, or the first where that is as good as the quickest."""
    first, quickest = next(iter(seconds)), min(seconds, key=lambda name: seconds[name])
    return quickest if seconds[quickest] < MARGIN * seconds[first] else first


def _time_student(
    student: Student, batch: Batch, types: list[str], kinds: list[str], device: torch.device
) -> dict[str, float]:
    """Seconds of a training step, forward and backward, by `type attention`."""
    student.to(device).train()  # pyright: ignore[reportArgumentType]
    attention = student.config._attn_implementation

    def step(name: str) -> None:
        precision, kind = name.split()
        student.set_attn_implementation(kind)
        with torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32"):
            sums = student(**batch, objective=partial(projection_loss, DistillationLoss()))
        sums.loss.backward()
        student.zero_grad()
        sums.loss.item()  # waits for a GPU

    names = [f"{precision} {kind}" for precision in types for kind in kinds]
    seconds = race({name: partial(step, name) for name in names})
    student.set_attn_implementation(attention or "eager")
    return seconds


@torch.no_grad()
def _time_teacher(
    teacher: Student, batch: Batch, types: list[str], attention: str, device: torch.device
) -> dict[str, float]:
    """Seconds of the teacher's part of a step, by type."""
    if len(types) == 1:
        return dict.fromkeys(types, 0.0)
    copies = {name: copy.deepcopy(teacher).to(device, DTYPES[name]).eval() for name in types}  # pyright: ignore

    def teach(model: Student) -> None:
        model.set_attn_implementation(attention)
        model.project(batch).products(slice(None))[0, 0].item()

    return race({name: partial(teach, model) for name, model in copies.items()})


def _reason(
    training: DistillTrainingArguments,
    best: str,
    teacher_precision: str | None,
    seconds: Mapping[str, float],
    ruled_out: Mapping[str, str],
    tokens: int,
) -> str:
    """One line: what was taken and what it was measured against."""
    precision, _ = best.split()
    timed = {name: f"{1000 * value:.0f} ms" for name, value in seconds.items() if value}
    others = [
        f"{taken} in {name}" for name, taken in timed.items() if name not in (best, f"teacher {teacher_precision}")
    ]
    parts = []
    if training.precision != "auto":
        parts.append("as asked for")
    if best in timed:
        parts.append(f"a step of {tokens:,} tokens takes {timed[best]}")
    if teacher_precision and f"teacher {teacher_precision}" in timed:
        parts.append(f"the teacher's part {timed[f'teacher {teacher_precision}']} in {teacher_precision}")
    if others:
        parts.append(f"against {', '.join(others)}")
    parts += ruled_out.values()
    return f"{precision}: {'; '.join(parts) or 'the only type here'}"
