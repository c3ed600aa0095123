"""Kill every script before each of its file operations, at toy size: nothing is lost, and the same command finishes.

    uv run python tests/kill_scripts.py                       every point of every step; minutes
    uv run python tests/kill_scripts.py export_ct2 --sample 5     five points of one step

A step runs twice over each point: into a new place, and over what the same command made before. After the kill each
output is absent, whole as it was, or whole as it will be; the same command then ends well, its outputs are those of an
undisturbed run, and nothing else lies beside them. Training has a command of its own: kill_points.py.
"""

# ruff: noqa: E402 (the environment first)
import argparse
import os
import runpy
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="kill-scripts-"))
os.environ["HF_DATASETS_CACHE"] = str(HOME / "cache")  # before `datasets` reads it
os.environ["OMP_NUM_THREADS"] = "1"

import marian_distill.evaluation.evaluate
import marian_distill.export.ctranslate2
import marian_distill.export.onnx
import marian_distill.teachers.sequence
import marian_distill.text.tokenizer_report
import marian_distill.training.models  # noqa: F401 (once, not in every fork)
from marian_distill.errors import run_command
from marian_distill.export.ctranslate2 import KIND
from marian_distill.files import MARKER, _files_of, check_replaceable, read_json, sha256
from toy_model import PAIRS, train_model

SCRIPTS = Path(__file__).parents[1] / "scripts"
OUT = HOME / "out"
# Step → its words (@ is the workspace), its outputs, whether their bytes are the same in every run.
STEPS: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "make_student_config": (
        "--output @/out/s.json --d-model 64 --encoder-layers 1 --decoder-layers 1 --attention-heads 2 --ffn-dim 64 "
        "--vocab-size 600",
        ("s.json",),
        True,
    ),
    "make_extra_money_data": (
        "--output-csv @/out/money.csv --num-examples 20",
        ("money.csv", "money.csv.report.json"),
        True,
    ),
    "apply_corrections": (
        "--dataset @/text.tsv --corrections @/corrections.csv --output-dir @/out/corrected",
        ("corrected",),
        True,
    ),
    "build_joint_tokenizer": (
        "--dataset @/text.tsv --vocab-size 360 --output-dir @/out/tokenizer",
        ("tokenizer",),
        True,
    ),
    "train_bpe_tokenizer": ("--text @/lines.txt --vocab-size 260 --output-dir @/out/bpe", ("bpe",), True),
    "export_ct2": ("@/model --output-dir @/out/ct2 --parity-sentences 2 --overwrite", ("ct2",), True),
    "export_onnx": ("@/model --output-dir @/out/onnx --parity-file @/dev.tsv --overwrite", ("onnx",), False),
    "forward_translate": (
        "--teacher-ct2-dir @/ct2 --dataset @/text.tsv --output-dir @/out/forward --threads 1 --shard-rows 50",
        ("forward",),
        True,
    ),
    "make_vocabulary_map": (
        "@/out/mapped --dataset @/text.tsv --test-file @/dev.tsv --json @/out/map.json --rounds 1 --min-speedup 0 "
        "--max-chrf-lost 100",
        ("map.json", "mapped"),
        False,
    ),
    "translate_ct2": ("--model-dir @/ct2 --input-file @/lines.txt --output-file @/out/zh.txt", ("zh.txt",), True),
    "evaluate_model": (
        "--model-dir @/ct2 --test-file @/dev.tsv --direction en-zh --json @/out/m.int8.t.json",
        ("m.int8.t.json",),
        False,
    ),
    "pack_board": ("@/onnx --output @/out/board.tar.gz", ("board.tar.gz",), False),
}
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
        sys.argv = [step, *(words or STEPS[step][0]).replace("@", str(HOME)).split()]
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
    """Hashes of an output; None when it is absent. A folder whose marker does not tell its files is not whole."""
    path = OUT / name
    if not path.exists():
        return None
    if path.is_file():
        return {name: sha256(path)}
    found = _files_of(path)
    marker = path / MARKER
    if marker.is_file():
        listed, changing = read_json(marker)["files"], read_json(marker).get("changing", [])
        found = {name: digest for name, digest in found.items() if name not in changing}
        assert {**listed, **found} == listed, f"{path}: other files than its marker says"
        assert listed.keys() - found.keys() == set(), f"{path}: files of its marker are missing"
    return found


def names() -> list[str]:
    """What lies in the output folder; the file of a lock that nobody holds any more is nothing."""
    return sorted(path.name for path in OUT.iterdir() if path.suffix != ".lock")


def clear(step: str = "") -> None:
    """An empty output folder, or one with what a step changes where it lies."""
    import shutil

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    if step == IN_PLACE:
        shutil.copytree(HOME / "ct2", OUT / "mapped")


def check(step: str, over_old: bool, sample: int) -> int:
    """Kill a step before its operations, all or a sample of them; the number of kills."""
    _, outputs, same_bytes = STEPS[step]
    clear(step)
    if over_old:
        if step == "forward_translate":  # which refuses a folder that is there
            return 0
        assert run(step)[0] == 0, (HOME / "log.txt").read_text()
    old = {name: contents(name) for name in outputs}
    code, operations = run(step)
    assert code == 0, (HOME / "log.txt").read_text()
    new = {name: contents(name) for name in outputs}
    beside = names()
    kills = 0
    for point in points(operations, sample):
        clear(step)
        if over_old:
            assert run(step)[0] == 0
        before = {name: contents(name) for name in outputs}
        if run(step, point)[0] != 137:
            continue  # this time there were fewer
        kills += 1
        where = f"{step}, {'over an old one' if over_old else 'new'}, before operation {point} of {operations}"
        if step == IN_PLACE:
            check_replaceable(OUT / "mapped", KIND)
            assert run("translate_ct2", words=TRANSLATE)[0] == 0, f"{where}: {(HOME / 'log.txt').read_text()}"
        for name in outputs:
            there = contents(name)
            assert there is not None or not over_old, f"{where}: {name} is lost"
            if there is not None and same_bytes:
                assert there in (before[name], old[name], new[name]), f"{where}: {name} is half"
        code, _ = run(step)
        if step == "forward_translate" and contents("forward") == new["forward"]:
            code = 0  # it was done, and says that the folder is there
        assert code == 0, f"{where}: then exit code {code}: {(HOME / 'log.txt').read_text()}"
        assert names() == beside, f"{where}: remains"
        if same_bytes:
            assert {name: contents(name) for name in outputs} == new, f"{where}: other outputs"
        if step == IN_PLACE:
            assert contents("mapped") == new["mapped"], f"{where}: another map"
    return kills


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
    child = os.fork()  # threads of engines stay out of the process that forks
    if child == 0:
        train_model(HOME / "model", steps=20)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for step, name in (("export_ct2", "ct2"), ("export_onnx", "onnx")):
        clear()
        assert run(step)[0] == 0, (HOME / "log.txt").read_text()
        (OUT / name).rename(HOME / name)


def main() -> None:
    """Check the steps that are asked for and print how many points of each held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", choices=[[], *STEPS], help="default: all")
    parser.add_argument("--sample", type=int, default=0, help="points of each step (default: all)")
    arguments = parser.parse_args()
    prepare()
    total = 0
    for step in arguments.steps or STEPS:
        kills = [check(step, over_old, arguments.sample) for over_old in (False, True)]
        print(
            f"{step:24} {kills[0]:>4} kills into a new place, {kills[1]:>4} over an old one: nothing lost", flush=True
        )
        total += sum(kills)
    print(f"{total} kills")


if __name__ == "__main__":
    main()
