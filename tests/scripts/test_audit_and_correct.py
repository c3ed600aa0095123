import csv
import subprocess
import sys
from pathlib import Path

from marian_distill.files import read_json
from marian_distill.text.corpus import CorpusSource, load_parallel

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(name: str, *options: object) -> subprocess.CompletedProcess:
    command = [sys.executable, SCRIPTS / f"{name}.py", *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_an_audit_s_file_is_a_corrections_file(tmp_path):
    corpus = tmp_path / "corpus.tsv"
    corpus.write_text("I like tea.\t我喜欢茶。\nSave as\tSave as\nI don't know.\t我唔知。\n", encoding="utf-8")
    suspects = tmp_path / "suspects.csv"
    done = run("audit_parallel_data", "--dataset", corpus, "--output-csv", suspects)
    assert done.returncode == 0, done.stderr
    assert "3 pairs, 2 suspects (66.7%)" in done.stdout
    with suspects.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["en"] for row in rows] == ["Save as", "I don't know."]  # worst first
    rows[1]["new_zh"] = "我不知道。"
    with suspects.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    output = tmp_path / "corrected"
    done = run("apply_corrections", "--dataset", corpus, "--corrections", suspects, "--output-dir", output)
    assert done.returncode == 0, done.stderr
    assert "3 rows, 1 changed, 1 dropped; 0 of 2 corrections hit nothing" in done.stdout
    report = read_json(output / "corrections.json")
    assert [(one["en"], one["rows"]) for one in report["by_correction"]] == [("Save as", 1), ("I don't know.", 1)]
    assert read_json(f"{suspects}.report.json")["hints"]["cantonese"] == 1
    loaded = load_parallel(CorpusSource(str(output)))
    assert dict(zip(loaded["en"], loaded["zh"], strict=True)) == {
        "I like tea.": "我喜欢茶。",
        "I don't know.": "我不知道。",
    }


def test_a_correction_that_hits_nothing_is_told(tmp_path):
    (tmp_path / "corpus.tsv").write_text("I like tea.\t我喜欢茶。\n", encoding="utf-8")
    done = run("apply_corrections", "--dataset", tmp_path / "corpus.tsv", "--output-dir", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "line 2: no such pair in the corpus: 'give me a cup of latte'" in done.stderr
