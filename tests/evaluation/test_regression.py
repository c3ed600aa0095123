import json

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.regression import compare, read_scores

BEFORE = {"en-zh news chrF++": 30.0, "en-zh money/train kept": 99.0, "en-zh coffee/train chrF++": 90.0}


def test_what_fell_too_far_is_told_and_what_may_fall_is_let_go():
    after = {"en-zh news chrF++": 28.5, "en-zh money/train kept": 100.0, "en-zh coffee/train chrF++": 40.0}
    assert {one.name: one.allowed for one in compare(BEFORE, after, 2.0, 5.0)} == {
        "en-zh news chrF++": None,
        "en-zh money/train kept": None,
        "en-zh coffee/train chrF++": False,
    }
    for name in ("coffee", "coffee/train"):
        assert compare(BEFORE, after, 2.0, 5.0, [name])[-1].allowed is True


def test_a_slice_may_fall_further_than_a_test_set():
    after = {name: score - 4.0 for name, score in BEFORE.items()}
    assert [one.allowed for one in compare(BEFORE, after, 2.0, 5.0)] == [False, None, None]


def test_figures_of_one_model_alone_and_names_that_nothing_has_are_refused():
    with pytest.raises(UserError, match="coffee/train chrF\\+\\+: only one of the two models"):
        compare(BEFORE, dict(list(BEFORE.items())[:2]), 2.0, 5.0)
    with pytest.raises(UserError, match="--allow-regression tea: expected one of coffee, coffee/train, money"):
        compare(BEFORE, BEFORE, 2.0, 5.0, ["tea"])


def test_a_models_figures_are_read_from_its_score_files(tmp_path):
    slices = {
        "money/train": {"chrf++": {"score": 90.0}, "kept": 0.5},
        "coffee/train": {"chrf++": {"score": 80.0}, "kept": None},
    }
    for name, report in {
        "student.int8.news": {"direction": "en-zh", "chrf++": {"score": 30.0}, "bleu": {"score": 20.0}},
        "student.zh-en-int8.news": {"direction": "zh-en", "chrf++": {"score": 30.0}, "bleu": {"score": 20.0}},
        "student.int8.slices": {"direction": "en-zh", "slices": slices},
        "student-ft.int8.news": {"direction": "en-zh", "chrf++": {"score": 10.0}},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(report))
    assert read_scores(tmp_path, "student") == {
        "en-zh news BLEU": 20.0,
        "zh-en news chrF++": 30.0,
        "en-zh money/train chrF++": 90.0,
        "en-zh money/train kept": 50.0,
        "en-zh coffee/train chrF++": 80.0,
    }
    with pytest.raises(UserError, match="no score files of 'wide'"):
        read_scores(tmp_path, "wide")
