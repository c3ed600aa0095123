"""Kill every script before each of its file operations, at toy size: nothing is lost, and the same command finishes.

    uv run python tests/kill_scripts.py                       every point of every step; minutes
    uv run python tests/kill_scripts.py export_ct2 --sample 5     five points of one step

A step runs twice over each point: into a new place, and over what the same command made before. After the kill each
output is absent, whole as it was, or whole as it will be; the same command then ends well, its outputs are those of an
undisturbed run, and nothing else lies beside them. Training has a command of its own: kill_points.py.
"""

# ruff: noqa: E402 (the environment first)
import argparse
import atexit
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HOME = Path(tempfile.mkdtemp(prefix="kill-scripts-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # forks leave by os._exit, which skips it
os.environ["HF_DATASETS_CACHE"] = str(HOME / "cache")  # before `datasets` reads it
os.environ["OMP_NUM_THREADS"] = "1"

import marian_distill.evaluation.evaluate
import marian_distill.evaluation.hf_generator
import marian_distill.evaluation.language_model
import marian_distill.export.ctranslate2
import marian_distill.export.onnx
import marian_distill.teachers.sequence
import marian_distill.text.tokenizer_report
import marian_distill.training.caching
import marian_distill.training.language.train  # noqa: F401 (once, not in every fork)
from marian_distill.errors import UserError, run_command
from marian_distill.export.ctranslate2 import KIND
from marian_distill.export.language_model import export_language_model
from marian_distill.export.rknn import CONVERTER
from marian_distill.files import MARKER, _files_of, check_replaceable, read_json, sha256, write_json
from marian_distill.training import callbacks
from toy_language_model import TEXTS, new_toy_model, write_toy_config, write_toy_text, write_toy_tokenizer
from toy_model import PAIRS, train_model

SCRIPTS = Path(__file__).parents[1] / "scripts"
OUT = HOME / "out"
MODEL_OPTIONS = "--d-model 64 --encoder-layers 1 --decoder-layers 1 --attention-heads 2 --ffn-dim 64 --vocab-size 600"


class Step(NamedTuple):
    """A command: its words (@ is the workspace), its outputs, whether their bytes are the same in every run."""

    words: str
    outputs: tuple[str, ...]
    same_bytes: bool = True


def extra_data(domain: str, options: str = "") -> Step:
    words = f"--output-csv @/out/{domain}.csv --num-examples 20 {options}"
    return Step(words, (f"{domain}.csv", f"{domain}.csv.report.json"))


STEPS = {
    "make_student_config": Step(f"--output @/out/s.json {MODEL_OPTIONS}", ("s.json",)),
    "make_extra_amounts_data": extra_data("amounts"),
    "make_extra_coffee_data": extra_data("coffee"),
    "make_extra_money_data": extra_data("money"),
    "make_extra_travel_data": extra_data("travel", "--teacher-ct2-dir @/ct2"),
    "audit_parallel_data": Step(
        "--dataset @/text.tsv --output-csv @/out/suspects.csv", ("suspects.csv", "suspects.csv.report.json")
    ),
    "apply_corrections": Step(
        "--dataset @/text.tsv --corrections @/corrections.csv --output-dir @/out/corrected", ("corrected",)
    ),
    "build_joint_tokenizer": Step(
        "--dataset @/text.tsv --vocab-size 360 --output-dir @/out/tokenizer", ("tokenizer",)
    ),
    "export_ct2": Step("@/model --output-dir @/out/ct2 --parity-sentences 2 --overwrite", ("ct2",)),
    "export_onnx": Step("@/model --output-dir @/out/onnx --parity-file @/dev.tsv --overwrite", ("onnx",), False),
    "export_rknn": Step(
        "@/model --output-dir @/out/rknn --calibration-file @/dev.tsv --max-chrf-lost 100 --overwrite",
        ("rknn",),
        False,
    ),
    "train_bpe_tokenizer": Step("--text @/lines.txt --vocab-size 260 --output-dir @/out/bpe", ("bpe",)),
    "cache_teacher_logits": Step(
        "--teacher-model @/model --dataset @/text.tsv --output-dir @/out/cache --shard-size 50", ("cache",)
    ),
    "trim_tokenizer": Step("--tokenizer-dir @/bpe --text @/lines.txt --output-dir @/out/trimmed", ("trimmed",)),
    "forward_translate": Step(
        "--teacher-ct2-dir @/ct2 --dataset @/text.tsv --output-dir @/out/forward --threads 1 --shard-rows 50",
        ("forward",),
    ),
    "make_vocabulary_map": Step(
        "@/out/mapped --dataset @/text.tsv --test-file @/dev.tsv --json @/out/map.json --rounds 1 --min-speedup 0 "
        "--max-chrf-lost 100",
        ("map.json", "mapped"),
        False,
    ),
    "translate_ct2": Step("--model-dir @/ct2 --input-file @/lines.txt --output-file @/out/zh.txt", ("zh.txt",)),
    "translate_rknn": Step("--model-dir @/onnx --input-file @/lines.txt --output-file @/out/zh.txt", ("zh.txt",)),
    "benchmark_rknn": Step("--model-dir @/onnx --json @/out/board.json --repeats 1", ("board.json",), False),
    "evaluate_model": Step(
        "--model-dir @/ct2 --test-file @/dev.tsv --direction en-zh --json @/out/m.json --output-file @/out/zh.txt",
        ("m.json", "zh.txt"),
        False,
    ),
    "compare_models": Step(
        "@/ct2 --test-file @/dev.tsv --direction en-zh --output @/out/compared.md",
        ("compared.md", "compared.md.json"),
        False,
    ),
    "evaluate_slices": Step(
        "--model-dir @/ct2 --direction en-zh --num-examples 2 --json @/out/slices.json", ("slices.json",)
    ),
    "check_regression": Step("@/scores --before before --after after --json @/out/gate.json", ("gate.json",)),
    "results_page": Step("--results @/figures --output @/out/results.md", ("results.md",)),
    "results_table": Step("@/scores --output @/out/results.md", ("results.md", "results.json")),
    "plot_run": Step("@/run --output @/out/curves.png", ("curves.png", "curves.json")),
    "estimate_rknn": Step("@/model/config.json --json @/out/estimate.json", ("estimate.json",)),
    "train_causal_lm": Step(
        "--student-config @/writer.json --tokenizer-dir @/writer --text @/texts.txt --holdout-share 0.1 --max-steps 4 "
        "--save-steps 2 --packed-length 32 --tokens-per-batch 256 --continuation-tokens 4 --learning-rate 0.01 "
        "--lr-scheduler-type constant --precision fp32 --attention sdpa --disable-tqdm --output-dir @/out/causal",
        ("causal/model.safetensors",),  # alone: beside it is a log, which has the time
    ),
    "generate_text": Step(
        "--model-dir @/writer-ct2 --input-file @/lines.txt --output-file @/out/texts.txt --json @/out/cost.json "
        "--temperature 0 --max-new-tokens 8 --threads 1",
        ("texts.txt", "cost.json"),
        False,
    ),
    "evaluate_causal_lm": Step(
        "@/writer @/writer-ct2 --text @/lines.txt --json @/out/measures.json", ("measures.json",), False
    ),
    "pack_board": Step("@/onnx --output @/out/board.tar.gz", ("board.tar.gz",), False),
}
REFUSE_WHAT_IS_THERE = ("cache_teacher_logits", "forward_translate")
# The step that changes a folder where it lies, and how that folder is used.
IN_PLACE = "make_vocabulary_map"
TRANSLATE = "--model-dir @/out/mapped --input-file @/lines.txt --output-file @/translated.txt"


def run(step: str, kill_at: int = 0, words: str | None = None) -> tuple[int, int]:
    """Run a step in a fork; its exit code (137: killed before operation number `kill_at`), how many there were."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        log = os.open(HOME / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(HOME)
        sys.argv = [step, *(words or STEPS[step].words).replace("@", str(HOME)).split()]
        main = runpy.run_path(str(SCRIPTS / f"{step}.py"))["main"]
        count = 0

        def before(event: str, arguments: tuple) -> None:
            nonlocal count
            if is_operation(event, arguments):
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(before)
        code = 0
        try:
            run_command(main)
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        os.write(writer, str(count).encode())
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as stream:
        found = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (128 - code if code < 0 else code), int(found or 0)


def is_operation(event: str, arguments: tuple) -> bool:
    """Whether an audit event is a file operation that changes something in the workspace."""
    if event == "ctypes.dlsym" and arguments[1] == "renameat2":
        return True
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or set(mode or "") & set("wax+")
        return bool(writes) and str(arguments[0]).startswith(str(HOME))
    names = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "shutil.rmtree")
    return event in names and any(str(one).startswith(str(HOME)) for one in arguments)


def contents(name: str) -> dict[str, str] | None:
    """Hashes of an output; None when it is absent."""
    path = OUT / name
    if not path.exists():
        return None
    return {name: sha256(path)} if path.is_file() else _files_of(path)


def is_half(name: str) -> bool:
    """Whether a folder holds other files than its marker says, or a JSON file is cut off."""
    path = OUT / name
    try:
        if path.suffix == ".json" and path.is_file():
            read_json(path)
        if not (path / MARKER).is_file():
            return False
        marker = read_json(path / MARKER)
        changing = marker.get("changing", [])
        listed, found = (
            {file: digest for file, digest in files.items() if file not in changing}
            for files in (marker["files"], _files_of(path))
        )
        return listed != found
    except UserError:  # not valid JSON
        return True


def names() -> list[str]:
    """What lies in the output folder; the file of a lock that nobody holds any more is nothing."""
    return sorted(path.name for path in OUT.iterdir() if path.suffix != ".lock")


def begin(step: str, over_old: bool) -> None:
    """An empty cache and output folder, with what a step changes where it lies; or as the command left it before."""
    shutil.rmtree(HOME / "cache", ignore_errors=True)
    shutil.rmtree(OUT, ignore_errors=True)
    shutil.copytree(HOME / "old", OUT, symlinks=True) if over_old else OUT.mkdir()
    if step == IN_PLACE and not over_old:
        shutil.copytree(HOME / "ct2", OUT / "mapped")


def must_end_well(step: str) -> int:
    """Run a step to its end; the number of its operations."""
    code, operations = run(step)
    if code:
        sys.exit(f"{step}: exit code {code}: {(HOME / 'log.txt').read_text()}")
    return operations


def check(step: str, over_old: bool, sample: int) -> tuple[int, int]:
    """Kill a step before its operations, all or a sample of them; kills, and how many of them did harm."""
    begin(step, over_old=False)
    if over_old:
        if step in REFUSE_WHAT_IS_THERE:
            return 0, 0
        must_end_well(step)
        shutil.rmtree(HOME / "old", ignore_errors=True)
        OUT.rename(HOME / "old")
        begin(step, over_old)
    operations = must_end_well(step)
    undisturbed, beside = {name: contents(name) for name in STEPS[step].outputs}, names()
    kills = failures = 0
    for point in points(operations, sample):
        begin(step, over_old)
        old = {name: contents(name) for name in STEPS[step].outputs}
        if run(step, point)[0] != 137:
            continue  # this time there were fewer
        kills += 1
        harm = harm_done(step, old, undisturbed, beside)
        if harm:
            failures += 1
            where = "over an old one" if over_old else "into a new place"
            print(f"{step}, {where}, killed before operation {point} of {operations}: {harm}", flush=True)
    return kills, failures


Outputs = dict[str, dict[str, str] | None]


def harm_done(step: str, old: Outputs, undisturbed: Outputs, beside: list[str]) -> str | None:
    """What a kill has spoilt, now or once the same command has run again; None: nothing."""
    _, outputs, same_bytes = STEPS[step]
    if step == IN_PLACE:
        try:
            check_replaceable(OUT / "mapped", KIND)  # which clears what the killed run wrote and had not put in place
        except UserError as error:
            return str(error)
        if run("translate_ct2", words=TRANSLATE)[0]:
            return f"it does not translate: {(HOME / 'log.txt').read_text()}"
    for name in outputs:
        there = contents(name)
        if there is None and old[name] is not None:
            return f"{name} is lost"
        if is_half(name) or (same_bytes and there not in (None, old[name], undisturbed[name])):
            return f"{name} is half"
    code, _ = run(step)
    if step in REFUSE_WHAT_IS_THERE and {name: contents(name) for name in outputs} == undisturbed:
        code = 0  # it was done, and says that the folder is there
    if code:
        return f"then exit code {code}: {(HOME / 'log.txt').read_text()}"
    if names() != beside:
        return f"remains: {set(names()) ^ set(beside)}"
    if any(map(is_half, outputs)) or (same_bytes and {name: contents(name) for name in outputs} != undisturbed):
        return "other outputs"
    if step == IN_PLACE and contents("mapped") != undisturbed["mapped"]:
        return "another map"
    return None


def points(operations: int, sample: int) -> Iterator[int]:
    """Every operation's number from 1, or so many of them, spread from the first to the last."""
    if sample <= 0 or sample >= operations:
        yield from range(1, operations + 1)
    else:
        yield from sorted({1 + number * (operations - 1) // max(sample - 1, 1) for number in range(sample)})


def prepare() -> None:
    """Text, a model, its exports."""
    rows = "".join(f"{english}\t{chinese}\n" for english, chinese in PAIRS)
    (HOME / "text.tsv").write_text(f"en\tzh\n{rows}", encoding="utf-8")
    few = "".join(f"{english}\t{chinese}\n" for english, chinese in PAIRS[:4])
    (HOME / "dev.tsv").write_text(f"en\tzh\n{few}", encoding="utf-8")
    (HOME / "lines.txt").write_text("".join(f"{english}\n" for english, _ in PAIRS[:8]), encoding="utf-8")
    (HOME / "corrections.csv").write_text("en,zh,new_en,new_zh\nI want tea.,我想要茶。,I want tea!,我想要茶！\n")
    write_toy_text(HOME / "texts.txt")
    write_toy_config(HOME / "writer.json")
    child = os.fork()  # threads of engines stay out of the process that forks
    if child == 0:
        train_model(HOME / "model", steps=20)
        tokenizer = write_toy_tokenizer(HOME / "writer")
        new_toy_model(tokenizer).save_pretrained(HOME / "writer")
        export_language_model(HOME / "writer", HOME / "writer-ct2", "float32", TEXTS[:4])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    callbacks.matrix_rate = lambda *_: 1.0  # the speed of this machine is not what is tested
    made = {"export_ct2": "ct2", "export_onnx": "onnx", "evaluate_model": "m.json", "train_bpe_tokenizer": "bpe"}
    for step, name in made.items():
        begin(step, over_old=False)
        must_end_well(step)
        (OUT / name).rename(HOME / name)
    (HOME / "figures").mkdir()
    shutil.copy(SCRIPTS.parent / "docs" / "results" / "peers-zh-en.json", HOME / "figures")
    for model in ("before", "after"):
        scores = HOME / "scores" / f"{model}.int8.dev.json"
        scores.parent.mkdir(exist_ok=True)
        shutil.copyfile(HOME / "m.json", scores)
    write_json(HOME / "run" / "log.json", [{"step": 1, "training_seconds": 2.0}, {"step": 1, "eval_loss": 3.0}])


def toolkit_is_there() -> bool:
    """Whether uv has rknn-toolkit2 at hand: this fetches nothing."""
    command = ["uv", "run", "--offline", "--no-project", "-p", "3.11", "-s", str(CONVERTER), "absent.json"]
    return "absent.json" in subprocess.run(command, capture_output=True, text=True, check=False).stderr


def main() -> None:
    """Check the steps that are asked for and print how many points of each held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", choices=[[], *STEPS], help="default: all")
    parser.add_argument("--sample", type=int, default=0, help="points of each step (default: all)")
    arguments = parser.parse_args()
    prepare()
    kills = failures = 0
    print(f"{'':24} {'new place':>12} {'over an old':>12} {'harm':>8}")
    for step in arguments.steps or sorted(STEPS.keys() - (set() if toolkit_is_there() else {"export_rknn"})):
        (new, spoilt), (over, lost) = (check(step, over_old, arguments.sample) for over_old in (False, True))
        print(f"{step:24} {new:>12} {over:>12} {spoilt + lost:>8}", flush=True)
        kills, failures = kills + new + over, failures + spoilt + lost
    print(f"{kills} kills, {failures} did harm")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
