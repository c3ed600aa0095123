"""Does `--precision auto` choose well? Its choice beside the best, by model, on this and on older processors.

    uv run benchmarks/precision.py                              five models, three processors; a quarter of an hour
    uv run benchmarks/precision.py --models 320d_16k --processors native

Every pair of model and processor has a process of its own. There `auto` chooses first, as a stage does; then every
type and attention makes whole steps (forward, backward, optimizer), taking turns over the same batches. A type whose
products are hopeless here (half of fp32's rate and less) is not timed: how much slower they run is printed instead.
"""

import json
import os
import sys
import time
from argparse import Namespace
from functools import partial
from pathlib import Path
from statistics import median

from machine import machine
from processes import in_a_process

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import write_json

AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
AVX512 = {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "MKL_ENABLE_INSTRUCTIONS": "AVX512"}
PROCESSORS = {"native": {}, "avx512": AVX512, "avx2": AVX2}
# Width, layers, heads, pieces, tokens a batch; and the teacher's, where there is one.
MODELS = {
    "quickstart_teacher": (192, 3, 2, 4, 2400, 2048),
    "quickstart_student": (192, 2, 2, 4, 2400, 2048),
    "256d_8k": (256, 4, 2, 4, 8000, 2048),
    "320d_16k": (320, 5, 2, 8, 16_000, 8192),
    "320d_32k_512d_teacher": (320, 5, 2, 8, 32_000, 8192),
}
TEACHERS = {"quickstart_student": (192, 3, 2, 4, 2400), "320d_32k_512d_teacher": (512, 6, 6, 8, 32_000)}


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--processors", nargs="+", choices=PROCESSORS, default=list(PROCESSORS))
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--json", type=Path, help="default: precision.json in --output-dir")
    parser.add_argument("--model", choices=MODELS, help="one model in this process, its JSON on stdout")
    arguments = parser.parse_args()
    arguments.json = arguments.json or arguments.output_dir / "precision.json"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if arguments.model:
        print(json.dumps(measure(arguments)))
        return
    results = []
    for processor in arguments.processors:
        for model in arguments.models:
            measured = in_a_process(f"{model}, {processor}", "--model", model, settings=PROCESSORS[processor])
            results.append({"processor": processor, "model": model, **measured})
            print(row(results[-1]), file=sys.stderr)
            write_json(arguments.json, {"machine": machine(), "results": results})
    print("\n".join([f"{'processor':9} {'model':22} {'chosen':28} {'of the best':>11}  steps", *map(row, results)]))


def row(result: dict) -> str:
    steps = ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in result["seconds"].items())
    ruled_out = "; ".join(["", *result["ruled_out"].values()])
    head = f"{result['processor']:9} {result['model']:22} {result['chosen']:28} {result['share_of_best']:11.0%}"
    return f"{head}  {steps}{ruled_out}; choosing took {result['seconds_to_choose']:.1f} s"


def measure(arguments: Namespace) -> dict:
    """What `auto` chose, and the median seconds of a step by type and attention."""
    os.environ.setdefault("OMP_NUM_THREADS", str(arguments.threads))
    from marian_distill.training.memory import keep_freed_memory, limit_kernel_caches

    limit_kernel_caches()
    keep_freed_memory()
    import torch
    from workload import training_batches

    from marian_distill.students.marian.config import student_config
    from marian_distill.students.marian.model import new_student
    from marian_distill.training.arguments import DistillTrainingArguments
    from marian_distill.training.precision import DTYPES, candidate_types, choose

    torch.set_num_threads(arguments.threads)
    *shape, tokens = MODELS[arguments.model]
    batches = training_batches(shape[-1], tokens)

    def build(width: int, encoder: int, decoder: int, heads: int, pieces: int):
        sizes = {"d_model": width, "encoder_layers": encoder, "decoder_layers": decoder, "attention_heads": heads}
        return new_student(student_config(**sizes, ffn_dim=4 * width, vocab_size=pieces + 1, dropout=0.1))

    student = build(*shape)
    teacher = build(*TEACHERS[arguments.model]).eval() if arguments.model in TEACHERS else None
    training = DistillTrainingArguments(output_dir=str(arguments.output_dir / "unused"), use_cpu=True)
    types, ruled_out = candidate_types(training, training.device)
    start = time.perf_counter()
    plan = choose(student, teacher, batches[len(batches) // 2], training)
    seconds_to_choose = time.perf_counter() - start

    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-5, fused=True)
    ways = {
        " ".join(filter(None, (name, kind, taught and f"teacher {taught}"))): (name, kind, taught)
        for name in types
        for kind in ("eager", "sdpa")
        for taught in (types if teacher else [None])
    }
    teachers = dict.fromkeys(types)
    if teacher is not None:
        import copy

        teachers = {name: copy.deepcopy(teacher).to(DTYPES[name]) for name in types}  # pyright: ignore
    seconds = {way: [] for way in ways}
    for batch in batches[: arguments.rounds + 1]:
        for way, (name, kind, taught) in ways.items():
            start = time.perf_counter()
            train_step(student, teachers.get(taught), batch, optimizer, DTYPES[name], kind)
            seconds[way].append(time.perf_counter() - start)
    medians = {way: median(times[1:]) for way, times in seconds.items()}
    taught = plan.teacher_precision and f"teacher {plan.teacher_precision}"
    chosen = " ".join(filter(None, (plan.precision, plan.attention, taught)))
    return {
        "chosen": chosen,
        "reason": plan.reason,
        "share_of_best": min(medians.values()) / medians[chosen],
        "seconds": medians,
        "seconds_to_choose": seconds_to_choose,
        "ruled_out": ruled_out,
    }


def train_step(student, teacher, batch: dict, optimizer, dtype, attention: str) -> None:
    """Forward, backward, clipping, optimizer, as the trainer does."""
    import torch

    from marian_distill.training.losses import DistillationLoss, projection_loss

    student.train().set_attn_implementation(attention)
    settings = DistillationLoss(0.5 if teacher else 1.0, 2.0)
    projection = None
    if teacher is not None:
        teacher.set_attn_implementation(attention)
        with torch.no_grad():
            projection = teacher.project(batch)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        sums = student(**batch, objective=partial(projection_loss, settings), teacher=projection)
    (sums.loss / len(batch["scored"])).backward()
    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


if __name__ == "__main__":
    run_command(main)
