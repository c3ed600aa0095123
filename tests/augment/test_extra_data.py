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


@pytest.mark.parametrize("domain", ["money", "coffee", "travel"])
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--num-examples", 0], "--num-examples 0: expected 1 or more"),
        (["--repeat", -1], "--repeat -1: expected 1 or more"),
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
