from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.scoring import score

PAIRS = [
    ("It is 5 yuan.", "五元。"),
    ("It is 7 yuan.", "7元。"),
    ("Thanks!", "谢谢！"),
    ("A window seat, please.", "请给我靠窗的座位。"),
]
SET = EvaluationSet(Path("pairs.tsv"), [((english,), (chinese,)) for english, chinese in PAIRS])


def test_every_figure_has_its_interval_and_every_score_its_signature():
    report = score(SET, "en-zh", ["五元。", "8元。", "谢谢", "请给我座位。"], samples=100).report
    assert (report["direction"], report["sentences"], report["test_file"]) == ("en-zh", 4, "pairs.tsv")
    for key, word in (("bleu", "tok:zh"), ("chrf", "nw:0"), ("chrf++", "nw:2")):
        low, high = report[key]["interval"]
        assert low <= report[key]["score"] <= high
        assert word in report[key]["signature"]
    assert report["numbers_kept"] == 0.5  # the 5 is 五, the 7 is lost
    assert report["exact"] == 0.5  # but for punctuation
    for key in ("numbers_kept", "exact"):
        assert report[f"{key}_interval"][0] < report[key] < report[f"{key}_interval"][1]
    assert report["bootstrap"] == {"samples": 100, "seed": 12345, "confidence": 0.95}
    assert "against_baseline" not in report


def test_english_has_chrf_plus_plus_and_no_chrf():
    report = score(SET, "zh-en", [english for english, _ in PAIRS], samples=10).report
    assert "chrf" not in report
    assert report["bleu"]["score"] == pytest.approx(100)
    assert "tok:13a" in report["bleu"]["signature"]


def test_the_same_translations_again_give_the_same_report():
    texts = ["五元。", "8元。", "谢谢", "请给我座位。"]
    assert score(SET, "en-zh", texts, samples=50).report == score(SET, "en-zh", texts, samples=50).report


def test_another_system_is_compared_by_every_metric():
    right, wrong = [chinese for _, chinese in PAIRS], ["是", "是", "是", "是"]
    baseline = score(SET, "en-zh", wrong, samples=100)
    against = score(SET, "en-zh", right, baseline, samples=100).report["against_baseline"]
    assert set(against) == {"bleu", "chrf", "chrf++"}
    assert against["chrf"]["difference"] > 90
    assert against["chrf"]["p_value"] < 0.05


def test_every_accepted_translation_of_a_word_is_right():
    words = EvaluationSet(Path("words.tsv"), [(("lift", "elevator"), ("电梯",)), (("safe",), ("保险箱", "安全"))])
    assert score(words, "en-zh", ["电梯", "安全"], samples=0).report["exact"] == 1
    assert score(words, "zh-en", ["Elevator.", "sure"], samples=0).report["exact"] == 0.5
    assert score(words, "zh-en", ["Elevator.", "sure"], samples=0).report["numbers_kept"] is None


def test_nothing_is_scored_in_a_direction_that_the_set_is_not_for():
    untidy = SET._replace(path=Path("untidy.en-zh.tsv"), direction="en-zh")
    with pytest.raises(UserError, match="is for en-zh alone"):
        score(untidy, "zh-en", ["a", "b", "c", "d"])
