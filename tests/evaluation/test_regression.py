import json

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import Score
from marian_distill.evaluation.regression import compare, read_scores

BEFORE = {"en-zh int8 news chrF": 30.0, "en-zh int8 money/train kept": 99.0, "en-zh int8 coffee/train chrF": 90.0}


def test_what_fell_too_far_is_told_and_what_may_fall_is_let_go():
    after = {"en-zh int8 news chrF": 28.5, "en-zh int8 money/train kept": 100.0, "en-zh int8 coffee/train chrF": 40.0}
    assert {one.name: one.allowed for one in compare(BEFORE, after, 2.0, 5.0)} == {
        "en-zh int8 news chrF": None,
        "en-zh int8 money/train kept": None,
        "en-zh int8 coffee/train chrF": False,
    }
    for name in ("coffee", "coffee/train"):
        assert compare(BEFORE, after, 2.0, 5.0, [name])[-1].allowed is True


def test_a_slice_may_fall_further_than_a_test_set():
    after = {name: score - 4.0 for name, score in BEFORE.items()}
    assert [one.allowed for one in compare(BEFORE, after, 2.0, 5.0)] == [False, None, None]


def test_figures_of_one_model_alone_and_names_that_nothing_has_are_refused():
    with pytest.raises(UserError, match="coffee/train chrF: only one of the two models"):
        compare(BEFORE, dict(list(BEFORE.items())[:2]), 2.0, 5.0)
    with pytest.raises(UserError, match="--allow-regression tea: expected one of coffee, coffee/train, money"):
        compare(BEFORE, BEFORE, 2.0, 5.0, ["tea"])


def write_scores(folder, **reports) -> None:
    for name, report in reports.items():
        (folder / f"{name}.json").write_text(json.dumps(report))


def scored(score: float) -> Score:
    return {"score": score, "signature": "of no library"}


def news(direction="en-zh", score=30.0, **more):
    scores = {"bleu": scored(20.0), "chrf": scored(score), "chrf++": scored(score + 1)}
    return {"direction": direction, **scores, **more}


def test_a_models_figures_are_read_from_its_score_files(tmp_path):
    slices = {
        "money/train": {"metric": "chrF", "score": scored(90.0), "kept": 0.5},
        "coffee/train": {"metric": "chrF", "score": scored(80.0), "kept": None},
    }
    files = {
        "student.int8.news": news(),
        "student.zh-en-int8.news": news("zh-en"),
        "student.int8.slices": {"direction": "en-zh", "slices": slices},
        "student-ft.int8.news": news(score=10.0),
    }
    write_scores(tmp_path, **files)
    assert read_scores(tmp_path, "student") == {
        "en-zh int8 news chrF": 30.0,
        "zh-en int8 news chrF++": 31.0,
        "en-zh int8 money/train chrF": 90.0,
        "en-zh int8 money/train kept": 50.0,
        "en-zh int8 coffee/train chrF": 80.0,
    }
    with pytest.raises(UserError, match="no score files of 'wide'"):
        read_scores(tmp_path, "wide")


def test_another_precision_beam_or_test_set_is_another_figure(tmp_path):
    files = {
        "student.int8.news": news(score=30.0, beam_size=1),
        "student.float32.news": news(score=31.0, beam_size=1),
        "student.int8-beam.news": news(score=32.0, beam_size=4),
        "student.int8.old.news": news(score=33.0),
    }
    write_scores(tmp_path, **files)
    assert read_scores(tmp_path, "student") == {
        "en-zh float32 news chrF": 31.0,
        "en-zh int8 news chrF": 30.0,
        "en-zh int8-beam,beam=4 news chrF": 32.0,
        "en-zh int8 old.news chrF": 33.0,
    }
    write_scores(tmp_path, **{"student.en-zh-int8.news": news(score=34.0)})
    with pytest.raises(UserError, match="en-zh int8 news chrF stands in another file too"):
        read_scores(tmp_path, "student")


def test_a_file_without_the_score_that_counts_is_refused(tmp_path):
    older = {name: value for name, value in news().items() if name != "chrf"}
    write_scores(tmp_path, **{"student.int8.news": older})
    with pytest.raises(UserError, match=r"student\.int8\.news\.json: has no chrF\. Score the model again"):
        read_scores(tmp_path, "student")
    write_scores(tmp_path, **{"student.int8.news": news("en-fr")})
    with pytest.raises(UserError, match="direction is 'en-fr', expected 'en-zh' or 'zh-en'"):
        read_scores(tmp_path, "student")
