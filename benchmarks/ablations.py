"""What is each way of teaching worth? One student, the same text, the same seconds of training, one way at a time.

    uv run benchmarks/ablations.py --dataset CORPUS.tsv.gz --eval-dataset DEV.tsv --teacher-model outputs/my-teacher
    uv run benchmarks/ablations.py --dataset CORPUS.tsv.gz --eval-dataset DEV.tsv --seconds 600 --ways labels ema
    uv run benchmarks/ablations.py --dataset CORPUS.tsv.gz --eval-dataset DEV.tsv --teacher-model outputs/my-teacher \
        --init-from-teacher --student-config student_configs/256d_3x1_8k.json --seconds 180

Prints a table; its numbers and the runs are in outputs/benchmarks/ablations. A way first makes some steps to learn how
long one takes, then a run of as many as the seconds hold, so that its learning rate goes all the way down. Evaluation
and saving do not count. The same command goes on where it was stopped; a way that is done is not run again. Without
--teacher-model the ways that need a teacher are left out. With --init-from-teacher every way starts from the teacher's
layers: minutes then tell ways apart, where students from random weights would still be learning to write.
"""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from statistics import median
from typing import Any

from machine import machine

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import read_json, write_json

COMMAND = Path(__file__).parents[1] / "distill_zh_en.py"
BASELINE = "labels"
WAYS = {
    BASELINE: "",
    "label_smoothing": "--label-smoothing-factor 0.1",
    "subword_sampling": "--subword-sampling 0.5 --subword-alpha 0.3",
    "layer_rates": "--layer-learning-rate-decay 0.8",
    "hard_examples": "--hard-example-share 0.3",
    "ema": "--ema-decay 0.999",
    "averaging": "--average-checkpoints 5 --average-every {fiftieth}",
}
HALF = "--alpha-ce 0.5 --temperature"
TEACHER_WAYS = {
    "forward_kl": f"{HALF} 2",
    "forward_kl_t1": f"{HALF} 1",
    "temperature_schedule": f"{HALF} 4 --temperature-end 1",
    "reverse_kl": f"{HALF} 1 --divergence reverse",
    "symmetric_kl": f"{HALF} 1 --divergence symmetric",
    "top_k": f"{HALF} 1 --teacher-top-k 16",
    "hidden_matching": f"{HALF} 2 --hidden-matching 0.5",
    "attention_matching": f"{HALF} 2 --attention-matching 0.5",
}
MODEL = {"d_model": 256, "encoder_layers": 4, "decoder_layers": 2, "attention_heads": 4, "ffn_dim": 1024}
COLUMNS = {
    "dev CE": "eval_loss",
    "BLEU": "eval_bleu",
    "chrF++": "eval_chrf++",
    "steps": "steps",
    "seconds": "seconds",
    "tokens/s": "speed",
}
DIGITS = {"eval_loss": 3, "eval_bleu": 1, "eval_chrf++": 1}


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", nargs="+", required=True, help="training text, as distill_zh_en.py takes it")
    parser.add_argument("--eval-dataset", required=True, help="development text: a file")
    parser.add_argument("--direction", choices=("en-zh", "zh-en"), default="en-zh")
    parser.add_argument("--seconds", type=at_least(1), default=1800, help="of training, a way")
    parser.add_argument("--ways", nargs="+", choices=[*WAYS, *TEACHER_WAYS], help="default: all that can be run")
    parser.add_argument("--teacher-model", help="a model with the student's tokenizer, which is then the teacher's")
    parser.add_argument("--init-from-teacher", action="store_true", help="every way starts from the teacher's layers")
    parser.add_argument("--student-config", type=Path, help="default: 256d, 4 + 2 layers")
    parser.add_argument("--pieces", type=at_least(300), default=8000, help="of the tokenizer, without a teacher")
    parser.add_argument("--tokens-per-batch", type=at_least(64), default=4096)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--max-eval-samples", type=at_least(1), default=1000)
    parser.add_argument("--calibration-steps", type=at_least(2), default=100, help="that tell how long a step takes")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks/ablations"))
    arguments = parser.parse_args()
    arguments.ways = arguments.ways or [*WAYS, *(TEACHER_WAYS if arguments.teacher_model else ())]
    if (needing := [way for way in arguments.ways if way in TEACHER_WAYS]) and not arguments.teacher_model:
        raise UserError(f"--ways {needing[0]}: needs --teacher-model")
    if arguments.init_from_teacher and not arguments.teacher_model:
        raise UserError("--init-from-teacher: needs --teacher-model")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    path = arguments.output_dir / "ablations.json"
    settings = {name: str(value) for name, value in vars(arguments).items() if name not in ("ways", "output_dir")}
    report = read_json(path) if path.is_file() else {"settings": settings, "machine": machine(), "ways": {}}
    if report["settings"] != settings:
        raise UserError(f"{path}: made with other options; choose another --output-dir")
    common = common_options(arguments)
    for way in arguments.ways:
        if way not in report["ways"]:
            print(f"{way} …", file=sys.stderr)
            report["ways"][way] = measure(way, common, arguments)
            write_json(path, report)
    print(table(report["ways"]))


def common_options(arguments: Namespace) -> list[str]:
    """What all ways have in common, as options of `distill_zh_en.py`; makes what of it is not there yet."""
    tokenizer = Path(arguments.teacher_model) if arguments.teacher_model else arguments.output_dir / "tokenizer"
    if not arguments.teacher_model and not (tokenizer / "vocab.json").is_file():
        from marian_distill.text.corpus import CorpusSource, load_parallel
        from marian_distill.text.tokenization import parallel_sentences, train_joint_tokenizer

        corpora = [load_parallel(CorpusSource(name)) for name in arguments.dataset]
        sentences = (sentence for corpus in corpora for sentence in parallel_sentences(corpus))
        train_joint_tokenizer(sentences, tokenizer, vocab_size=arguments.pieces)
    config = arguments.student_config or arguments.output_dir / "student.json"
    if not arguments.student_config and not config.is_file():
        from marian_distill.students.marian.config import student_config

        vocab_size = len(read_json(tokenizer / "vocab.json"))
        write_json(config, student_config(**MODEL, vocab_size=vocab_size).to_dict())  # pyright: ignore[reportArgumentType]
    options = {
        "dataset": arguments.dataset,
        "eval_dataset": [arguments.eval_dataset],
        "direction": [arguments.direction],
        "tokenizer_dir": [tokenizer],
        "student_config": [config],
        "tokens_per_batch": [arguments.tokens_per_batch],
        "learning_rate": [arguments.learning_rate],
        "lr_scheduler_type": ["cosine"],
        "max_eval_samples": [arguments.max_eval_samples],
        "seed": [arguments.seed],
        "disable_tqdm": ["true"],
    }
    start = ["--init-from-teacher", "--teacher-model", arguments.teacher_model] if arguments.init_from_teacher else []
    return [*start, *(each for name, values in options.items() for each in (f"--{name}", *map(str, values)))]


def measure(way: str, common: list[str], arguments: Namespace) -> dict[str, Any]:
    """Learn how long a step takes, train for the seconds; metrics and speed."""
    folder = arguments.output_dir / way
    steps, half = arguments.calibration_steps, arguments.calibration_steps // 2
    train(folder / "calibration", [*common, *options_of(way, steps, arguments), "--save-strategy", "no"], steps, half)
    _, log = finished(folder / "calibration")
    first_half = seconds_of([entry for entry in log if entry.get("step") == half])  # holds what is done but once
    steps = max(1, round(arguments.seconds * (steps - half) / max(seconds_of(log) - first_half, 0.1)))
    options = [*common, *options_of(way, steps, arguments), "--predict-with-generate", "--save-steps", "1000"]
    train(folder / "run", [*options, "--save-total-limit", "1"], steps, max(1, steps // 50))
    run, log = finished(folder / "run")
    speeds = [entry["tokens_per_second"] for entry in log if "tokens_per_second" in entry]
    metrics = {name: value for name, value in run["metrics"].items() if name in COLUMNS.values()}
    measured = {"steps": run["steps"], "seconds": seconds_of(log), "speed": median(speeds)}
    return {"options": options_of(way, steps, arguments), **metrics, **measured, "signatures": run["signatures"]}


def options_of(way: str, steps: int, arguments: Namespace) -> list[str]:
    """A way's own options for a run of so many steps."""
    options = {**WAYS, **TEACHER_WAYS}[way].format(fiftieth=max(1, steps // 50)).split()
    needed = way in TEACHER_WAYS and not arguments.init_from_teacher  # then all ways name it
    return [*options, "--teacher-model", arguments.teacher_model] if needed else options


def train(folder: Path, options: list[str], steps: int, logging_steps: int) -> None:
    """One run of `distill_zh_en.py`, or what is left of it."""
    warm_up = max(1, min(1000, steps // 10))
    numbers = {"max-steps": steps, "warmup-steps": warm_up, "logging-steps": logging_steps, "output-dir": folder}
    own = [str(each) for name, value in numbers.items() for each in (f"--{name}", value)]
    command = [str(each) for each in (sys.executable, COMMAND, *options, *own)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UserError(f"{folder}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")


def finished(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """run.json and log.json of a run."""
    return tuple(json.loads((folder / name).read_text(encoding="utf-8")) for name in ("run.json", "log.json"))  # pyright: ignore


def seconds_of(log: list[dict[str, Any]]) -> float:
    """Seconds of training, without evaluation and saving."""
    return max(entry.get("training_seconds", 0.0) for entry in log)


def table(ways: dict[str, dict[str, Any]]) -> str:
    """Markdown, a row a way; in brackets the difference to the baseline."""
    rows = [f"| way | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    baseline = ways.get(BASELINE)
    for way, row in ways.items():
        cells = []
        for key in COLUMNS.values():
            digits = DIGITS.get(key, 0)
            cells.append(f"{row[key]:,.{digits}f}")
            if baseline and way != BASELINE and key in DIGITS:
                cells[-1] += f" ({row[key] - baseline[key]:+.{digits}f})"
        rows.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    run_command(main)
