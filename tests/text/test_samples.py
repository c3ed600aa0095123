"""Samples of text: lines, documents, JSONL, parallel files; what is malformed is told with its line."""

import gzip

import pytest

from marian_distill.errors import UserError
from marian_distill.text.samples import read_samples

TEXT = "one\n\n two \nthree\r\n\n\nfour"


def test_lines_and_documents(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8", newline="")
    assert list(read_samples(tmp_path / "a.txt")) == ["one", "two", "three", "four"]
    assert list(read_samples(tmp_path / "a.txt", "documents")) == ["one", "two \nthree", "four"]
    with gzip.open(tmp_path / "b.txt.gz", "wt", encoding="utf-8") as stream:
        stream.write("甲\u2028乙\n丙\n")
    assert list(read_samples(tmp_path / "b.txt.gz")) == ["甲\u2028乙", "丙"]  # lines end at \n alone


def test_records(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text": "one\\n\\ntwo"}\n{"text": " "}\n{"text": "three"}\n', encoding="utf-8")
    assert list(read_samples(path)) == ["one\n\ntwo", "three"]
    assert list(read_samples(path, "documents")) == ["one\n\ntwo", "three"]


def test_pairs(tmp_path):
    (tmp_path / "a.tsv").write_text("en\tzh\ntea\t茶\nmilk\t\n", encoding="utf-8")
    assert list(read_samples(tmp_path / "a.tsv")) == ["tea", "茶", "milk"]
    assert list(read_samples(tmp_path / "a.tsv", sides="zh")) == ["茶"]
    (tmp_path / "b.jsonl").write_text('{"en": "tea", "zh": "茶"}\n', encoding="utf-8")
    assert list(read_samples(tmp_path / "b.jsonl", sides="en")) == ["tea"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"good\n\xff\n", "a.txt: line 2 is not valid UTF-8"),
        ("a.jsonl", b'{"text": "x"}\n{"text": 3}\n', "a.jsonl: line 2 is not"),
        ("a.jsonl", b'{"text": "x"}\n{"en": "y"}\n', 'line 2 has no "text", though the first record has'),
        ("a.jsonl", b"{\n", "line 1 is not valid JSON"),
        ("a.tsv", b"a\tb\tc\td\n", "line 1 has 4 columns"),
        ("a.txt.gz", b"plain", "broken .gz file"),
    ],
)
def test_what_is_malformed(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(read_samples(tmp_path / name))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"absent\.txt: no such file"):
        list(read_samples(tmp_path / "absent.txt"))
