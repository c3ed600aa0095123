"""Hundreds of odd inputs, over every entry point: each costs one line and exit code 2, and nothing is written.

    ALL_ODD_INPUTS=1 uv run pytest tests/test_odd_inputs.py     all 1,500; else `representative` ones

`@name@` in a command stands for a path of the workspace; `GOOD` has a command of every entry point that would work.
"""

import json
import os
import re
import resource
import runpy
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from marian_distill.errors import run_command
from marian_distill.files import read_json, sha256
from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.text.corpus import CorpusSource, load_parallel
from odd_files import DEEP, DIGITS, JSON, LONG, TEXT, broken_models, odd_outputs, odd_paths, write
from toy_coordinated import settings_of
from toy_language_model import write_toy_config
from toy_model import write_tokenizer
from toy_training import write_student_config

REPOSITORY = Path(__file__).parents[1]
ALL = "ALL_ODD_INPUTS"  # environment: every case, not the half that stands for them
TRAINING = (
    "--student-config @student@ --tokenizer-dir @tokenizer@ --dataset @text@ --eval-dataset @text@ "
    "--output-dir @out@/run --max-steps 1 --use-cpu"
)
GOOD = {
    "apply_corrections": "--dataset @text@ --corrections @corrections@ --output-dir @out@/corrected",
    "audit_parallel_data": "--dataset @text@ --output-csv @out@/suspects.csv",
    "benchmark_rknn": "--model-dir @bundle@ --json @out@/board.json --repeats 1",
    "build_joint_tokenizer": "--dataset @text@ --extra-csv @text@ --check-file @text@ --output-dir @out@/tokenizer",
    "cache_teacher_logits": "--teacher-model @model@ --dataset @text@ --output-dir @out@/cache",
    "check_platforms": "",
    "compare_models": "@ct2@ --test-file @text@ --direction en-zh --output @out@/compared.md",
    "check_regression": "@scores@ --before before --after after --json @out@/gate.json",
    "coordinate_distill": "@run_yaml@",
    "distill_zh_en": TRAINING,
    "estimate_rknn": "@student@ --json @out@/estimate.json",
    "evaluate_causal_lm": "@writer@ --text @lines@ --json @out@/measures.json",
    "evaluate_model": "--model-dir @ct2@ --test-file @text@ --direction en-zh --json @out@/scores.json "
    "--output-file @out@/hypotheses.txt",
    "evaluate_slices": "--model-dir @ct2@ --direction en-zh --json @out@/slices.json",
    "export_ct2": "@model@ --output-dir @out@/ct2 --parity-file @text@",
    "export_onnx": "@model@ --output-dir @out@/onnx --parity-file @text@",
    "export_rknn": "@model@ --output-dir @out@/rknn --calibration-file @text@ --parity-file @text@",
    "forward_translate": "--teacher-ct2-dir @ct2@ --dataset @text@ --output-dir @out@/forward --threads 1",
    "generate_text": "--model-dir @writer@ --input-file @lines@ --output-file @out@/written.txt "
    "--json @out@/cost.json",
    "make_extra_amounts_data": "--output-csv @out@/amounts.csv",
    "make_extra_coffee_data": "--output-csv @out@/coffee.csv",
    "make_extra_money_data": "--output-csv @out@/money.csv",
    "make_extra_travel_data": "--output-csv @out@/travel.csv --teacher-ct2-dir @ct2@",
    "make_student_config": "--output @out@/student.json --d-model 64 --encoder-layers 1 --decoder-layers 1 "
    "--attention-heads 2 --ffn-dim 64 --vocab-size 600",
    "make_vocabulary_map": "@ct2@ --dataset @text@ --test-file @text@ --json @out@/map.json",
    "pack_board": "@bundle@ --output @out@/board.tar.gz",
    "plot_run": "@run@ --output @out@/curves.png",
    "results_page": "--results @figures@ --output @out@/results.md",
    "quick_start": "--mode test --config @run_yaml@ --output-dir @out@/quick_start",
    "results_table": "@scores@ --output @out@/results.md",
    "serve": "--model-dir @ct2@ --port 0",
    "train_bpe_tokenizer": "--text @lines@ --vocab-size 260 --output-dir @out@/bpe",
    "train_causal_lm": "--student-config @writer_config@ --tokenizer-dir @writer@ --text @text@ --max-steps 1 "
    "--packed-length 32 --precision fp32 --attention sdpa --output-dir @out@/writer",
    "trim_tokenizer": "--tokenizer-dir @writer@ --text @lines@ --output-dir @out@/trimmed",
    "translate_ct2": "--model-dir @ct2@ --input-file @lines@ --output-file @out@/zh.txt",
    "translate_rknn": "--model-dir @bundle@ --input-file @lines@ --output-file @out@/zh.txt",
}
ANY_TEXT = ("swapped.tsv", "text.docx", "no-ending")  # which a language model may well read
ODD_PATHS = ("absent", "loop", "dangling", "folder", "long name", "under a file", "process")
ODD_OUTPUTS = ("under /proc", "under /sys", "under a file", "long name", "long folder", "loop", "device")
ODD_MODELS = (
    *("missing tensor", "unexpected tensor", "another shape", "nan", "infinite", "truncated", "truncated header"),
    *("no weights", "junk weights", "no safetensors", "no config", "no .spm", "junk .spm", "empty .spm"),
    *("junk target.spm", "vocabulary list", "vocabulary of text", "vocabulary far away", "vocabulary of nothing"),
    *("negative vocabulary", *(f"config {name}" for name in JSON)),
)
EXPORTERS = ("export_ct2", "export_onnx", "export_rknn")
ONE_PROCESS = (
    *("apply_corrections", "build_joint_tokenizer", "cache_teacher_logits", "export_ct2", "export_onnx"),
    *("forward_translate", "trim_tokenizer"),
)
NOT_NUMBERS = ("", "nan", "x", "inf", DIGITS, "-1")


Case = tuple[str, list[str]]


def with_option(command: str, option: str, value: str) -> Case:
    """The good command with another value of an option, or of its first word."""
    words = [word.replace("\0", " ") for word in GOOD[command].split()]
    if not option.startswith("--"):
        return command, [value, *words[1:]]
    if option in words:
        words[words.index(option) + 1] = value
        return command, words
    return command, [*words, f"{option}={value}"]


def cases() -> Iterator[tuple[str, Case]]:
    """Every odd input: what it is called, the entry point, its words."""
    for command, option in (
        *[(name, "--dataset") for name in ("apply_corrections", "audit_parallel_data", "build_joint_tokenizer")],
        *[("build_joint_tokenizer", name) for name in ("--extra-csv", "--check-file")],
        *[(name, "--dataset") for name in ("forward_translate", "make_vocabulary_map", "distill_zh_en")],
        *[("distill_zh_en", name) for name in ("--extra-train-csv", "--eval-dataset")],
    ):
        few = command == "distill_zh_en" and option != "--dataset"  # read by the same function
        for name in (*list(TEXT)[:: 5 if few else 1], *ODD_PATHS):
            yield f"{option} {name}", with_option(command, option, f"@text/{name}@")
    for command, option in (
        ("evaluate_model", "--test-file"),
        ("make_vocabulary_map", "--test-file"),
        ("export_ct2", "--parity-file"),
        ("export_onnx", "--parity-file"),
    ):
        for name in (
            *(name for name in TEXT if name.endswith((".tsv", ".docx")) and name != "swapped.tsv"),
            *ODD_PATHS,
        ):
            yield f"{option} {name}", with_option(command, option, f"@text/{name}@")
    for command in ("train_bpe_tokenizer", "train_causal_lm", "evaluate_causal_lm"):
        taken = (*ANY_TEXT, "cut.tsv.gz") if command == "evaluate_causal_lm" else ANY_TEXT  # the first lines are read
        for name in (*(name for name in TEXT if name not in taken), *ODD_PATHS):
            yield f"--text {name}", with_option(command, "--text", f"@text/{name}@")
    for name in ("bytes.tsv", "utf16.tsv", *ODD_PATHS):
        yield f"--input-file {name}", with_option("generate_text", "--input-file", f"@text/{name}@")
    yield from other_kinds()
    for command, words in GOOD.items():
        for option in re.findall(r"(--output\S*|--json) ", words):
            odd = [*ODD_OUTPUTS, "." if option.endswith("-dir") else "a folder", "a file" if "dir" in option else "/"]
            odd += ["a diary"] if option.endswith("-dir") else []
            odd += ["in use"] if command in ONE_PROCESS else []
            for name in odd:
                if (
                    command in ("distill_zh_en", "train_causal_lm") and name == "."
                ):  # a run's files go into a folder that is there
                    continue
                yield f"{option} {name}", with_option(command, option, f"@output/{name}@")
    for name in JSON:
        yield f"scores {name}", with_option("check_regression", "scores", f"@scores/{name}@")
        yield f"slices {name}", with_option("check_regression", "scores", f"@slices/{name}@")
        yield f"scores {name}", with_option("results_table", "scores", f"@scores/{name}@")
        yield f"slices {name}", with_option("results_table", "scores", f"@slices/{name}@")
        yield f"config {name}", with_option("estimate_rknn", "configs", f"@json/{name}@")
        yield f"--student-config {name}", with_option("distill_zh_en", "--student-config", f"@json/{name}@")
        yield f"--student-config {name}", with_option("train_causal_lm", "--student-config", f"@json/{name}@")
        yield f"tokenizer {name}", with_option("train_causal_lm", "--tokenizer-dir", f"@bpe/{name}@")
        yield f"tokenizer {name}", with_option("trim_tokenizer", "--tokenizer-dir", f"@bpe/{name}@")
        yield f"figures {name}", with_option("results_page", "--results", f"@figures/{name}@")
        if name != "list":
            yield f"log {name}", with_option("plot_run", "runs", f"@run/{name}@")
        for command in ("pack_board", "translate_rknn", "benchmark_rknn"):
            option = "bundle_dir" if command == "pack_board" else "--model-dir"
            yield f"bundle.json {name}", with_option(command, option, f"@bundle/{name}@")
        if name not in ("empty-object", "infinite"):  # what CTranslate2 needs of it is in the model itself
            yield f"config.json {name}", with_option("translate_ct2", "--model-dir", f"@ct2/config.json {name}@")
        yield f"YAML {name}", with_option("coordinate_distill", "config", f"@json/{name}@")
        if name not in ("empty", "null", "empty-object"):
            yield f"YAML {name}", ("distill_zh_en", ["--config", f"@json/{name}@", *GOOD["distill_zh_en"].split()])
        yield f"vocabulary {name}", with_option("translate_ct2", "--model-dir", f"@ct2/shared_vocabulary.json {name}@")
    for name in ODD_MODELS:
        yield f"model {name}", with_option("export_ct2", "model_dir", f"@model/{name}@")
        yield f"model {name}", with_option("export_onnx", "model_dir", f"@model/{name}@")
        yield f"model {name}", with_option("evaluate_model", "--model-dir", f"@model/{name}@")
        yield f"model {name}", with_option("cache_teacher_logits", "--teacher-model", f"@model/{name}@")
        if "vocabulary" not in name and "spm" not in name:
            words = GOOD["distill_zh_en"].replace(
                "--student-config @student@", f"--student-model @model/{name.replace(' ', '%')}@"
            )
            yield f"--student-model {name}", ("distill_zh_en", [word.replace("%", " ") for word in words.split()])
    for command in ("pack_board", "translate_rknn"):
        option = "bundle_dir" if command == "pack_board" else "--model-dir"
        for name in ("outside", "absolute", "link", "missing file", "changed file", "sizes", "ids", "no graph"):
            yield f"bundle {name}", with_option(command, option, f"@bundle/{name}@")
    for name in ("graph", "table", "graph of other sizes"):
        yield f"bundle junk {name}", with_option("translate_rknn", "--model-dir", f"@bundle/junk {name}@")
    for name in ("no columns", "bytes", "conflict", "absent", "folder"):
        yield f"--corrections {name}", with_option("apply_corrections", "--corrections", f"@corrections/{name}@")
    yield from odd_options()


def other_kinds() -> Iterator[tuple[str, Case]]:
    """Models that are good ones, of a kind, or for an engine, that the command is not for."""
    for command, option, folders in (
        ("distill_zh_en", "--tokenizer-dir", "writer writer_model"),
        ("distill_zh_en", "--student-config", "writer_config"),
        ("evaluate_causal_lm", "model_dirs", "model ct2 bundle liquid lines text/absent"),
        ("evaluate_model", "--model-dir", "writer writer_model"),
        ("evaluate_slices", "--model-dir", "writer writer_model"),
        ("estimate_rknn", "configs", "writer_config"),
        ("export_ct2", "model_dir", "liquid writer"),
        ("export_onnx", "model_dir", "ct2 bundle writer writer_model"),
        ("export_rknn", "model_dir", "ct2 writer writer_model"),
        ("forward_translate", "--teacher-ct2-dir", "model bundle liquid writer writer_model"),
        ("generate_text", "--model-dir", "liquid"),
        ("make_extra_travel_data", "--teacher-ct2-dir", "liquid writer"),
        ("make_vocabulary_map", "model_dir", "model bundle liquid writer writer_model"),
        ("pack_board", "bundle_dir", "ct2 liquid writer_model"),
        ("serve", "--model-dir", "model liquid writer lines text/absent"),
        ("serve", "--api-key-file", "text/bytes.tsv text/absent ct2"),
        ("train_causal_lm", "--tokenizer-dir", "ct2 liquid"),
        ("translate_ct2", "--model-dir", "bundle liquid writer_model"),
        ("translate_rknn", "--model-dir", "ct2 liquid writer"),
    ):
        for folder in folders.split():
            yield f"{option} {folder}", with_option(command, option, f"@{folder}@")
    for folder in ("writer_model", "liquid"):
        words = f"{TRAINING} --alpha-ce 0.5 --teacher-model @{folder}@".split()
        if folder != "liquid":  # the same vocabulary: it may teach another kind, not hand its layers on
            yield f"--teacher-model {folder}", ("distill_zh_en", words)
        yield f"--teacher-model {folder} --init-from-teacher", ("distill_zh_en", [*words, "--init-from-teacher"])
    words = TRAINING.replace("--student-config @student@", "--student-model @writer_model@").split()
    yield "--student-model writer_model", ("distill_zh_en", words)
    for folder in ("model", "liquid"):
        words = GOOD["train_causal_lm"].replace("--student-config @writer_config@", f"--student-model @{folder}@")
        yield f"--student-model {folder}", ("train_causal_lm", words.split())


def odd_options() -> Iterator[tuple[str, Case]]:
    """Numbers that no option takes, and names that none has."""
    for command, options in {
        "audit_parallel_data": ("--min-score", "--max-rows"),
        "benchmark_rknn": ("--repeats", "--beam-size", "--threads"),
        "build_joint_tokenizer": ("--max-samples", "--vocab-size", "--character-coverage", "--seed"),
        "cache_teacher_logits": ("--k", "--temperature", "--batch-size", "--max-seq-len", "--shard-size"),
        "check_regression": ("--max-drop", "--max-slice-drop"),
        "distill_zh_en": (
            *("--learning-rate", "--temperature", "--alpha-ce", "--weight-decay", "--max-grad-norm", "--warmup-steps"),
            *("--num-train-epochs", "--label-smoothing-factor", "--adam-beta1", "--tag-share", "--source-noise"),
            *("--extra-train-repeat", "--tokens-per-batch", "--num-beams", "--max-source-length", "--logging-steps"),
        ),
        "compare_models": ("--beam-size", "--max-samples", "--threads"),
        "estimate_rknn": ("--source-length",),
        "evaluate_model": ("--beam-size", "--max-decoding-length", "--max-examples", "--threads", "--target"),
        "evaluate_slices": ("--examples", "--beam-size"),
        "evaluate_causal_lm": ("--max-samples", "--threads"),
        "export_ct2": ("--min-parity", "--parity-sentences"),
        "generate_text": (
            *("--temperature", "--top-k", "--top-p", "--repetition-penalty", "--max-new-tokens", "--threads"),
        ),
        "serve": ("--port", "--beam-size", "--threads", "--batch-tokens", "--most-texts", "--most-seconds"),
        "train_bpe_tokenizer": ("--vocab-size", "--max-samples"),
        "train_causal_lm": (
            "--holdout-share",
            "--packed-length",
            "--vocab-size",
            "--continuation-tokens",
            "--lora-alpha",
        ),
        "export_onnx": ("--source-length", "--target-length", "--min-parity"),
        "forward_translate": ("--beam-size", "--n-best", "--min-score", "--shard-rows", "--rank", "--threads"),
        "make_extra_coffee_data": ("--num-examples", "--repeat"),
        "make_student_config": ("--d-model", "--vocab-size", "--dropout", "--ffn-dim"),
        "make_vocabulary_map": ("--candidates", "--min-speedup", "--rounds"),
        "trim_tokenizer": ("--vocab-size", "--min-count"),
        "translate_ct2": ("--beam-size", "--max-decoding-length", "--threads"),
        "translate_rknn": ("--beam-size", "--max-decoding-length", "--threads"),
    }.items():
        for option in options:
            for value in NOT_NUMBERS[1::2] if command == "distill_zh_en" else NOT_NUMBERS:
                if (option, value) not in {("--min-score", "-1"), ("--seed", "-1"), ("--seed", DIGITS)}:
                    yield f"{option} {value[:9]!r}", with_option(command, option, value)
    for path in ("@text/absent@", "@text@", "@model@"):
        yield f"config {path}", with_option("coordinate_distill", "config", path)
    for folder in ("@text/absent@", "@text@", "@model@"):
        words = f"{GOOD['distill_zh_en']} --alpha-ce 0.5 --teacher-cache {folder}".split()
        yield f"--teacher-cache {folder}", ("distill_zh_en", words)
    for command in GOOD:
        yield "--no-such-option", with_option(command, "--no-such-option", "1")
        yield "no options", (command, ["--direction", "en-de"])
    for command, option, values in (
        ("distill_zh_en", "--report-to", ("carrier-pigeon",)),
        ("distill_zh_en", "--source-weight", ("train=nan", "train=inf", "train=-1", "train=x", "nobody=2")),
        ("distill_zh_en", "--direction", ("en-de", "", "en")),
        ("cache_teacher_logits", "--k", ("100000",)),
        ("cache_teacher_logits", "--device", ("tpu", "")),
        ("cache_teacher_logits", "--tokenizer-dir", ("@writer@", "@text/absent@")),
        ("cache_teacher_logits", "--prompt-file", ("@text/absent@", "@lines@")),
        ("trim_tokenizer", "--tokenizer-dir", ("@tokenizer@", "@text/absent@")),
        ("distill_zh_en", "--resume-from-checkpoint", ("@text/absent@", "@model/nan@")),
        ("distill_zh_en", "--init-from-teacher-encoder-layer-map", ("0", "x")),
        ("build_joint_tokenizer", "--source-weight", ("text=nan", "text=1e400", "text=-1", "text")),
        ("build_joint_tokenizer", "--vocab-size", ("10", "900000")),
        ("build_joint_tokenizer", "--separate-characters", ("a b", "▁", "\x07")),
        ("translate_ct2", "--beam-size", ("100000",)),
        ("translate_ct2", "--threads", ("100000",)),
        ("translate_rknn", "--threads", ("100000",)),
        ("translate_ct2", "--compute-type", ("int3", "")),
        ("translate_ct2", "--device", ("tpu",)),
        ("forward_translate", "--rank", ("7",)),
        ("export_rknn", "--target", ("rv1126", "rk1", "")),
        ("export_ct2", "--quantization", ("int3", "")),
        ("check_regression", "--before", ("nobody", "")),
        ("check_regression", "--allow-regression", ("nothing",)),
        ("pack_board", "--output", ("@out@/board.zip",)),
        ("apply_corrections", "--output-dir", ("@text/nulls/train.parquet@",)),  # its own input's folder
        ("apply_corrections", "--output-dir", ("@tokenizer@", "@model@")),
        ("build_joint_tokenizer", "--output-dir", ("@text/nulls/train.parquet@", "@model@", "@ct2@")),
        ("export_ct2", "--output-dir", ("@model@", "@ct2@", "@bundle@")),
        ("audit_parallel_data", "--output-csv", ("@text@",)),
        ("evaluate_model", "--json", ("@text@",)),
        ("translate_ct2", "--output-file", ("@lines@",)),
        ("generate_text", "--output-file", ("@lines@",)),
        ("generate_text", "--model-dir", ("@ct2@", "@model@", "@bundle@", "@text/absent@", "@lines@")),
        ("generate_text", "--stop", ("",)),
        ("translate_ct2", "--model-dir", ("@writer@",)),
        ("train_causal_lm", "--tokenizer-dir", ("@tokenizer@", "@text/absent@", "@lines@")),
        ("train_causal_lm", "--student-config", ("@student@", "@liquid_config@")),
        ("distill_zh_en", "--student-config", ("@writer_config@", "@marian as liquid@")),
        ("distill_zh_en", "--tokenizer-dir", ("@writer@",)),
        ("estimate_rknn", "configs", ("@writer_config@", "@marian as liquid@")),
        *((name, "model_dir", ("@ct2@", "@bundle@", "@writer@", "@tokenizer@")) for name in EXPORTERS),
        ("evaluate_model", "--model-dir", ("@writer@", "@tokenizer@")),
        ("evaluate_causal_lm", "model_dirs", ("@ct2@", "@model@", "@bundle@", "@tokenizer@")),
        ("forward_translate", "--teacher-ct2-dir", ("@writer@", "@model@", "@bundle@")),
        ("make_vocabulary_map", "model_dir", ("@writer@", "@model@", "@bundle@")),
        ("make_student_config", "--teacher-model", ("@ct2@", "@bundle@", "@tokenizer@")),
        ("make_student_config", "--model-type", ("bart", "qwen3")),  # qwen3 has no encoder
        ("make_student_config", "--cell", ("gru",)),
        ("translate_rknn", "--model-dir", ("@writer@", "@ct2@", "@model@")),
        ("train_causal_lm", "--text", ("@text/bytes.tsv@", "@text/absent@", "@text/junk.tsv.gz@", "@text/nan.jsonl@")),
        ("train_bpe_tokenizer", "--text", ("@text/bytes.tsv@", "@text/absent@", "@text/header.tsv@")),
    ):
        for value in values:
            yield f"{option} {value}", with_option(command, option, value)


def representative(everything: list[tuple[str, Case]]) -> Iterator[tuple[str, Case]]:
    """About half of the cases: every odd input, on every other of the commands that could be given it."""
    order: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for name, case in everything:
        odd = name.partition(" ")[2]
        number = order.setdefault(odd, len(order))
        if not seen[odd] or (seen[odd] + number) % 2 == 0:
            yield name, case
        seen[odd] += 1


CHOSEN = list(cases()) if os.environ.get(ALL) else list(representative(list(cases())))
CASES = [(f"{case[0]}: {name}", case) for name, case in CHOSEN]


HOLDER = """
import sys
from marian_distill.locks import folder_lock
with folder_lock(sys.argv[1]), folder_lock(sys.argv[1] + ".0-of-1"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def places(
    tmp_path_factory, toy_stage, toy_model_dir, toy_ct2_dir, toy_bundle_dir, toy_writer_dir, toy_writer_ct2_dir
) -> Iterator[dict[str, Path]]:
    """The workspace's paths by their names; while they are used, another process holds one of them."""
    home = tmp_path_factory.mktemp("odd")
    for name in (
        "out",
        "text",
        "json",
        "outputs",
        "models",
        "scores",
        "slices",
        "runs",
        "bundles",
        "ct2",
        "corrections",
        "bpe",
    ):
        (home / name).mkdir()
    write(home, {"corrections.csv": "en,zh,new_en,new_zh\nTea.,茶。,Tea,茶\n", "lines.txt": "We like tea.\n"})
    write_student_config(home / "student.json", vocab_size=len(read_json(toy_stage / "tokenizer" / "vocab.json")))
    found = {
        **{"out": home / "out", "text": toy_stage / "train.tsv", "lines": home / "lines.txt"},
        **{"corrections": home / "corrections.csv", "student": home / "student.json"},
        **{"tokenizer": toy_stage / "tokenizer", "model": toy_model_dir, "ct2": toy_ct2_dir, "bundle": toy_bundle_dir},
        "liquid_config": REPOSITORY / "student_configs" / "liquid_256d_3x1_8k.json",
        "marian as liquid": write(
            home, {"other.json": json.dumps(read_json(home / "student.json") | {"model_type": "liquid"})}
        )[0],
        **{"writer": toy_writer_ct2_dir, "writer_config": write_toy_config(home / "writer.json")},
        **{"writer_model": toy_writer_dir, "liquid": write_liquid(home / "liquid")},
        **{"scores": home / "scores" / "good", "run": home / "runs" / "good"},
    }
    run = settings_of(home, toy_writer_dir, corpus={"dataset": [str(toy_stage / "train.tsv")]})
    found["run_yaml"] = write(home, {"run.yaml": json.dumps(run)})[0]
    write(home / "text", {"file": "a file"})
    found |= {f"text/{name}": path for name, path in odd_paths(home / "text").items()}
    for name, path in zip(TEXT, write(home / "text", TEXT), strict=True):
        found[f"text/{name}"] = path.parent if path.parent != home / "text" else path
    found |= {f"json/{name}": path for name, path in zip(JSON, write(home / "json", JSON), strict=True)}
    for name, content in JSON.items():
        found[f"bpe/{name}"] = write(home / "bpe" / name, {"tokenizer.json": content})[0].parent
    found |= {f"output/{name}": path for name, path in odd_outputs(home / "outputs").items()}
    found |= {
        "output/.": Path(),
        "output/a folder": home / "json",
        "output/a file": home / "lines.txt",
        "output//": Path("/"),
    }
    found |= {f"model/{name}": path for name, path in broken_models(toy_model_dir, home / "models").items()}
    write_scores(home, found)
    write_bundles(toy_bundle_dir, home / "bundles", found)
    for file in ("config.json", "shared_vocabulary.json"):
        for name, path in zip(JSON, write(home / "json", JSON), strict=True):
            folder = found[f"ct2/{file} {name}"] = Path(shutil.copytree(toy_ct2_dir, home / "ct2" / f"{file} {name}"))
            shutil.copyfile(path, folder / file)
    for name, content in {
        "no columns": "a,b\n1,2\n",
        "bytes": b"en,zh,new_en,new_zh\n\xff,,,\n",
        "conflict": "en,zh,new_en,new_zh\na,b,c,d\na,b,e,f\n",
    }.items():
        found[f"corrections/{name}"] = write(home / "corrections", {f"{name}.csv": content})[0]
    found |= {"corrections/absent": home / "absent.csv", "corrections/folder": home / "json"}
    found |= {"output/a diary": write(home / "outputs" / "diary", {"diary.txt": "dear diary"})[0].parent}
    found |= {"output/in use": home / "outputs" / "held"}
    command = [sys.executable, "-c", HOLDER, found["output/in use"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline()
        yield found
        holder.kill()


def write_liquid(folder: Path) -> Path:
    """A liquid student with random weights and the toy tokenizer."""
    size = write_tokenizer(folder)
    shape = {"d_model": 32, "ffn_dim": 64, "encoder_layers": 1, "decoder_layers": 1, "units": 32, "motor_units": 9}
    ids = {"vocab_size": size, "pad_token_id": size - 1, "decoder_start_token_id": size - 1}
    LiquidStudent(LiquidConfig(**shape, **ids, directions=["en-zh"])).save_pretrained(folder)
    return folder


def write_scores(home: Path, found: dict[str, Path]) -> None:
    """Score folders and logs of which one file is odd."""
    scored = {
        "direction": "en-zh",
        "chrf": {"score": 1.0, "signature": "s"},
        "chrf++": {"score": 1.0, "signature": "s"},
        "bleu": {"score": 1.0, "signature": "s"},
    }
    for name, content in {"good": json.dumps(scored), **JSON}.items():
        for kind, test in (("scores", "news"), ("slices", "slices")):
            files = {f"{model}.int8.{test}.json": content for model in ("before", "after")}
            found[f"{kind}/{name}"] = write(home / kind / name, files)[0].parent
        log = json.dumps([{"step": 1, "eval_loss": 2.0, "training_seconds": 3.0}]) if name == "good" else content
        figures = (REPOSITORY / "docs/results/peers-zh-en.json").read_text("utf-8") if name == "good" else content
        found[f"figures/{name}"] = write(home / "figures" / name, {"some.json": figures})[0].parent
        found[f"run/{name}"] = write(home / "runs" / name, {"log.json": log})[0].parent
    found |= {"scores": home / "scores" / "good", "figures": home / "figures" / "good"}


def write_bundles(good: Path, home: Path, found: dict[str, Path]) -> None:
    """Bundles with another bundle.json, or other files than it says."""

    def copy(name: str, **changes) -> Path:
        folder = found[f"bundle/{name}"] = Path(shutil.copytree(good, home / name))
        config = read_json(folder / "bundle.json")
        (folder / "bundle.json").write_text(json.dumps(config | changes))
        return folder

    for name, content in JSON.items():
        (copy(name) / "bundle.json").write_bytes(content.encode() if isinstance(content, str) else content)
    config = read_json(good / "bundle.json")
    (home / "secret.txt").write_text("secret")
    facts = {"bytes": 6, "sha256": sha256(home / "secret.txt")}
    copy("outside", files={**config["files"], "../secret.txt": facts})
    copy("absolute", files={**config["files"], str(home / "secret.txt"): facts})
    (copy("link", files={**config["files"], "link.txt": facts}) / "link.txt").symlink_to(home / "secret.txt")
    (copy("missing file") / "encoder.onnx").unlink()
    (copy("changed file") / "encoder.onnx").write_bytes(b"junk")
    copy("sizes", d_model=config["d_model"] + 1)
    copy("ids", eos_id=config["vocabulary"] + 5)
    copy("no graph", graphs={"encoder": config["graphs"]["encoder"]})
    for name, file in (("graph", "decoder.onnx"), ("table", "positions.npy")):
        folder = copy(f"junk {name}")
        (folder / file).write_bytes(b"junk")
        files = {**config["files"], file: {"bytes": 4, "sha256": sha256(folder / file)}}
        (folder / "bundle.json").write_text(json.dumps({**config, "files": files}))
    graphs = json.loads(json.dumps(config["graphs"]))
    graphs["encoder"]["inputs"][0]["shape"][1] += 1
    copy("junk graph of other sizes", graphs=graphs)


def state(places: dict[str, Path]) -> list[tuple[str, int, int]]:
    """Every file of the workspace, with what changes when it is written."""
    found = []
    for place, folders, names in os.walk(places["out"].parent):
        found += [(place, 0, len(folders))]
        for name in names:
            facts = Path(place, name).lstat()
            found.append((f"{place}/{name}", facts.st_size, facts.st_mtime_ns))
    return sorted(found)


@pytest.fixture(scope="session")
def mains() -> dict:
    """`main` of every entry point."""
    scripts = [*REPOSITORY.glob("scripts/*.py"), REPOSITORY / "distill_zh_en.py"]
    assert {script.stem for script in scripts} == set(GOOD), "a new entry point has its row in GOOD"
    return {script.stem: runpy.run_path(str(script))["main"] for script in scripts}


def test_there_are_at_least_six_hundred_and_every_command_has_some():
    assert len(CASES) >= 600
    assert {command for _, (command, _) in CASES} == set(GOOD)


@pytest.mark.usefixtures("datasets_cache")
@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_an_odd_input_is_one_line(case, places, mains, capfd, monkeypatch):
    command, words = case
    words = [re.sub(r"@([^@]+)@", lambda name: str(places[name[1]]), word) for word in words]
    before = state(places)
    monkeypatch.chdir(places["out"])
    monkeypatch.setattr(sys, "argv", [command, *words])
    with pytest.raises(SystemExit) as leaving:
        run_command(mains[command])
    said = capfd.readouterr().err
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert leaving.value.code == 2, said
    assert len(lines) == 1, said
    assert "Traceback" not in said
    assert len(lines[0]) < 2_000
    assert state(places) == before


@pytest.mark.usefixtures("datasets_cache")
@pytest.mark.parametrize(
    "command",
    [
        *(
            "apply_corrections",
            "audit_parallel_data",
            "build_joint_tokenizer",
            "export_ct2",
            "export_onnx",
            "pack_board",
        ),
        *("make_extra_coffee_data", "make_student_config", "results_table", "plot_run"),
    ],
)
def test_a_file_that_grows_too_large_is_one_line(command, places, mains, capsys, monkeypatch):
    load_parallel(CorpusSource(str(places["text"])))  # into the cache
    before = state(places)
    words = [re.sub(r"@([^@]+)@", lambda name: str(places[name[1]]), word) for word in GOOD[command].split()]
    monkeypatch.setattr(sys, "argv", [command, *words, *(["--vocab-size=500"] if "tokenizer" in command else [])])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python renames bytecode that is cut short into its place
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(SystemExit) as leaving:
            run_command(mains[command])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    said = capsys.readouterr().err
    assert leaving.value.code == 2, said
    assert "File too large" in said
    assert str(places["out"]) in said or command == "build_joint_tokenizer"  # the cache of `datasets` is full before
    assert state(places) == before


@pytest.mark.parametrize(
    ("shell", "said"), [(">&-", "stdout is closed"), ("> /dev/full", "no space left on device: stdout")]
)
def test_a_stdout_that_takes_nothing_is_one_line(shell, said, places):
    command = f'"{sys.executable}" "{REPOSITORY}/scripts/estimate_rknn.py" "{places["student"]}" {shell}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr


def test_odd_files_are_as_odd_as_they_say():
    assert len(DEEP) > sys.getrecursionlimit()
    assert len(DIGITS) > sys.get_int_max_str_digits()
    assert len(LONG) > 255
