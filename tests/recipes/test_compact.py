"""The compact recipes plan what they promise; a stage that forgets is stopped by its gate."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SLICES = ("money/train", "coffee/train")


def dry_run(recipe: str, tmp_path: Path, *options: str) -> str:
    """What Snakemake says that it would do."""
    corpus, dev = tmp_path / "corpus.tsv", tmp_path / "dev.tsv"
    for path in (corpus, dev):
        path.write_text("en\tzh\nTea.\t茶。\n", encoding="utf-8")
    snakefile = f"recipes/{recipe}/Snakefile"
    command = [sys.executable, "-m", "snakemake", "-s", snakefile, "--cores", "2", "-n", "--directory", tmp_path]
    for folder in ("recipes", "student_configs"):
        if not (tmp_path / folder).exists():
            (tmp_path / folder).symlink_to(REPOSITORY / folder)
    config = ["--config", f"corpus={corpus}", f"dev={dev}", f'tests=["{dev}"]', *options]
    done = subprocess.run([*command, *config], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def plan(recipe: str, tmp_path: Path, *options: str) -> dict[str, int]:
    """How many jobs of each rule a dry run would start."""
    table = dry_run(recipe, tmp_path, *options).partition("-------  -------\n")[2].partition("\n\n")[0]
    return {line.split()[0]: int(line.split()[1]) for line in table.splitlines()}


@pytest.mark.parametrize(("recipe", "directions"), [("compact_en_zh", 1), ("compact_zh_en", 1), ("compact_both", 2)])
def test_every_stage_is_scored_in_every_direction_and_held_to_the_one_before(recipe, directions, tmp_path):
    jobs = plan(recipe, tmp_path)
    assert jobs["gate"] == 3
    assert jobs["slices"] == jobs["evaluate"] == 6 * directions
    assert jobs["forward"] == directions
    assert jobs["teacher"] == jobs["wide"] == jobs["student"] == jobs["variant"] == 1


def test_a_teacher_that_is_given_is_not_trained(tmp_path):
    assert "teacher" not in plan("compact_en_zh", tmp_path, "teacher=Helsinki-NLP/opus-mt-en-zh")


def test_two_recipes_side_by_side_write_no_file_of_each_other(tmp_path):
    written = []
    for recipe in ("compact_en_zh", "compact_zh_en"):
        outputs = re.findall(r"^    output: (.+)$", dry_run(recipe, tmp_path), re.MULTILINE)
        written.append({name for line in outputs for name in line.split(", ")})
    assert len(written[0]) == len(written[1]) > 20
    assert any(name.startswith("tokenizers/") for name in written[0])
    assert not written[0] & written[1]


def test_the_gate_stops_a_model_that_forgot(tmp_path):
    def scored(model: str, kept: float) -> None:
        slices = {
            name: {"metric": "chrF", "score": {"score": 90.0, "signature": "none"}, "kept": 1.0} for name in SLICES
        }
        slices["coffee/train"]["kept"] = kept
        path = tmp_path / f"{model}.int8.slices.json"
        path.write_text(json.dumps({"direction": "en-zh", "slices": slices}))

    def gate(*options: str) -> subprocess.CompletedProcess:
        names = ["--before", "student", "--after", "money-only", "--json", tmp_path / "gate.json"]
        command = [sys.executable, REPOSITORY / "scripts" / "check_regression.py", tmp_path, *names, *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    scored("student", 1.0)
    scored("money-only", 0.4)
    stopped = gate()
    assert stopped.returncode == 2
    assert "money-only fell too far behind student: en-zh int8 coffee/train kept -60.0" in stopped.stderr
    assert json.loads((tmp_path / "gate.json").read_text())["en-zh int8 coffee/train kept"]["allowed"] is False
    assert gate("--allow-regression", "coffee").returncode == 0
