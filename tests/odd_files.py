"""Files that a careless person, a broken disk or another program may hand to a command; see test_odd_inputs.py."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DEEP = "[" * 100_000
DIGITS = "9" * 5_000
LONG = "n" * 300


def _parquet(columns: dict) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(columns), path)


# Parallel text that cannot be read, by name: text, bytes, or what writes it.
TEXT: dict[str, str | bytes | Callable[[Path], None]] = {
    "empty.tsv": "",
    "header.tsv": "en\tzh\n",
    "swapped-header.tsv": "zh\ten\n茶\ttea\n",
    "swapped.tsv": "茶很好\ttea\n水很好\twater\n",
    "one-column.tsv": "en\tzh\ntea\n",
    "five-columns.tsv": "a\tb\tc\td\te\n",
    "bytes.tsv": b"en\tzh\ntea\t\xff\xfe\n",
    "utf16.tsv": "en\tzh\ntea\t茶\n".encode("utf-16"),
    "empty.csv": "",
    "columns.csv": "english,chinese\ntea,茶\n",
    "ragged.csv": "en,zh\ntea\n",
    "quotes.csv": 'en,zh\n"tea,茶\n',
    "bytes.csv": b"en,zh\ntea,\xff\n",
    "wide-ragged.csv": "en,zh\n" + "x" * 200_000 + "\n",
    "empty.jsonl": "\n\n",
    "array.jsonl": '["tea", "茶"]\n',
    "string.jsonl": '"tea"\n',
    "number.jsonl": "1\n",
    "surrogate.jsonl": '{"en": "\\ud800", "zh": "茶"}\n',
    "translation-list.jsonl": '{"translation": ["tea", "茶"]}\n',
    "translation-text.jsonl": '{"translation": "tea"}\n',
    "translation-null.jsonl": '{"translation": null}\n',
    "digits.jsonl": '{"en": ' + DIGITS + ', "zh": "茶"}\n',
    "deep.jsonl": DEEP + "\n",
    "nan.jsonl": '{"en": NaN, "zh": "茶"}\n',
    "null.jsonl": '{"en": "tea", "zh": null}\n',
    "half.jsonl": '{"en": "tea", "zh": "茶"\n',
    "missing.jsonl": '{"en": "tea"}\n',
    "junk.tsv.gz": b"not packed",
    "cut.tsv.gz": lambda path: path.write_bytes(gzip.compress(b"en\tzh\ntea\t\xe8\x8c\xb6\n" * 5_000)[:-40]),
    "junk.tsv.xz": b"not packed",
    "text.docx": b"PK\x03\x04",
    "no-ending": "en\tzh\ntea\t茶\n",
    "junk/train.parquet": b"PAR1 not",
    "lists/train.parquet": _parquet({"en": [["tea"]], "zh": [["茶"]]}),
    "nulls/train.parquet": _parquet({"en": ["tea", None], "zh": ["茶", "水"]}),
    "null-column/train.parquet": _parquet({"en": [None], "zh": [None]}),
    "numbers/train.parquet": _parquet({"en": [1], "zh": [2]}),
    "columns/train.parquet": _parquet({"a": ["tea"], "b": ["茶"]}),
    "null-structs/train.parquet": _parquet(
        {"translation": pa.array([None], pa.struct({"en": pa.string(), "zh": pa.string()}))}
    ),
    "struct-lists/train.parquet": _parquet({"translation": [{"en": ["tea"], "zh": ["茶"]}]}),
    "no-rows/train.parquet": _parquet({"en": pa.array([], pa.string()), "zh": pa.array([], pa.string())}),
    "label-lists/train.parquet": _parquet({"en": ["tea"], "zh": ["茶"], "source": [["a"]]}),
    "empty-folder/notes.txt": "nothing here",
}
# JSON that is no configuration, no report, no log.
JSON: dict[str, str | bytes] = {
    "empty": "",
    "half": '{"a": ',
    "bytes": b'{"a": "\xff"}',
    "null": "null",
    "list": "[]",
    "list-of-numbers": "[1, 2]",
    "text": '"text"',
    "number": "3",
    "empty-object": "{}",
    "nan": '{"d_model": NaN}',
    "infinite": '{"d_model": 1e999, "model_type": "marian"}',
    "digits": '{"d_model": ' + DIGITS + "}",
    "deep": DEEP,
    "surrogate": '{"model_type": "\\udfff"}',
    "wrong-types": json.dumps({"model_type": "marian", "d_model": "wide", "direction": 3, "slices": [], "schema": 1}),
}


def write(folder: Path, files: dict) -> list[Path]:
    """Write files below a folder; their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return [folder / name for name in files]


def odd_paths(folder: Path) -> dict[str, Path]:
    """Paths that cannot be read, by what is odd about them."""
    (folder / "loop.tsv").symlink_to("loop.tsv")
    (folder / "folder.tsv").mkdir()
    (folder / "dangling.tsv").symlink_to("nowhere.tsv")
    return {
        "absent": folder / "absent.tsv",
        "loop": folder / "loop.tsv",
        "dangling": folder / "dangling.tsv",
        "folder": folder / "folder.tsv",
        "long name": folder / f"{LONG}.tsv",
        "under a file": folder / "file" / "text.tsv",
        "process": Path("/proc/self/nothing.tsv"),
    }


def odd_outputs(folder: Path) -> dict[str, Path]:
    """Paths where nothing can be written; also for root, whom no permission stops."""
    (folder / "file").write_text("a file")
    (folder / "loop").symlink_to("loop")
    return {
        "under /proc": Path("/proc/nothing/out"),
        "under /sys": Path("/sys/kernel/out"),
        "under a file": folder / "file" / "out",
        "long name": folder / LONG,
        "long folder": folder / LONG / "out",
        "loop": folder / "loop" / "out",
        "device": Path("/dev/null/out"),
    }


def broken_models(good: Path, folder: Path) -> dict[str, Path]:
    """Copies of a Hugging Face folder, each with one thing wrong."""
    from safetensors.torch import load_file, save_file

    def copy(name: str) -> Path:
        return Path(shutil.copytree(good, folder / name))

    def with_weights(name: str, change: Callable[[dict], None]) -> None:
        weights = load_file(good / "model.safetensors")
        change(weights)
        save_file(weights, copy(name) / "model.safetensors", metadata={"format": "pt"})

    layer = "model.encoder.layers.0.fc1.weight"
    with_weights("missing tensor", lambda weights: weights.pop(layer))
    with_weights("unexpected tensor", lambda weights: weights.update(extra=weights[layer].clone()))
    with_weights("another shape", lambda weights: weights.update({layer: weights[layer][:-1].clone()}))
    with_weights("nan", lambda weights: weights[layer].fill_(float("nan")))
    with_weights("infinite", lambda weights: weights[layer].view(-1)[:1].fill_(float("inf")))
    whole = (good / "model.safetensors").read_bytes()
    for name, content in (
        ("truncated", whole[: len(whole) // 2]),
        ("truncated header", whole[:20]),
        ("no weights", b""),
        ("junk weights", b"\x00" * 5_000),
    ):
        (copy(name) / "model.safetensors").write_bytes(content)
    for name, file in (
        ("no safetensors", "model.safetensors"),
        ("no config", "config.json"),
        ("no .spm", "source.spm"),
    ):
        (copy(name) / file).unlink()
    for name, file, content in (
        ("junk .spm", "source.spm", b"junk" * 50),
        ("empty .spm", "source.spm", b""),
        ("junk target.spm", "target.spm", b"junk" * 50),
        ("vocabulary list", "vocab.json", b'["</s>", "<unk>"]'),
        ("vocabulary of text", "vocab.json", b'{"</s>": "0", "<unk>": "1"}'),
        ("vocabulary far away", "vocab.json", b'{"</s>": 0, "<unk>": 1, "<pad>": 99999999999}'),
        ("vocabulary of nothing", "vocab.json", b"{}"),
        ("negative vocabulary", "vocab.json", b'{"</s>": 0, "<unk>": -5, "<pad>": 2}'),
    ):
        (copy(name) / file).write_bytes(content)
    for name, content in JSON.items():
        (copy(f"config {name}") / "config.json").write_bytes(content.encode() if isinstance(content, str) else content)
    return {path.name: path for path in folder.iterdir()}
