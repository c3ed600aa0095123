import datasets
import pytest

from marian_distill.errors import UserError
from marian_distill.text.corpus import CorpusSource, load_parallel
from marian_distill.text.corrections import apply_corrections, check_output, read_corrections, write_corpus

ROWS = [
    ("a latte", "一杯茶"),
    ("a dog", "一个狗"),
    ("a latte", "一杯茶"),
    ("a cat", "一只猫"),
    ("a latte", "一杯拿铁"),
]


@pytest.fixture
def corpus() -> datasets.Dataset:
    return datasets.Dataset.from_list([{"en": en, "zh": zh, "source": "x"} for en, zh in ROWS])


def corrections_file(folder, *lines: str):
    path = folder / "corrections.csv"
    path.write_text("\n".join(["en,zh,new_en,new_zh,drop", *lines]) + "\n", encoding="utf-8")
    return path


def test_exact_pairs_change_or_go_wherever_they_stand(tmp_path, corpus):
    path = corrections_file(tmp_path, "a latte,一杯茶,,一杯拿铁,", "a dog,一个狗,,,x", "a cow,一头牛,a cow,一头奶牛,")
    tables, hits = apply_corrections([corpus], read_corrections(path)[0])
    assert hits == [2, 1, 0]
    write_corpus(tables, tmp_path / "out", "train", {"rows": 5})
    loaded = load_parallel(CorpusSource(str(tmp_path / "out")))
    latte = ("a latte", "一杯拿铁")
    assert list(zip(loaded["en"], loaded["zh"], strict=True)) == [latte, latte, ("a cat", "一只猫"), latte]
    assert set(loaded["source"]) == {"x"}


def test_one_pair_with_two_corrections_names_both_lines(tmp_path):
    with pytest.raises(UserError, match="line 4: the pair of line 2 with another correction: 'a'"):
        read_corrections(corrections_file(tmp_path, "a,甲,b,乙,", "a,甲,b,乙,", "a,甲,c,丙,"))


def test_what_an_audit_writes_is_read_whatever_stands_in_a_sentence(tmp_path):
    path = corrections_file(
        tmp_path, '"two\nlines",两行,,,x', "one\u2028separator,一,,二,", ",只有中文,,,X", ",只有中文,,,"
    )
    (first, second, third), unchanged = read_corrections(path)
    assert unchanged == 1
    assert (first.en, first.drops) == ("two\nlines", True)
    assert (second.en, second.new_zh) == ("one\u2028separator", "二")
    assert (third.en, third.zh) == ("", "只有中文")


def test_only_a_corrected_corpus_is_replaced(tmp_path, corpus):
    tables, _ = apply_corrections([corpus], [])
    for _ in range(2):
        check_output(tmp_path / "out", "train")
        write_corpus(tables, tmp_path / "out", "train", {})
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(UserError, match=r"holds thesis\.txt"):
        check_output(tmp_path / "out", "train")
    with pytest.raises(UserError, match="its split train, not a corrected corpus, its split test"):
        check_output(tmp_path / "out", "test")  # which would be lost, were it replaced


def test_a_missing_file_or_column_is_told(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_corrections(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("en,zh\na,b\n", encoding="utf-8")
    with pytest.raises(UserError, match="no column 'new_en'"):
        read_corrections(tmp_path / "other.csv")


def test_a_row_that_nobody_filled_in_changes_nothing(tmp_path, corpus):
    path = corrections_file(tmp_path, "a latte,一杯茶,,,", "a dog,一个狗,,,", "a cat,一只猫,,,x")
    corrections, unchanged = read_corrections(path)
    assert [one.en for one in corrections] == ["a cat"]
    assert unchanged == 2
    tables, _ = apply_corrections([corpus], corrections)
    assert sum(table.num_rows for table in tables) == len(ROWS) - 1
    (tmp_path / "old.csv").write_text("en,zh,new_en,new_zh\na dog,一个狗,,\n", encoding="utf-8")  # without the column
    assert read_corrections(tmp_path / "old.csv") == ([], 1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,甲,,,no", "line 2: 'no' in the column 'drop'; expected x, or nothing to keep the pair"),
        ("a,甲,b,,x", "line 2: both a new text and a mark in the column 'drop'"),
    ],
)
def test_a_mark_that_is_not_clear_is_told(row, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_corrections(corrections_file(tmp_path, row))
