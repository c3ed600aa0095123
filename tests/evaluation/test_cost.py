import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.cost import measure_cost, source_words
from toy_model import PAIRS


def test_a_cost_is_measured_in_a_process_of_its_own(toy_ct2_dir):
    cost = measure_cost(toy_ct2_dir, "en-zh", [english for english, _ in PAIRS[:20]])
    assert cost["size_mb"] == pytest.approx(sum(path.stat().st_size for path in toy_ct2_dir.iterdir()) / 1e6, abs=0.1)
    assert cost["compute_type"] == "float32"
    assert (cost["threads"], cost["beam_size"], cost["timed_sentences"]) == (1, 1, 20)
    assert 0 < cost["load_seconds"] < 10
    assert 0 < cost["latency_ms"]["p50"] <= cost["latency_ms"]["p95"] <= cost["latency_ms"]["p99"]
    assert cost["sentences_per_second"] > 0
    assert cost["source_words_per_second"] > cost["sentences_per_second"]
    assert cost["peak_memory_mb"] is None or cost["peak_memory_mb"] < 150  # neither torch nor sacreBLEU


def test_what_the_process_cannot_do_is_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"absent: its cost could not be measured \(.*no such folder") as caught:
        measure_cost(tmp_path / "absent", "en-zh", ["Hi."])
    assert "\n" not in str(caught.value)


def test_chinese_is_counted_by_the_character():
    assert source_words("Two flat whites, please.") == 4
    assert source_words("请给我两杯latte，谢谢。") == 8
