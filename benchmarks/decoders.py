"""Recurrent decoders beside Marian's: training speed at equal width, and a token's cost as the target grows.

    uv run benchmarks/decoders.py --output-dir outputs/benchmarks
    uv run benchmarks/decoders.py --layers 3 --dtype bf16 --cells cfc

Training: forward and backward of the decoder's layers over a given encoder output, everyday lengths, no loss; the
decoders take turns, and the median counts. Decoding: one step of `generate` at positions 1 to 256. Both in seconds of
the CPU, on one thread: what else runs on the machine counts less.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch
from charts import lines
from machine import machine, title
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput
from workload import training_batches

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import write_json
from marian_distill.students.liquid.configuration import CELLS, LiquidConfig
from marian_distill.students.liquid.layers import TargetPacking
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.students.marian import forward as marian_forward
from marian_distill.students.marian.config import student_config
from marian_distill.students.marian.model import MarianStudent, new_student
from marian_distill.students.packing import Packing
from marian_distill.students.projection import IGNORED_LABEL

PIECES = 8000
# Units at which a decoder layer has about as many parameters as Marian's of 256 dimensions; they grow with the width.
UNITS = {"cfc": 256, "ltc": 64, "gru": 144, "ssru": 256}
Student = MarianStudent | LiquidStudent


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--width", type=at_least(16), default=256, help="(default: %(default)s)")
    parser.add_argument("--layers", type=at_least(1), default=1, help="of the decoder (default: %(default)s)")
    parser.add_argument("--tokens-per-batch", type=at_least(64), default=4096, help="(default: %(default)s)")
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32", help="(default: %(default)s)")
    parser.add_argument("--rounds", type=at_least(1), default=15, help="(default: %(default)s)")
    parser.add_argument("--positions", type=at_least(1), default=256, help="(default: %(default)s)")

    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    torch.set_num_threads(1)
    torch.manual_seed(42)
    students = {"marian": marian(options), **{cell: liquid(options, cell) for cell in options.cells}}
    report = {
        "machine": machine(),
        "options": {name: str(value) for name, value in vars(options).items()},
        "decoder_parameters": {name: decoder_parameters(student) for name, student in students.items()},
        "training": training(students, options),
        "decoding_ms": decoding(students, options),
    }
    options.output_dir.mkdir(parents=True, exist_ok=True)
    write_json(options.output_dir / "decoders.json", report)
    picture = options.output_dir / "decoders.png"
    lines(report["decoding_ms"], "position", "ms a token", picture, title(report["machine"]))
    print(json.dumps({name: report[name] for name in ("decoder_parameters", "training")}, indent=2))


def marian(options: argparse.Namespace) -> MarianStudent:
    config = student_config(
        d_model=options.width, encoder_layers=1, decoder_layers=options.layers, attention_heads=4,
        ffn_dim=4 * options.width, vocab_size=PIECES + 1,
    )  # fmt: skip
    return new_student(config)


def liquid(options: argparse.Namespace, cell: str) -> LiquidStudent:
    units = options.width if cell == "ssru" else UNITS[cell] * options.width // 256
    config = LiquidConfig(
        d_model=options.width, encoder_layers=1, decoder_layers=options.layers, ffn_dim=4 * options.width, cell=cell,
        units=units, motor_units=3 * units // 10, dropout=0.1,
    )  # fmt: skip
    return LiquidStudent(config)


def decoder_layers(student: Student) -> torch.nn.ModuleList:
    return student.layers if isinstance(student, LiquidStudent) else student.model.decoder.layers


def decoder_parameters(student: Student) -> int:
    return sum(parameter.numel() for parameter in decoder_layers(student).parameters())


# Training


def training(students: dict[str, Student], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Target tokens a second through each decoder, forward and backward, and as a share of Marian's."""
    batches = training_batches(PIECES, options.tokens_per_batch)
    batch = sorted(batches, key=lambda each: each["labels"].numel())[len(batches) // 2]
    seconds: dict[str, list[float]] = {name: [] for name in students}
    for number in range(options.rounds + 2):
        for name, student in students.items():
            taken = step_seconds(student.train(), batch, torch.bfloat16 if options.dtype == "bf16" else torch.float32)
            if number >= 2:  # the first rounds make kernels
                seconds[name].append(taken)
    tokens = len(batch["scored"])
    speed = {name: tokens / median(each) for name, each in seconds.items()}
    return {
        name: {"tokens_per_second": round(speed[name]), "share_of_marian": round(speed[name] / speed["marian"], 3)}
        for name in students
    }


def step_seconds(student: Student, batch: dict[str, Tensor], dtype: torch.dtype) -> float:
    width = student.config.d_model
    source = Packing.of(batch["attention_mask"], batch["source_places"])
    target = Packing.of(batch["labels"] != IGNORED_LABEL, batch["scored"])
    memory, states = (
        torch.randn(len(batch[places]), width, dtype=dtype, requires_grad=True)
        for places in ("source_places", "scored")
    )
    start = time.process_time()
    if isinstance(student, LiquidStudent):
        packing = TargetPacking.of(target)
        for layer in student.layers:
            states, _ = layer(states, packing, memory, source)
    else:
        for layer in student.model.decoder.layers:
            states, _, _ = marian_forward._decoder_layer(layer, states, target, memory, source)  # pyright: ignore[reportArgumentType]
    states.float().sum().backward()
    student.zero_grad()
    return time.process_time() - start


# Decoding


@torch.inference_mode()
def decoding(students: dict[str, Student], options: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds of one step of one sentence at each position, least of three sentences."""
    source = torch.randint(1, PIECES, (1, 20))
    best = {}
    for name, student in students.items():
        runs = [positions(student.eval(), source, options.positions) for _ in range(3)]
        best[name] = [round(min(each), 3) for each in zip(*runs, strict=True)]
    return best


def positions(student: Student, source: Tensor, count: int) -> list[float]:
    encoder: Callable[..., BaseModelOutput] = student.get_encoder()
    encoded = encoder(input_ids=source, attention_mask=torch.ones_like(source))
    step = partial(student, encoder_outputs=encoded, attention_mask=torch.ones_like(source), use_cache=True)
    token, cache, taken = torch.full((1, 1), PIECES), None, []
    for _ in range(count):
        start = time.process_time()
        output = step(decoder_input_ids=token, past_key_values=cache)
        taken.append(1000 * (time.process_time() - start))
        token, cache = output.logits[:, -1:].argmax(dim=-1), output.past_key_values
    return taken


if __name__ == "__main__":
    run_command(main)
