import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import bleu, chrf_plus_plus, metric_for, read_test_file


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


def test_a_test_file_gives_its_pairs(tmp_path):
    path = tmp_path / "test.tsv"
    path.write_bytes("\ufeffen\tzh\r\nHi\u2028there.\t你好。\r\nBye.\t再见。\n".encode())
    assert read_test_file(path) == [("Hi\u2028there.", "你好。"), ("Bye.", "再见。")]


@pytest.mark.usefixtures("datasets_cache")
def test_every_kind_of_parallel_file_may_be_a_test_file(tmp_path):
    pairs = [("Hi there.", "你好。"), ("Bye.", "再见。")]
    english, chinese = map(list, zip(*pairs, strict=True))
    (tmp_path / "pair.en").write_text("Hi there.\nBye.\n", encoding="utf-8")
    (tmp_path / "pair.zh").write_text("你好。\n再见。\n", encoding="utf-8")
    (tmp_path / "test.csv").write_text("en,zh\nHi there.,你好。\nBye.,再见。\n", encoding="utf-8")
    pq.write_table(pa.table({"en": english, "zh": chinese}), tmp_path / "test.parquet")
    for name in ("pair.en", "pair.zh", "pair", "test.csv", "test.parquet"):
        assert read_test_file(tmp_path / name) == pairs, name
    (tmp_path / "half.csv").write_text("en,zh\nHi there.,你好。\nBye.,\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"half.csv: pair 2 has no text on one side"):
        read_test_file(tmp_path / "half.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"zh\ten\nx\ty\n", r"line 1: header 'zh\\ten'"),
        (b"en\tzh\nHi.\n", "line 2: expected English, a tab, Chinese; found 'Hi.'"),
        (b"en\tzh\nHi.\tx\nHi.\t \n", "line 3: expected English"),
        (b"en\tzh\nHi.\tx\ty\n", "line 2: expected English"),
        (b"en\tzh\nHi.\t\xff\n", "line 2: not valid UTF-8"),
        (b"en\tzh\n", "no sentence pairs"),
        (b"", "no sentence pairs"),
    ],
)
def test_a_bad_test_file_is_told_by_file_and_line(tmp_path, content, message):
    path = tmp_path / "test.tsv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_test_file(path)
    assert str(path) in str(caught.value)


def test_a_missing_test_file_is_told(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_test_file(tmp_path / "absent.tsv")
