"""Every kind of parallel file gives the same table, its mistakes are told with file and line, and mixing counts."""

import csv
import gzip
import json
import lzma
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hub_cache import add_opus_100
from marian_distill.errors import UserError
from marian_distill.text.corpus import ROWS_VERSION, CorpusSource, load_parallel, mix, parse_source_weights
from marian_distill.text.formats import read_rows

TRANSLATION = datasets.Features({"translation": datasets.Translation(languages=["en", "zh"])})


def tsv(rows, header=""):
    return (header + "".join("\t".join(row) + "\n" for row in rows)).encode()


def write_csv(path: Path, rows, header=("source", "target")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def load(path) -> list[tuple[str, str]]:
    dataset = load_parallel(CorpusSource(str(path)))
    assert dataset.column_names == ["en", "zh", "source"]
    return list(zip(dataset["en"], dataset["zh"], strict=True))


# Reading


@pytest.mark.parametrize("name", ["pool.tsv", "pool.tsv.gz", "pool.tsv.xz"])
@pytest.mark.parametrize("header", ["", "en\tzh\n", "\ufeffen\tzh\n"])
def test_tsv_plain_or_packed_with_or_without_header(tmp_path, pairs, name, header):
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(Path(name).suffix, bytes)
    (tmp_path / name).write_bytes(pack(tsv(pairs, header)))
    assert load(tmp_path / name) == pairs
    assert set(load_parallel(CorpusSource(str(tmp_path / name)))["source"]) == {"pool"}


def test_third_tsv_column_is_the_source_label(tmp_path):
    (tmp_path / "a.tsv").write_bytes(tsv([("Hello.", "你好。", "talk"), ("Key", "钥匙", "terms"), ("Map", "地图")]))
    assert load_parallel(CorpusSource(str(tmp_path / "a.tsv")))["source"][:] == ["talk", "terms", "a"]


def test_windows_line_ends_and_unicode_separators_stay_apart(tmp_path):
    (tmp_path / "a.tsv").write_bytes("One\u2028two\x85three\t一\u2028二\x85三\r\n\r\nKey\t钥匙\r\n".encode())
    assert load(tmp_path / "a.tsv") == [("One\u2028two\x85three", "一\u2028二\x85三"), ("Key", "钥匙")]


@pytest.mark.parametrize("header", [("source", "target"), ("en", "zh")])
def test_csv_with_commas_quotes_and_line_breaks(tmp_path, header):
    rows = [("It is 1,234.56, no?", "是1,234.56，对吗？"), ('He said "hi"', "他说“嗨”\n走了")]
    assert load(write_csv(tmp_path / "extra.csv", rows, header)) == rows


def test_csv_columns_in_another_order_with_labels(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("talk", "你好", "Hello")], ("source", "zh", "en"))
    assert load_parallel(CorpusSource(str(path)))[0] == {"en": "Hello", "zh": "你好", "source": "talk"}


def test_jsonl_in_its_three_shapes(tmp_path):
    rows = [
        {"en": "Key", "zh": "钥匙", "source": "terms"},
        {"translation": {"en": "Map", "zh": "地图"}},
        {"source": "Towel", "target": "毛巾"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert load(tmp_path / "a.jsonl") == [("Key", "钥匙"), ("Map", "地图"), ("Towel", "毛巾")]
    assert load_parallel(CorpusSource(str(tmp_path / "a.jsonl")))["source"][:] == ["terms", "a", "a"]


def test_parquet_folder_in_the_hub_layout(tmp_path, pairs):
    (tmp_path / "opus" / "en-zh").mkdir(parents=True)
    halves = {"train-00000-of-00002": pairs[:40], "train-00001-of-00002": pairs[40:], "test-00000-of-00001": pairs[:3]}
    for name, rows in halves.items():
        table = pa.table({"translation": [{"en": english, "zh": chinese} for english, chinese in rows]})
        pq.write_table(table, tmp_path / "opus" / "en-zh" / f"{name}.parquet")
    train = load_parallel(CorpusSource(str(tmp_path / "opus"), "en-zh"))
    assert list(zip(train["en"], train["zh"], strict=True)) == pairs
    assert set(train["source"]) == {"opus"}
    assert len(load_parallel(CorpusSource(str(tmp_path / "opus"), "en-zh"), split="test")) == 3
    with pytest.raises(UserError, match="no Parquet files of the split 'validation'"):
        load_parallel(CorpusSource(str(tmp_path / "opus"), "en-zh"), split="validation")


def test_flat_parquet_folder(tmp_path, pairs):
    (tmp_path / "flat").mkdir()
    pq.write_table(
        pa.table(dict(zip(("en", "zh"), zip(*pairs, strict=True), strict=True))), tmp_path / "flat/a.parquet"
    )
    assert load(tmp_path / "flat") == pairs


def columns(rows) -> dict[str, list[str]]:
    return dict(zip(("en", "zh"), map(list, zip(*rows, strict=True)), strict=True))


def test_a_parquet_file(tmp_path, pairs):
    pq.write_table(pa.table(columns(pairs)), tmp_path / "talk.parquet")
    assert load(tmp_path / "talk.parquet") == pairs
    assert set(load_parallel(CorpusSource(str(tmp_path / "talk.parquet")))["source"]) == {"talk"}


def test_a_folder_that_datasets_saved(tmp_path, pairs):
    dataset = datasets.Dataset.from_dict(columns(pairs))
    dataset.select(range(5, len(pairs))).save_to_disk(str(tmp_path / "one"))
    assert load(tmp_path / "one") == pairs[5:]
    splits = datasets.DatasetDict(train=dataset, validation=dataset.select(range(3)))
    splits.save_to_disk(str(tmp_path / "splits"))
    assert load(tmp_path / "splits") == pairs
    assert len(load_parallel(CorpusSource(str(tmp_path / "splits")), "validation")) == 3
    for name, said in {"one": "one dataset without splits", "splits": "no split 'test' in it, only train"}.items():
        with pytest.raises(UserError, match=said):
            load_parallel(CorpusSource(str(tmp_path / name)), "test")


@pytest.mark.parametrize("packing", ["", ".gz"])
def test_a_pair_of_files_by_either_name_or_what_both_begin_with(tmp_path, pairs, packing):
    pack = gzip.compress if packing else bytes
    for side, texts in columns(pairs).items():
        (tmp_path / f"talk.en-zh.{side}{packing}").write_bytes(pack("".join(f"{one}\n" for one in texts).encode()))
    for name in (f"talk.en-zh.en{packing}", f"talk.en-zh.zh{packing}", "talk.en-zh"):
        assert load(tmp_path / name) == pairs
    assert set(load_parallel(CorpusSource(str(tmp_path / "talk.en-zh")))["source"]) == {"talk.en-zh"}


def test_a_pair_of_files_that_do_not_match(tmp_path):
    (tmp_path / "a.en").write_text("Key\nMap\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.zh: no such file; a corpus in two files has NAME\.en and NAME\.zh"):
        load(tmp_path / "a.en")
    (tmp_path / "a.zh").write_text("钥匙\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.zh: has 1 lines, a\.en more; both need as many"):
        load(tmp_path / "a")


def test_a_third_column_of_attributions_is_no_source_label(tmp_path, pairs, caplog):
    credited = [(*pair, f"CC-BY 2.0 #{number} (somebody)") for number, pair in enumerate(pairs)]
    (tmp_path / "talk.tsv").write_bytes(tsv(credited))
    dataset = load_parallel(CorpusSource(str(tmp_path / "talk.tsv")))
    assert set(dataset["source"]) == {"talk"}
    assert "its label differs in most rows ('CC-BY 2.0 #0 (somebody)')" in caplog.text
    labelled = [(*pair, f"corpus{number % 9}") for number, pair in enumerate(pairs)]
    (tmp_path / "talk.tsv").write_bytes(tsv(labelled))
    assert len(set(load_parallel(CorpusSource(str(tmp_path / "talk.tsv")))["source"])) == 9


def load_offline(hub_home: Path, *source: str) -> subprocess.CompletedProcess[str]:
    """The first row of a corpus, in a process that reads a hub cache and has no network."""
    program = (
        "import sys; from marian_distill.errors import run_command;"
        "from marian_distill.text.corpus import ROWS_VERSION, CorpusSource, load_parallel;"
        "run_command(lambda: print(load_parallel(CorpusSource(*sys.argv[1:3]), *sys.argv[3:])[0]))"
    )
    offline = {**os.environ, "HF_HOME": str(hub_home), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", program, *source]
    return subprocess.run(command, env=offline, capture_output=True, text=True, check=False)


def test_hub_dataset_from_a_prepared_cache_with_the_hub_offline(tmp_path, pairs):
    folder = tmp_path / "datasets" / "Helsinki-NLP___opus-100" / "en-zh" / "0.0.0" / "abc123"
    folder.mkdir(parents=True)
    with datasets.arrow_writer.ArrowWriter(features=TRANSLATION, path=str(folder / "opus-100-train.arrow")) as writer:
        for english, chinese in pairs:
            writer.write({"translation": {"en": english, "zh": chinese}})
        rows, size = writer.finalize()
    train = datasets.SplitInfo("train", num_examples=rows, num_bytes=size, dataset_name="opus-100")
    info = datasets.DatasetInfo(
        features=TRANSLATION, builder_name="parquet", dataset_name="opus-100", config_name="en-zh", version="0.0.0",
        splits=datasets.SplitDict({"train": train}),
    )  # fmt: skip
    info.write_to_directory(str(folder))
    found = load_offline(tmp_path, "Helsinki-NLP/opus-100", "en-zh")
    assert str({"en": pairs[0][0], "zh": pairs[0][1], "source": "Helsinki-NLP/opus-100"}) in found.stdout, found.stderr
    absent = load_offline(tmp_path, "Helsinki-NLP/no-such-corpus", "en-zh")
    assert absent.returncode == 2
    assert "error: Helsinki-NLP/no-such-corpus en-zh train: neither on this machine" in absent.stderr


def test_hub_dataset_as_it_was_downloaded_with_the_hub_offline(tmp_path, pairs):
    add_opus_100(tmp_path, {"train": pairs[1:], "validation": pairs[:1]})
    found = load_offline(tmp_path, "Helsinki-NLP/opus-100", "en-zh", "validation")
    assert str({"en": pairs[0][0], "zh": pairs[0][1], "source": "Helsinki-NLP/opus-100"}) in found.stdout, found.stderr
    absent = load_offline(tmp_path, "Helsinki-NLP/opus-100", "en-zh", "test")
    assert absent.returncode == 2
    assert "no Parquet files of the split 'test'" in absent.stderr


# The cache


def test_same_content_is_read_once_and_a_changed_file_again(tmp_path, pairs, datasets_cache):
    path = tmp_path / "a.tsv"
    path.write_bytes(tsv(pairs))
    first = load_parallel(CorpusSource(str(path)))
    written = {file: file.stat().st_mtime_ns for file in datasets_cache.rglob("*.arrow")}
    second = load_parallel(CorpusSource(str(path)))
    assert {file: file.stat().st_mtime_ns for file in datasets_cache.rglob("*.arrow")} == written
    assert second._fingerprint == first._fingerprint
    stamp = path.stat()
    path.write_bytes(tsv([("Changed", "改变"), *pairs[1:]]))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    changed = load_parallel(CorpusSource(str(path)))
    assert changed[0]["en"] == "Changed"
    assert changed._fingerprint != first._fingerprint


def test_the_fingerprint_is_of_the_data_not_of_the_code(tmp_path):
    """An interrupted run goes on after an update: when this fails, rows have changed, and ROWS_VERSION must."""
    (tmp_path / "a.tsv").write_bytes(tsv([("Key", "钥匙")]))
    fingerprint = load_parallel(CorpusSource(str(tmp_path / "a.tsv")))._fingerprint
    assert (ROWS_VERSION, fingerprint) == (1, "e759d4ab7a2731e58d1e35bf644ffe74")


# What bad input gets


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", b"Key\t\xe9\x92\xa5\nMap\n", "line 2 has 1 column; expected English<TAB>Chinese"),
        ("a.tsv", b"A\tB\nKey\tx\ty\tz\n", "line 2 has 4 columns"),
        ("a.tsv", b"A\tB\nKey\t\xff\n", "line 2 is not valid UTF-8"),
        ("a.tsv", "Key\t钥匙\n".encode("gb18030"), "line 1 is not valid UTF-8"),
        ("a.tsv", b"", "no rows"),
        ("a.tsv", b"en\tzh\n", "no rows"),
        ("a.tsv", b"zh\ten\nx\ty\n", "header is zh<TAB>en"),
        ("a.tsv.gz", b"Key\tx\n", "broken .gz file"),
        ("a.tsv.gz", gzip.compress(b"Key\tx\n" * 9999, mtime=0)[:40], "broken .gz file"),
        ("a.tsv.xz", b"Key\tx\n", "broken .xz file"),
        ("a.csv", b"source,goal\nKey,x\n", "header is 'source,goal'; expected the columns source,target"),
        ("a.csv", b"source,target\nKey,x\nMap,x,y\n", "line 3 has 3 columns, the header 2"),
        ("a.csv", b"source,target\nKey,x\nMap\n", "line 3 has 1 column, the header 2"),
        ("a.csv", b'source,target\n"Key,x\n', "line 2 is not valid CSV"),
        ("a.csv", b"source,target\nKey,\xff\n", "line 2 is not valid UTF-8"),
        ("a.csv", b"", "no rows"),
        ("a.jsonl", b'{"en": "Key", "zh": "x"}\n{"en": "Key"}\n', "line 2 is not"),
        ("a.jsonl", b'{"en": "Key", "zh": null}\n', "line 1 is not"),
        ("a.jsonl", b"Key\n", "line 1 is not valid JSON"),
        ("a.jsonl", b"[1]\n", "line 1 is not"),
        ("a.docx", b"Key\n", "unknown kind of file"),
    ],
)  # fmt: skip
def test_malformed_file_is_told_by_name_and_line(tmp_path, datasets_cache, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        load(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert message in str(caught.value)
    assert not list(datasets_cache.rglob("*.arrow")), "nothing half-written"


@pytest.mark.parametrize("name", ["/no/such/folder", "no/such/a.tsv", "a.csv", "./folder"])
def test_missing_file_or_folder(name):
    with pytest.raises(UserError, match="no such file"):
        load_parallel(CorpusSource(name))


def test_rows_of_no_file_or_of_another_kind(tmp_path):
    (tmp_path / "a.txt").write_text("Tea.\n")
    for name, message in {"b.tsv": "no such file", "a.txt": "unknown kind of file; expected .csv"}.items():
        with pytest.raises(UserError, match=message):
            list(read_rows(tmp_path / name))


def test_swapped_languages(tmp_path, pairs):
    (tmp_path / "a.tsv").write_bytes(tsv([(chinese, english) for english, chinese in pairs]))
    with pytest.raises(UserError, match="languages are swapped"):
        load(tmp_path / "a.tsv")


def test_parquet_mistakes(tmp_path):
    (tmp_path / "null").mkdir()
    pq.write_table(pa.table({"en": ["Key", None], "zh": ["钥匙", "地图"]}), tmp_path / "null" / "train-0.parquet")
    with pytest.raises(UserError, match=r"train-0.parquet: row 2 has no 'en' text"):
        load(tmp_path / "null")
    (tmp_path / "column").mkdir()
    pq.write_table(pa.table({"en": ["Key"], "fr": ["clé"]}), tmp_path / "column" / "a.parquet")
    with pytest.raises(UserError, match=r"no 'zh' in its columns \(en, fr\)"):
        load(tmp_path / "column")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.parquet").write_bytes(b"not Parquet")
    with pytest.raises(UserError, match="not a readable Parquet file"):
        load(tmp_path / "broken")


# Mixing


def test_repeats_are_copies_or_a_share(make_parallel, pairs):
    dataset = make_parallel(pairs)
    assert len(mix([(dataset, 20)], seed=1)) == 20 * len(pairs)
    fifth = mix([(dataset, 0.2)], seed=1)
    assert len(fifth) == round(0.2 * len(pairs))
    assert len(set(fifth["en"])) == len(fifth)
    more = Counter(mix([(dataset, 2.5)], seed=1)["en"]).values()
    assert set(more) == {2, 3}
    assert sum(more) == 2 * len(pairs) + round(0.5 * len(pairs))


def test_source_weights_count_rows_of_their_source_alone(make_parallel, pairs):
    talk, terms = make_parallel(pairs, "talk"), make_parallel(pairs[:50], "terms")
    mixed = mix([(talk, 1), (terms, 1)], source_weights={"terms": 0.2}, seed=3)
    assert Counter(mixed["source"]) == {"talk": len(pairs), "terms": 10}
    doubled = mix([(mixed, 2)], source_weights={"terms": 3, "talk": 0}, seed=3)
    assert Counter(doubled["source"]) == {"terms": 60}


def test_max_samples_bounds_the_main_corpora_and_leaves_extras(make_parallel, pairs):
    main, extra = make_parallel(pairs, "main"), make_parallel(pairs[:7], "extra")
    mixed = mix([(main, 1), (main, 1)], [(extra, 3)], max_samples=30, seed=5)
    assert Counter(mixed["source"]) == {"main": 30, "extra": 21}
    assert len(mix([(main, 1)], max_samples=10**6, seed=5)) == len(pairs)


def test_mixing_depends_on_the_seed_alone(make_parallel, pairs):
    dataset = make_parallel(pairs)
    draw = [mix([(dataset, 0.5)], max_samples=20, seed=seed)["en"][:] for seed in (1, 1, 2)]
    assert draw[0] == draw[1] != draw[2]


def test_unmixed_corpus_is_passed_on_without_an_index(make_parallel, pairs):
    assert mix([(make_parallel(pairs), 1)], seed=1)._indices is None


def test_weights_that_fit_no_row_or_no_number(make_parallel, pairs):
    dataset = make_parallel(pairs, "cc_dictionary")
    with pytest.raises(UserError, match=r"cc_dictionery=0.2.*nearest is 'cc_dictionary'"):
        mix([(dataset, 1)], source_weights={"cc_dictionery": 0.2}, seed=1)
    with pytest.raises(UserError, match="must be 0 or more"):
        mix([(dataset, 1)], source_weights={"cc_dictionary": -1}, seed=1)
    with pytest.raises(UserError, match="repeat -2: must be 0 or more"):
        mix([(dataset, -2)], seed=1)
    with pytest.raises(UserError, match="no rows are left"):
        mix([(dataset, 0)], seed=1)


def test_source_weight_options():
    assert parse_source_weights(["a=0.2", "b=c=2"]) == {"a": 0.2, "b=c": 2.0}
    for wrong in ("a", "a=", "a=much"):
        with pytest.raises(UserError, match="expected NAME=WEIGHT"):
            parse_source_weights([wrong])
