"""The data scripts: CSV and report, repeats, same seed same bytes, and what bad options get."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def make(domain, *options):
    command = [sys.executable, str(SCRIPTS / f"make_extra_{domain}_data.py"), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("domain", ["money", "coffee", "travel", "amounts"])
def test_csv_and_report(domain, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    for path in (first, second):
        result = make(domain, "--output-csv", path, "--num-examples", 150, "--repeat", 3, "--seed", 7)
        assert result.returncode == 0, result.stderr
    assert first.read_bytes() == second.read_bytes()
    with first.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 450
    assert list(rows[0]) == ["source", "target"]
    assert rows[0] == rows[1] == rows[2] != rows[3]
    report = json.loads(first.with_name("first.csv.report.json").read_text(encoding="utf-8"))
    assert (report["examples"], report["split"], report["seed"], report["repeat"]) == (150, "train", 7, 3)
    assert sum(report["examples_by_pattern"].values()) == 150
    assert report["patterns"] == len(report["examples_by_pattern"])

    first.write_text("mine", encoding="utf-8")
    result = make(domain, "--output-csv", first)
    assert (result.returncode, first.read_text(encoding="utf-8")) == (2, "mine")
    assert "was edited since" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--num-examples", 0], "--num-examples: 0: expected a whole number, 1 or more"),
        (["--repeat", -1], "--repeat: -1: expected a whole number, 1 or more"),
        (["--split", "test"], "invalid choice: 'test'"),
        (["--teacher-ct2-dir", "nowhere"], "nowhere"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_bad_options_exit_with_2_and_write_nothing(options, message, tmp_path):
    result = make("coffee", "--output-csv", tmp_path / "out.csv", *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_money_is_made_by_rule_alone(tmp_path):
    assert make("money", "--output-csv", tmp_path / "out.csv", "--teacher-ct2-dir", "x").returncode == 2


def test_a_folder_is_no_csv(tmp_path):
    result = make("travel", "--output-csv", tmp_path)
    assert result.returncode == 2
    assert "is a folder" in result.stderr


def test_a_teacher_makes_the_chinese_unless_it_harms_what_must_survive(toy_ct2_dir, tmp_path):
    options = ["--num-examples", 40, "--repeat", 1, "--seed", 7]
    by_rule, by_teacher = tmp_path / "rule.csv", tmp_path / "teacher.csv"
    assert make("coffee", "--output-csv", by_rule, *options).returncode == 0
    result = make("coffee", "--output-csv", by_teacher, *options, "--teacher-ct2-dir", toy_ct2_dir)
    assert result.returncode == 0, result.stderr
    ruled, taught = (list(csv.DictReader(path.open(encoding="utf-8", newline=""))) for path in (by_rule, by_teacher))
    assert [row["source"] for row in ruled] == [row["source"] for row in taught]
    same = sum(rule["target"] == teacher["target"] for rule, teacher in zip(ruled, taught, strict=True))
    report = json.loads(by_teacher.with_name("teacher.csv.report.json").read_text(encoding="utf-8"))
    assert report["teacher"] == str(toy_ct2_dir)
    assert same >= report["teacher_rejected"] >= 1
    assert same < 40
