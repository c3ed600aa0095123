import json
import logging
from pathlib import Path

import pytest

from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.training_text import recorded_corpora, training_overlaps

PAIRS = [
    ("Where is the lost property office?", "失物招领处在哪里？"),
    ("It closes at half past four.", "四点半关门。"),
]
SET = EvaluationSet(Path("t.tsv"), [((english,), (chinese,)) for english, chinese in PAIRS])


def corpus(path, *pairs):
    path.write_text("".join(f"{english}\t{chinese}\n" for english, chinese in pairs), encoding="utf-8")
    return str(path)


def run(folder, **options):
    folder.mkdir()
    (folder / "options.json").write_text(json.dumps(options))
    return folder


@pytest.fixture
def runs(tmp_path):
    """A student that went on from another and learnt from a teacher, and its export."""
    teacher = run(tmp_path / "teacher", dataset=[corpus(tmp_path / "a.tsv", ("One.", "一。"))], extra_train_csv=[])
    first = run(tmp_path / "first", dataset=[corpus(tmp_path / "b.tsv", PAIRS[0])], teacher_model=str(teacher))
    student = run(
        tmp_path / "student",
        dataset=["Helsinki-NLP/opus-100", str(tmp_path / "gone.tsv")],
        extra_train_csv=[corpus(tmp_path / "c.tsv", ("Two.", "二。"))],
        student_model=str(first),
        teacher_model="Helsinki-NLP/opus-mt-en-zh",
    )
    exported = tmp_path / "int8"
    exported.mkdir()
    (exported / "export.json").write_text(json.dumps({"model_dir": str(student)}))
    return exported


def test_all_that_a_model_came_from_is_followed(runs, tmp_path):
    here, elsewhere = recorded_corpora(runs)
    assert sorted(path.name for path in here) == ["a.tsv", "b.tsv", "c.tsv"]
    assert elsewhere == ["Helsinki-NLP/opus-100", str(tmp_path / "gone.tsv")]


def test_a_test_sentence_in_training_text_is_told_loudly_and_counted(runs, caplog):
    with caplog.at_level(logging.WARNING):
        report = training_overlaps(runs, [SET])["t.tsv"]
    assert report["pairs"] == 1
    assert report["exact"] == {"en": 1, "zh": 1}
    assert report["training_rows"] == 3
    assert report["examples"][0]["origin"] == "b"
    assert "t.tsv: TRAINED ON" in caplog.text
    assert "the English of 1 and the Chinese of 1 of its 2 sentences (1 as pairs)" in caplog.text
    assert "were not held against its training data Helsinki-NLP/opus-100" in caplog.text


def test_words_are_counted_without_a_word(runs, caplog):
    with caplog.at_level(logging.WARNING):
        report = training_overlaps(runs, [SET._replace(words=True)])["t.tsv"]
    assert report["pairs"] == 1
    assert "TRAINED ON" not in caplog.text


def test_a_folder_that_says_nothing_gives_no_report(tmp_path, caplog):
    assert training_overlaps(tmp_path, [SET]) == {}
    assert caplog.text == ""


def test_models_that_name_each_other_end(tmp_path):
    run(tmp_path / "a", dataset=[], student_model=str(tmp_path / "b"))
    run(tmp_path / "b", dataset=[], student_model=str(tmp_path / "a"))
    assert recorded_corpora(tmp_path / "a") == ([], [])


def test_training_text_is_read_once_for_all_models_and_test_files(runs, tmp_path, monkeypatch):
    cache, other = tmp_path / "scores" / ".overlap", SET._replace(path=Path("other.tsv"), rows=SET.rows[1:])
    found = training_overlaps(runs, [SET], cache, [other])
    assert sorted(found) == ["t.tsv"]
    assert len(list(cache.iterdir())) == 2
    with monkeypatch.context() as patched:
        patched.setattr("marian_distill.evaluation.training_text.read_rows", None)  # must not be called
        assert training_overlaps(runs, [SET], cache) == found
        assert training_overlaps(runs, [other], cache)["other.tsv"]["pairs"] == 0
    changed = SET._replace(rows=[*SET.rows, (("Two.",), ("二。",))])
    assert training_overlaps(runs, [changed], cache)["t.tsv"]["pairs"] == 2
    corpus(tmp_path / "c.tsv", PAIRS[1])  # another training text
    assert training_overlaps(runs, [SET], cache)["t.tsv"]["pairs"] == 2
