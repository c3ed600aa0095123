import datasets
import pytest

from marian_distill.errors import UserError
from marian_distill.text.corpus import CorpusSource, load_parallel
from marian_distill.text.corrections import apply_corrections, read_corrections, write_parquet

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
    path.write_text("\n".join(["en,zh,new_en,new_zh", *lines]) + "\n", encoding="utf-8")
    return path


def test_exact_pairs_change_or_go_wherever_they_stand(tmp_path, corpus):
    path = corrections_file(tmp_path, "a latte,一杯茶,,一杯拿铁", "a dog,一个狗,,", "a cow,一头牛,a cow,一头奶牛")
    tables, hits = apply_corrections([corpus], read_corrections(path))
    assert hits == [2, 1, 0]
    write_parquet(tables, tmp_path / "out", "train")
    loaded = load_parallel(CorpusSource(str(tmp_path / "out")))
    latte = ("a latte", "一杯拿铁")
    assert list(zip(loaded["en"], loaded["zh"], strict=True)) == [latte, latte, ("a cat", "一只猫"), latte]
    assert set(loaded["source"]) == {"x"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,,b,c"], "line 2: en and zh must both be there"),
        (["a,甲,b,乙", "a,甲,c,丙"], "line 3: the pair of line 2 once more"),
    ],
)
def test_bad_corrections_name_their_line(lines, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_corrections(corrections_file(tmp_path, *lines))


def test_a_missing_file_or_column_is_told(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_corrections(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("en,zh\na,b\n", encoding="utf-8")
    with pytest.raises(UserError, match="no column 'new_en'"):
        read_corrections(tmp_path / "other.csv")
