"""How fast does a student train, beside the reference settings and beside Marian, on the same text and architecture?

    uv run benchmarks/training_speed.py                            ten minutes; JSON and picture in outputs/benchmarks
    uv run benchmarks/training_speed.py --quick                    one short round, two minutes: a look, no measure
    uv run benchmarks/training_speed.py --dataset CORPUS.tsv.gz    on real text instead of invented words

The ways take turns, round after round, each in a process of its own; what is printed is the median of the rounds.
Pairs are counted by their target tokens, so that it does not matter whose batches of a round hold the short ones.
"""

import json
import os
import re
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from statistics import median

from machine import machine, title
from processes import in_a_process

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json

HERE = Path(__file__).parent
# What is measured, and how it is called in the picture.
WAYS = {
    "reference_settings": "Hugging Face trainer,\nbatch 4 × 8, fp32",
    "marian": "Marian 1.12",
    "labels": "ours",
    "teacher": "ours, with a\n512d teacher",
}
MODEL = {"d_model": 320, "encoder_layers": 5, "decoder_layers": 2, "attention_heads": 8, "ffn_dim": 1280}
TEACHER = {"d_model": 512, "encoder_layers": 6, "decoder_layers": 6, "attention_heads": 8, "ffn_dim": 2048}
DROPOUT = 0.1
MARIAN_WORDS, MARIAN_WARM_UP = 1000, 8


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument("--seconds", type=at_least(1), default=20, help="of measured training, a way and round")
    parser.add_argument(
        "--quick", action="store_true", help="one round of 4 seconds, fewer pieces, smaller batches: no measure"
    )
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto", help="of ours")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--dataset", help="parallel text; default: invented words in sentences of everyday length")
    parser.add_argument("--source-weight", nargs="+", default=[], metavar="NAME=WEIGHT")
    parser.add_argument("--pairs", type=at_least(1000), default=40_000)
    parser.add_argument("--pieces", type=at_least(500), default=16_000)
    parser.add_argument("--tokens-per-batch", type=at_least(64), default=8192)
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--json", type=Path, help="default: training_speed.json in --output-dir")
    parser.add_argument("--way", choices=WAYS, help="one round of one way in this process, its JSON on stdout")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.pairs, arguments.pieces = 1, 4, 8000, 4000
        arguments.tokens_per_batch = 2048
    arguments.json = arguments.json or arguments.output_dir / "training_speed.json"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    workload = arguments.output_dir / f"text-{arguments.pairs}-{arguments.pieces}{'-own' if arguments.dataset else ''}"
    if arguments.way:
        print(json.dumps(train_once(arguments.way, workload, arguments)))
        return
    from workload import make_workload

    target_tokens = make_workload(
        workload,
        pairs=arguments.pairs,
        pieces=arguments.pieces,
        dataset=arguments.dataset,
        source_weights=arguments.source_weight,
    )
    rounds: dict[str, list[dict]] = {way: [] for way in arguments.ways}
    for number in range(arguments.rounds):
        for way in arguments.ways:
            measured = marian_once(workload, arguments) if way == "marian" else in_a_process(way, "--way", way)
            measured["pairs_per_second"] = measured["target_tokens_per_second"] / target_tokens
            rounds[way].append(measured)
            print(f"round {number + 1}, {way}: {measured['pairs_per_second']:.0f} pairs/s", file=sys.stderr)
    report = summary(rounds, arguments)
    write_json(arguments.json, report)
    draw(report, arguments.json.with_suffix(".png"))
    print(table(report))


# Ours and the reference settings


def train_once(way: str, workload: Path, arguments: Namespace) -> dict:
    """Train until `--seconds` are measured; target tokens a second, peak memory, the machine's rate at that time."""
    os.environ.setdefault("OMP_NUM_THREADS", str(arguments.threads))
    from marian_distill.training.memory import keep_freed_memory, limit_kernel_caches

    limit_kernel_caches()
    if way != "reference_settings":
        keep_freed_memory()
    import torch
    from transformers import DataCollatorForSeq2Seq, MarianMTModel, MarianTokenizer, Seq2SeqTrainer

    from marian_distill.pieces import SentencePieceTokenizer
    from marian_distill.runtime.memory import peak_memory_mb
    from marian_distill.students.marian.config import forward_operations, student_config
    from marian_distill.students.marian.model import new_student
    from marian_distill.text.corpus import CorpusSource, load_parallel
    from marian_distill.text.tokenization import tokenize_parallel
    from marian_distill.training.arguments import DistillTrainingArguments
    from marian_distill.training.precision import Plan
    from marian_distill.training.speed import matrix_rate
    from marian_distill.training.trainer import DistillSeq2SeqTrainer

    torch.set_num_threads(arguments.threads)
    pieces = SentencePieceTokenizer(workload / "tokenizer")
    data = tokenize_parallel(load_parallel(CorpusSource(str(workload / "corpus.tsv"))), pieces, "en-zh")
    config = student_config(**MODEL, vocab_size=len(pieces.vocabulary), dropout=DROPOUT)
    options = {
        "output_dir": str(arguments.output_dir / "unused"),
        "report_to": ["none"],
        "save_strategy": "no",
        "eval_strategy": "no",
        "disable_tqdm": True,
        "learning_rate": 3e-4,
        "num_train_epochs": 1000,
        "logging_steps": 10**9,
    }
    stopwatch = stopwatch_callback(arguments.seconds)
    plan = Plan("fp32", None, "eager", "the reference settings without a GPU")
    if way == "reference_settings":
        model = MarianMTModel(config)
        trainer = Seq2SeqTrainer(
            model=model,
            args=DistillTrainingArguments(
                **options, per_device_train_batch_size=4, gradient_accumulation_steps=8, remove_unused_columns=True
            ),
            train_dataset=data.select_columns(["input_ids", "labels"]),
            data_collator=stopwatch.count(
                DataCollatorForSeq2Seq(MarianTokenizer.from_pretrained(pieces.directory), model=model)
            ),
            callbacks=[stopwatch],
        )
    else:
        teacher = None
        if way == "teacher":
            teacher = new_student(student_config(**TEACHER, vocab_size=len(pieces.vocabulary), dropout=DROPOUT))
        trainer = DistillSeq2SeqTrainer(
            model=new_student(config),
            args=DistillTrainingArguments(
                **options,
                tokens_per_batch=arguments.tokens_per_batch,
                precision=arguments.precision,
                alpha_ce=0.5 if teacher else 1.0,
                temperature=2.0,
            ),
            pieces=pieces,
            teacher=teacher,
            train_dataset=data,
            callbacks=[stopwatch],
        )
        trainer.data_collator = stopwatch.count(trainer.data_collator)
        plan = trainer.plan
    trainer.train()
    lengths = data.with_format("numpy")
    source, target = (float(lengths[f"{side}_length"][:].mean()) for side in ("source", "target"))
    return {
        "target_tokens_per_second": stopwatch.tokens_per_second(),
        "peak_memory_mb": peak_memory_mb(),
        **plan.as_dict(),
        "operations_per_second": matrix_rate(plan.dtype),
        "tokens_a_pair": {"source": source, "target": target},
        "operations_a_pair": 3 * forward_operations(config, source, target),
    }


def stopwatch_callback(seconds: float):
    from transformers import TrainerCallback

    class Stopwatch(TrainerCallback):
        """Counts target tokens as they are collated; measures from the fifth step on, and stops the training."""

        warm_up = 5

        def __init__(self) -> None:
            self.tokens, self.marks = 0, []

        def count(self, collator):
            def collate(examples: list) -> dict:
                self.tokens += sum(len(example["labels"]) for example in examples)
                return collator(examples)

            return collate

        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step < self.warm_up:
                return
            self.marks.append((time.perf_counter(), self.tokens))
            if self.marks[-1][0] - self.marks[0][0] >= seconds:
                control.should_training_stop = True

        def tokens_per_second(self) -> float:
            (start, before), (end, after) = self.marks[0], self.marks[-1]
            return (after - before) / (end - start)

    return Stopwatch()


# Marian


def marian_once(workload: Path, arguments: Namespace) -> dict:
    """Train the same architecture with Marian until `--seconds` are measured."""
    tokenizer = (workload / "tokenizer" / "source.spm").resolve()
    options = {
        "type": "transformer",
        "train-sets": [workload / "train.en", workload / "train.zh"],
        "vocabs": [tokenizer, tokenizer],
        "dim-vocabs": [0, 0],
        "dim-emb": MODEL["d_model"],
        "enc-depth": MODEL["encoder_layers"],
        "dec-depth": MODEL["decoder_layers"],
        "transformer-heads": MODEL["attention_heads"],
        "transformer-dim-ffn": MODEL["ffn_dim"],
        "transformer-ffn-activation": "swish",
        "transformer-preprocess": "",
        "transformer-postprocess": "dan",
        "transformer-dropout": DROPOUT,
        "max-length": 128,
        "optimizer": "adam",
        "learn-rate": 0.0003,
        # Its own best batches, by trial: as fast as larger ones, which stop for many seconds to find more workspace.
        "mini-batch-words": MARIAN_WORDS,
        "maxi-batch": 1000,
        "cpu-threads": arguments.threads,
        "workspace": 4000,
        "disp-freq": 1,
        "after": "1000000u",
        "model": workload / "marian.npz",
        "seed": 42,
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", *map(str, as_list(value)))]
    command = [
        "uv",
        "run",
        str(HERE / "marian.py"),
        "train",
        *flags,
        "--tied-embeddings-all",
        "--sync-sgd",
        "--overwrite",
    ]
    marks: list[tuple[float, int]] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stderr or ():
            lines.append(line.strip())
            found = re.search(r"Up\. (\d+) : .* after ([\d,]+) :", line)  # updates, and target tokens since the start
            if not found or int(found[1]) < MARIAN_WARM_UP:
                continue
            marks.append((time.perf_counter(), int(found[2].replace(",", ""))))
            if marks[-1][0] - marks[0][0] >= arguments.seconds:
                break
        process.terminate()
    if len(marks) < 2:
        raise UserError(f"marian measured nothing; its last words: {' / '.join(lines[-3:])}")
    (start, before), (end, after) = marks[0], marks[-1]
    return {"target_tokens_per_second": (after - before) / (end - start)}


def as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]


# The report


def summary(rounds: dict[str, list[dict]], arguments: Namespace) -> dict:
    """Medians, ratios within rounds, share of the arithmetic limit, beside the raw rounds."""
    import torch

    speeds = {way: [one["pairs_per_second"] for one in measured] for way, measured in rounds.items()}
    report: dict = {
        "pairs_per_second": {way: median(values) for way, values in speeds.items()},
        "ratios": {},
        "peak_memory_mb": {
            way: max(one["peak_memory_mb"] for one in measured)
            for way, measured in rounds.items()
            if "peak_memory_mb" in measured[0]
        },
        "machine": {**machine(), "threads": arguments.threads, "torch": torch.__version__},
        "quick": arguments.quick,
        "precision": {way: measured[-1].get("precision", "fp32") for way, measured in rounds.items()},
        "model": {**MODEL, "pieces": arguments.pieces, "dropout": DROPOUT},
        "rounds": rounds,
    }
    if "labels" in rounds:
        for way in speeds:
            if way in ("reference_settings", "marian"):
                report["ratios"][way] = median(
                    ours / theirs for ours, theirs in zip(speeds["labels"], speeds[way], strict=True)
                )
        limits = [one["operations_per_second"] / one["operations_a_pair"] for one in rounds["labels"]]
        report["limit"] = {
            "operations_a_pair": rounds["labels"][0]["operations_a_pair"],
            "pairs_per_second": median(limits),
        }
        report["share_of_limit"] = median(speed / limit for speed, limit in zip(speeds["labels"], limits, strict=True))
        if "teacher" in speeds:
            report["cost_of_teacher"] = median(
                labels / taught for labels, taught in zip(speeds["labels"], speeds["teacher"], strict=True)
            )
    return report


def table(report: dict) -> str:
    lines = [
        title(report["machine"]),
        f"{'way':20} {'precision':>9} {'pairs/s':>8} {'labels alone is':>16} {'peak MB':>8}",
    ]
    for way, speed in report["pairs_per_second"].items():
        ratio, memory = report["ratios"].get(way), report["peak_memory_mb"].get(way)
        behind, used = (f"{ratio:.1f} ×" if ratio else "", f"{memory:.0f}" if memory else "")
        lines.append(f"{way:20} {report['precision'][way]:>9} {speed:8.0f} {behind:>16} {used:>8}")
    if "share_of_limit" in report:
        lines.append(
            f"share of the arithmetic limit ({report['limit']['pairs_per_second']:.0f} pairs/s): "
            f"{report['share_of_limit']:.0%}"
        )
    if "cost_of_teacher" in report:
        lines.append(f"a step with the 512d teacher costs {report['cost_of_teacher']:.2f} steps on labels alone")
    if report["quick"]:
        lines.append("one short round of a smaller model: a look, no measure")
    return "\n".join(lines)


def draw(report: dict, path: Path) -> None:
    from charts import bars

    speeds = {WAYS[way]: [one["pairs_per_second"] for one in rounds] for way, rounds in report["rounds"].items()}
    label = f"pairs a second, {report['machine']['threads']} threads"
    if "labels" in report["precision"]:
        label += f", ours in {report['precision']['labels']}"
    bars(speeds, label, path, title(report["machine"]))


if __name__ == "__main__":
    run_command(main)
