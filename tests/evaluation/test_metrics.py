import pytest

from marian_distill.evaluation.metrics import bleu, chrf_plus_plus, metric_for


def test_chinese_is_scored_by_the_character_and_english_by_the_word():
    chinese = bleu(["给我一杯拿铁咖啡"], ["给我一杯热拿铁咖啡"], "zh")
    assert 0 < chinese["score"] < 100
    assert "tok:zh" in chinese["signature"]
    english = bleu(["The total is 19.99 USD."], ["The total is 19.99 USD."], "en")
    assert english["score"] == pytest.approx(100)
    assert "tok:13a" in english["signature"]


def test_chrf_counts_words_as_well():
    score = chrf_plus_plus(["give me a latte"], ["give me a cup of latte"])
    assert 0 < score["score"] < 100
    assert "nc:6|nw:2" in score["signature"]


def test_one_metric_decides_for_a_language():
    assert metric_for("en").name == "chrF++"
    assert metric_for("en").corpus(["give me a latte"], ["give me a cup of latte"]) == chrf_plus_plus(
        ["give me a latte"], ["give me a cup of latte"]
    )
    assert metric_for("zh").name == "chrF"
    # One sentence with spaces in it, all right but for a word: 300 sentences without any are all right.
    references = ["给我一杯拿铁"] * 300 + ["我 的 Wi-Fi 密码 是 1234"]
    hypotheses = ["给我一杯拿铁"] * 300 + ["我 的 Wi-Fi 密码 是 5678"]
    chinese = metric_for("zh").corpus(hypotheses, references)
    assert "nc:6|nw:0" in chinese["signature"]
    assert chinese["score"] > chrf_plus_plus(hypotheses, references)["score"]


def test_hypotheses_and_references_must_pair_up():
    with pytest.raises(ValueError, match="2 hypotheses, 1 references"):
        bleu(["a", "b"], ["a"], "en")
    with pytest.raises(ValueError, match="at least one"):
        chrf_plus_plus([], [])
