import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.evaluation_sets import read_evaluation_set, read_hypotheses, read_test_file


def test_a_test_file_gives_its_pairs(tmp_path):
    path = tmp_path / "test.tsv"
    path.write_bytes("\ufeffen\tzh\r\nHi\u2028there.\t你好。\r\nBye.\t再见。\n".encode())
    assert read_test_file(path) == [("Hi\u2028there.", "你好。"), ("Bye.", "再见。")]


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


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_alternatives_are_accepted_and_the_first_is_the_source(tmp_path):
    words = read_evaluation_set(
        write(tmp_path / "words.tsv", "en|\tzh|\nlift|elevator\t电梯\nsafe\t保险箱|安全 | 保险柜\n")
    )
    assert words.sources("en-zh") == ["lift", "safe"]
    assert words.sources("zh-en") == ["电梯", "保险箱"]
    assert words.references("en-zh") == [["电梯", "保险箱"], [None, "安全"], [None, "保险柜"]]
    assert words.references("zh-en") == [["lift", "safe"], ["elevator", None]]
    with pytest.raises(UserError, match="line 2: an empty alternative"):
        read_evaluation_set(write(tmp_path / "words.tsv", "en|\tzh|\nlift|\t电梯\n"))


def test_a_bar_means_nothing_without_the_header_that_says_so(tmp_path):
    assert read_evaluation_set(write(tmp_path / "t.tsv", "en\tzh\na|b\t甲\n")).rows == [(("a|b",), ("甲",))]


def test_a_name_may_say_which_direction_a_file_is_for(tmp_path):
    untidy = read_evaluation_set(write(tmp_path / "untidy.zh-en.tsv", "en\tzh\nHi.\t你好\n"))
    assert untidy.direction == "zh-en"
    untidy.check_direction("zh-en")
    with pytest.raises(UserError, match=r"untidy\.zh-en\.tsv: is for zh-en alone"):
        untidy.check_direction("en-zh")
    both = read_evaluation_set(write(tmp_path / "zh-en.tsv", "en\tzh\nHi.\t你好\n"))
    assert both.direction is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("你好\n".encode(), "has 1 lines, .* 2 rows"),
        ("一\n二\n三\n".encode(), "has 3 lines, .* 2 rows"),
        (b"\xff\n\xff\n", "not valid UTF-8"),
    ],
)
def test_hypotheses_must_match_the_test_set(tmp_path, content, message):
    test = read_evaluation_set(write(tmp_path / "t.tsv", "en\tzh\nHi.\t你好\nBye.\t再见\n"))
    path = tmp_path / "hypotheses.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_hypotheses(path, test)
    with pytest.raises(UserError, match="no such file"):
        read_hypotheses(tmp_path / "absent", test)


def test_an_empty_translation_is_a_translation(tmp_path):
    test = read_evaluation_set(write(tmp_path / "t.tsv", "en\tzh\nHi.\t你好\nBye.\t再见\n"))
    assert read_hypotheses(write(tmp_path / "h.txt", "你好\r\n\n"), test) == ["你好", ""]


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
