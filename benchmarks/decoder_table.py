"""Students with different decoders, of equal size, trained for equal time on the same text: what each is worth.

    uv run benchmarks/decoder_table.py --dataset CORPUS.tsv.gz --test-file DEV.tsv --minutes 30
    uv run benchmarks/decoder_table.py --dataset CORPUS.tsv.gz --test-file DEV.tsv --source-weight dictionary=0
    uv run benchmarks/decoder_table.py --dataset CORPUS.tsv.gz --test-file DEV.tsv --decoders Qwen3

Each decoder's speed is measured first, in a short run; it then trains for as many steps as fit the minutes, so that
the schedule of the learning rate fits as well. Scores are greedy, of the trained model. Then it becomes a bundle for
ONNX Runtime with int8 weights, where a token's time and the peak memory are measured. Writes decoder_table.json and
decoder_table.md to the output folder.

Qwen3 is a decoder alone: a language model that reads the source as its prompt, with a byte-level BPE tokenizer of as
many tokens. It is trained on the same pairs, and scored and timed by CTranslate2: in float32, and in int8.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from machine import machine

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_writer, read_json, write_json
from marian_distill.languages import TAGS, languages_of
from marian_distill.runtime.benchmark import SENTENCES

ROOT = Path(__file__).parents[1]
CONFIGS = {
    "Transformer": "256d_3x1_8k",
    "CfC": "liquid_256d_3x1_8k",
    "LTC": "liquid_256d_3x1_8k_ltc",
    "GRU": "liquid_256d_3x1_8k_gru",
    "SSRU": "liquid_256d_3x1_8k_ssru",
    "Qwen3": "qwen3_256d_5_8k",
}
LANGUAGE_MODEL = "Qwen3"
PIECES = 8000
CHRF = {"en-zh": "chrf", "zh-en": "chrf++"}  # as `evaluation.metrics.metric_for` chooses
PILOT_STEPS = 40
TIMED_ROUNDS = 10


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", required=True, help="as distill_zh_en.py takes it")
    parser.add_argument("--source-weight", nargs="+", default=[], metavar="NAME=WEIGHT")
    parser.add_argument("--test-file", required=True, help="TSV with the header en<TAB>zh")
    parser.add_argument("--direction", choices=("en-zh", "zh-en"), default="en-zh")
    parser.add_argument("--decoders", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--minutes", type=float, default=30.0, help="of training each (default: %(default)s)")
    parser.add_argument("--tokens-per-batch", type=at_least(1), default=2048, help="(default: %(default)s)")
    parser.add_argument("--learning-rate", default="1.5e-3", help="(default: %(default)s)")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto", help="(default: %(default)s)")
    parser.add_argument("--max-test-samples", type=at_least(1), default=1000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks/decoders"))
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    options.output_dir.mkdir(parents=True, exist_ok=True)
    rows = {name: measure(name, options) for name in options.decoders}
    settings = {name: str(value) for name, value in vars(options).items()}
    write_json(options.output_dir / "decoder_table.json", {"machine": machine(), "options": settings, "rows": rows})
    with atomic_writer(options.output_dir / "decoder_table.md") as stream:
        stream.write(table(rows))
    print(table(rows))


def sentence_pairs(options: argparse.Namespace) -> tuple[list[str], Path]:
    """Text of an encoder and a decoder, as options, and their joint tokenizer; made where it is absent."""
    text, tokenizer = ["--dataset", options.dataset], options.output_dir / "tokenizer"
    if options.source_weight:
        text += ["--source-weight", *options.source_weight]
    if not (tokenizer / "vocab.json").is_file():
        run("scripts/build_joint_tokenizer.py", *text, "--vocab-size", PIECES, "--output-dir", tokenizer)
    return text, tokenizer


def prompted_pairs(options: argparse.Namespace) -> tuple[list[str], Path]:
    """The same pairs as text of a language model, and its tokenizer."""
    pairs, tokenizer = options.output_dir / "pairs.jsonl", options.output_dir / "tokenizer-bpe"
    if not pairs.is_file():
        from marian_distill.text.cleaning import clean
        from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights

        corpus, _ = clean(load_parallel(CorpusSource(options.dataset)))
        weights = parse_source_weights(options.source_weight)
        mixed = mix([(corpus, 1.0)], source_weights=weights, seed=options.seed)
        with atomic_writer(pairs) as stream:
            for english, chinese in zip(mixed["en"], mixed["zh"], strict=True):
                stream.write(json.dumps({"en": english, "zh": chinese}, ensure_ascii=False) + "\n")
    if not (tokenizer / "tokenizer.json").is_file():
        run("scripts/train_bpe_tokenizer.py", "--text", pairs, "--vocab-size", PIECES, "--output-dir", tokenizer)
    return ["--text", str(pairs), "--holdout-share", "0", "--packed-length", "256"], tokenizer


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Train, score, export and time one student."""
    folder = options.output_dir / name.lower()
    text, tokenizer = (prompted_pairs if name == LANGUAGE_MODEL else sentence_pairs)(options)
    pilot = train(name, text, tokenizer, options, PILOT_STEPS, Path(f"{folder}-pilot"))
    steps = max(1, round(options.minutes * 60 / pilot["seconds"] * PILOT_STEPS))
    trained = train(name, text, tokenizer, options, steps, folder)
    scores = Path(f"{folder}.scores.json")
    scored_folder, exported, cost = generator_cost(folder, options) if name == LANGUAGE_MODEL else bundle_cost(folder)
    limit = ["--max-samples", options.max_test_samples, "--direction", options.direction]
    run("scripts/evaluate_model.py", "--model-dir", scored_folder, "--test-file", options.test_file, "--beam-size", 1,
        *limit, "--json", scores)  # fmt: skip
    scored = read_json(scores)
    return {
        "parameters": read_json(folder / "run.json")["parameters"],
        "steps": steps,
        "training_tokens_per_second": round(trained["tokens_per_second"]),
        "training_peak_mb": round(trained["peak_mb"]),
        "bleu": scored["bleu"]["score"],
        "chrf": scored[CHRF[options.direction]]["score"],
        "megabytes": sum(path.stat().st_size for path in exported.iterdir()) / 1e6,
        **cost,
    }


def bundle_cost(folder: Path) -> tuple[Path, Path, dict[str, float]]:
    """The folder to score, the int8 bundle, the median time of a decoder step in ms and the peak memory in MB."""
    bundle, speed = Path(f"{folder}-onnx"), Path(f"{folder}.speed.json")
    run("scripts/export_onnx.py", folder, "--output-dir", bundle, "--dtype", "int8", "--kv-cache", "--overwrite")
    run("scripts/benchmark_rknn.py", "--model-dir", bundle, "--json", speed)
    timed = read_json(speed)
    return folder, bundle, {"ms_a_token": timed["decoder_ms"]["p50"], "peak_mb": timed["peak_memory_mb"]}


def generator_cost(folder: Path, options: argparse.Namespace) -> tuple[Path, Path, dict[str, float]]:
    """The same of a language model by CTranslate2: the mean time of a token after the prompt and the first token."""
    exported = {quantization: Path(f"{folder}-ct2-{quantization}") for quantization in ("float32", "int8")}
    for quantization, output in exported.items():
        run("scripts/export_ct2.py", folder, "--output-dir", output, "--quantization", quantization, "--overwrite")
    source, target = languages_of(options.direction)
    prompts = [f"{sentence}{TAGS[target]}\n" for sentence in SENTENCES[source]] * TIMED_ROUNDS
    files = [Path(f"{folder}.{ending}") for ending in ("prompts.txt", "written.txt", "speed.json")]
    with atomic_writer(files[0]) as stream:
        stream.writelines(prompts)
    run("scripts/generate_text.py", "--model-dir", exported["int8"], "--input-file", files[0], "--output-file",
        files[1], "--temperature", 0, "--max-new-tokens", 64, "--threads", 1, "--json", files[2])  # fmt: skip
    timed = read_json(files[2])
    first = timed["first_token_ms"] * len(prompts)
    rest = (1000 * timed["tokens"] / timed["tokens_per_second"] - first) / (timed["tokens"] - len(prompts))
    return exported["float32"], exported["int8"], {"ms_a_token": rest, "peak_mb": timed["peak_memory_mb"]}


def train(
    name: str, text: list[str], tokenizer: Path, options: argparse.Namespace, steps: int, folder: Path
) -> dict[str, float]:
    """Train from random weights on the labels; seconds of training, tokens a second, peak memory.

    Tokens are source and target ones, of a language model those of the target alone.
    """
    peak = run(
        "scripts/train_causal_lm.py" if name == LANGUAGE_MODEL else "distill_zh_en.py", *text,
        "--student-config", f"student_configs/{CONFIGS[name]}.json", "--tokenizer-dir", tokenizer,
        "--direction", options.direction, "--alpha-ce", 1.0, "--tokens-per-batch", options.tokens_per_batch,
        "--max-steps", steps, "--learning-rate", options.learning_rate, "--warmup-steps", max(1, steps // 20),
        "--adam-beta2", 0.98, "--eval-strategy", "no", "--save-strategy", "no", "--logging-steps", max(1, steps // 10),
        "--precision", options.precision, "--seed", options.seed, "--output-dir", folder,
    )  # fmt: skip
    seconds = read_json(folder / "run.json")["metrics"]["train_runtime"]
    logged = [entry["tokens_per_second"] for entry in read_json(folder / "log.json") if "tokens_per_second" in entry]
    return {"seconds": seconds, "tokens_per_second": sorted(logged)[len(logged) // 2], "peak_mb": peak}


def run(script: str, *options: object) -> float:
    """Run one of the repository's commands; its peak memory in MB."""
    command = [sys.executable, str(ROOT / script), *map(str, options)]
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise UserError(f"{shlex.join(command)}: exit code {os.waitstatus_to_exitcode(status)}; its words are above")
    return used.ru_maxrss / 1024


def table(rows: dict[str, dict[str, float]]) -> str:
    """The rows in Markdown."""
    head = (
        "| decoder | parameters | training tokens/s | peak MB, training | BLEU | chrF | ms a token | MB | peak MB |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {name} | {row['parameters']:,} | {row['training_tokens_per_second']:,} | {row['training_peak_mb']:,} "
        f"| {row['bleu']:.2f} | {row['chrf']:.2f} | {row['ms_a_token']:.2f} | {row['megabytes']:.1f} "
        f"| {row['peak_mb']:.0f} |\n"
        for name, row in rows.items()
    )


if __name__ == "__main__":
    run_command(main)
