"""Rows of a corpus by their numbers, from text and from Parquet, here and as on the hub."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.dirfs import DirFileSystem

from marian_distill.errors import UserError
from marian_distill.text import ranges
from marian_distill.text.ranges import Corpora
from toy_model import PAIRS


@pytest.fixture
def folder(tmp_path):
    """Text of 30 pairs, Parquet of 50 in two files and many row groups."""
    rows = "".join(f"{english}\t{chinese}\tbook\n" for english, chinese in PAIRS[:30])
    (tmp_path / "text.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / "hub" / "en-zh").mkdir(parents=True)
    for number, first in enumerate((30, 60)):
        pairs = [
            {"translation": {"en": english, "zh": chinese}} for english, chinese in PAIRS[first : min(first + 30, 80)]
        ]
        pq.write_table(
            pa.Table.from_pylist(pairs), tmp_path / "hub" / "en-zh" / f"train-{number}.parquet", row_group_size=7
        )
    return tmp_path


@pytest.mark.parametrize("ends", [(0, 80), (5, 9), (28, 33), (29, 30), (40, 44), (58, 62), (79, 80), (3, 4)])
def test_rows_are_those_of_their_numbers(folder, ends):
    corpora = Corpora([str(folder / "text.tsv"), str(folder / "hub")], "en-zh")
    assert [record["rows"] for record in corpora.records()] == [30, 50]
    for _ in range(2):  # the second time the text has to be read from its beginning
        rows = list(corpora.read(ends[0], ends[1] - ends[0]))
        assert [(row["en"], row["zh"]) for row in rows] == PAIRS[slice(*ends)]
    assert {row["source"] for row in corpora.read(0, 80)} == {"book", "hub"}


def test_a_corpus_that_is_the_same_is_not_counted_again(folder, monkeypatch):
    names = [str(folder / "text.tsv")]
    records = Corpora(names, None).records()
    monkeypatch.setattr(ranges.TextCorpus, "count", lambda self: pytest.fail("counted"))
    assert Corpora(names, None).records(records) == records


def test_the_hub_is_read_by_row_groups(folder, monkeypatch):
    class Hub:
        def dataset_info(self, name):
            return type("Info", (), {"sha": "abc"})

    (folder / "datasets" / "somebody").mkdir(parents=True)
    (folder / "hub").rename(folder / "datasets" / "somebody" / "pairs@abc")
    monkeypatch.setattr(ranges, "HfApi", Hub)
    monkeypatch.setattr(ranges, "HfFileSystem", lambda: DirFileSystem(str(folder), auto_mkdir=False))
    corpora = Corpora(["somebody/pairs"], "en-zh")
    assert corpora.records() == [{"name": "somebody/pairs", "rows": 50, "fingerprint": "abc"}]
    assert [row["en"] for row in corpora.read(28, 4)] == [english for english, _ in PAIRS[58:62]]


def test_what_is_no_corpus_is_one_line(folder):
    (folder / "empty.tsv").write_text("en\tzh\n", encoding="utf-8")
    (folder / "text.docx").write_text("junk", encoding="utf-8")
    (folder / "junk.parquet").write_text("junk", encoding="utf-8")
    for name, message in (
        ("absent.tsv", "no such file"),
        ("text.docx", "no corpus there"),
        ("empty.tsv", "no rows"),
        ("junk.parquet", "not a readable Parquet file"),
    ):
        with pytest.raises(UserError, match=message):
            Corpora([str(folder / name)], None).records()
