"""From an audit to a corrected corpus, by way of a person who fills in the file between them."""

import csv

import pytest

from marian_distill.files import read_json
from marian_distill.text.corpus import CorpusSource, load_parallel

ROWS = [("I like tea.", "我喜欢茶。"), ("Save as", "Save as"), ("I don't know.", "我唔知。")]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text("".join(f"{en}\t{zh}\n" for en, zh in ROWS), encoding="utf-8")
    return path


def fill_in(suspects, **columns: str) -> None:
    """Write into the row of "I don't know.", as a person would."""
    with suspects.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[1] |= columns
    with suspects.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def corrected(run_script, corpus, suspects) -> tuple[dict[str, str], str]:
    """The corrected corpus, and what the script printed."""
    output = corpus.with_name("corrected")
    done = run_script("apply_corrections", "--dataset", corpus, "--corrections", suspects, "--output-dir", output)
    assert done.returncode == 0, done.stderr
    loaded = load_parallel(CorpusSource(str(output)))
    return dict(zip(loaded["en"], loaded["zh"], strict=True)), done.stdout


def test_an_audit_s_file_drops_what_is_marked_and_keeps_what_nobody_filled_in(run_script, corpus, tmp_path):
    suspects = tmp_path / "suspects.csv"
    done = run_script("audit_parallel_data", "--dataset", corpus, "--output-csv", suspects)
    assert done.returncode == 0, done.stderr
    assert "3 pairs, 2 suspects (66.7%)" in done.stdout
    assert read_json(f"{suspects}.report.json")["hints"]["cantonese"] == 1
    with suspects.open(encoding="utf-8", newline="") as stream:
        assert [row["en"] for row in csv.DictReader(stream)] == ["Save as", "I don't know."]  # worst first

    as_it_was, printed = corrected(run_script, corpus, suspects)
    assert as_it_was == dict(ROWS)
    assert "3 rows, 0 changed, 0 dropped; 0 of 0 corrections hit nothing, 2 rows of the file change nothing" in printed

    fill_in(suspects, new_zh="我不知道。")
    assert corrected(run_script, corpus, suspects)[0] == dict(ROWS) | {"I don't know.": "我不知道。"}
    fill_in(suspects, new_zh="", drop="x")
    assert corrected(run_script, corpus, suspects)[0] == dict(ROWS[:2])
    (one,) = read_json(tmp_path / "corrected" / "corrections.json")["by_correction"]
    assert (one["en"], one["drops"], one["rows"]) == ("I don't know.", True, 1)


def test_an_audit_does_not_write_over_a_person_s_work(run_script, corpus, tmp_path):
    suspects = tmp_path / "suspects.csv"
    audit = ("audit_parallel_data", "--dataset", corpus, "--output-csv", suspects)
    for _ in range(2):  # what nobody touched is written again
        assert run_script(*audit).returncode == 0
    fill_in(suspects, new_zh="我不知道。")
    edited = suspects.read_bytes()
    done = run_script(*audit)
    assert (done.returncode, suspects.read_bytes()) == (2, edited)
    assert done.stderr.startswith(f"error: {suspects}: was edited since this program wrote it")
    assert len(done.stderr.splitlines()) == 1


def test_a_correction_that_hits_nothing_is_told(run_script, corpus, tmp_path):
    done = run_script("apply_corrections", "--dataset", corpus, "--output-dir", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "line 2: no such pair in the corpus: 'give me a cup of latte'" in done.stderr
