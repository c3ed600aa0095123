"""The bundle folder: static graphs of one model, its tables and its tokenizer (docs/rknn_bundle.md has it in full).

The host looks embeddings up, adds positions, and picks tokens; a graph only ever sees floating-point arrays of fixed
shapes. So the same folder serves ONNX Runtime, the RKNN simulator and a board, with numpy alone around it.
"""

from pathlib import Path
from typing import TypedDict

import numpy as np

from marian_distill.errors import UserError
from marian_distill.files import read_json_object, sha256
from marian_distill.schema import read_shaped

SCHEMA = 1
BUNDLE_FILE = "bundle.json"
# What is added to the scores of keys that may not be seen. At −1e4 w8a8 has no levels left for the scores themselves;
# at −30 what is masked still weighs something in fp16.
MASKED = -100.0


class Tensor(TypedDict):
    """An input or output of a graph: float32 on the host, whatever the graph computes in."""

    name: str
    shape: list[int]


class Graph(TypedDict):
    """One graph's file, and its inputs and outputs in their order."""

    file: str
    dtype: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class Table(TypedDict):
    """An array on the host: an .npy file, little-endian, rows one after another."""

    file: str
    dtype: str
    shape: list[int]


class FileFacts(TypedDict):
    """Size and SHA-256 of a file of the bundle."""

    bytes: int
    sha256: str


class BundleConfig(TypedDict):
    """bundle.json."""

    schema: int
    engine: str  # onnx or rknn
    target: str  # cpu, or the chip
    dtype: str
    toolkit: str
    cached: bool  # decoder with key and value caches, else stateless
    source_length: int
    target_length: int
    d_model: int
    decoder_layers: int
    vocabulary: int
    mask: float
    eos_id: int
    pad_id: int
    start_id: int
    directions: list[str]
    source_tags: dict[str, str | None]
    tables: dict[str, Table]  # source_embeddings, target_embeddings (√d scale inside), positions
    graphs: dict[str, Graph]  # encoder, decoder, and projection where it stands apart
    files: dict[str, FileFacts]


def read_bundle(folder: str | Path) -> BundleConfig:
    """bundle.json of a folder whose files are all there, unchanged; else a `UserError` that names what is wrong."""
    folder = Path(folder)
    if not (folder / BUNDLE_FILE).is_file():
        raise UserError(
            f"{folder}: no {BUNDLE_FILE} here. Make a bundle with scripts/export_rknn.py or scripts/export_onnx.py."
        )
    schema = read_json_object(folder / BUNDLE_FILE).get("schema")
    if schema != SCHEMA:
        raise UserError(f"{folder / BUNDLE_FILE}: schema {schema!r}, expected {SCHEMA}. Export the model again.")
    config = read_shaped(folder / BUNDLE_FILE, BundleConfig)
    _check_sizes(folder / BUNDLE_FILE, config)
    for name, facts in config["files"].items():
        path = folder / name
        if path.parent != folder or path.is_symlink():
            raise UserError(f"{folder / BUNDLE_FILE}: lists {name!r}, which is no file of the folder itself")
        if not path.is_file():
            raise UserError(f"{path}: no such file, though {BUNDLE_FILE} lists it. Copy the whole folder again.")
        if path.stat().st_size != facts["bytes"] or sha256(path) != facts["sha256"]:
            raise UserError(f"{path}: not the file that {BUNDLE_FILE} describes. Copy the whole folder again.")
    return config


def _check_sizes(path: Path, config: BundleConfig) -> None:
    """Refuse parts that do not fit together, which an engine would find in mid-sentence."""
    used = {part["file"] for part in (*config["tables"].values(), *config["graphs"].values())}
    absent = [
        *sorted(used - config["files"].keys()),
        *sorted({"encoder", "decoder"} - config["graphs"].keys()),
        *sorted({"source_embeddings", "target_embeddings", "positions"} - config["tables"].keys()),
    ]
    if absent:
        raise UserError(f"{path}: {absent[0]!r} is not among its files, graphs and tables. Export the model again.")
    rows = {"source_embeddings": config["vocabulary"], "target_embeddings": config["vocabulary"]}
    rows["positions"] = max(config["source_length"], config["target_length"])
    for name, count in rows.items():
        shape = config["tables"][name]["shape"]
        if len(shape) != 2 or shape[0] < count or shape[1] != config["d_model"] or min(*shape, count) < 1:
            raise UserError(f"{path}: {name} has shape {shape}, expected [{count}, {config['d_model']}]")
    ids = {name: config[name] for name in ("eos_id", "pad_id", "start_id")}
    for name, index in ids.items():
        if not 0 <= index < config["vocabulary"]:
            raise UserError(f"{path}: {name} {index} is not an id of the {config['vocabulary']} in its vocabulary")


def read_table(folder: str | Path, table: Table) -> np.ndarray:
    """A table as it stands on disk, mapped rather than read: a sentence needs a few rows of it."""
    path = Path(folder) / table["file"]
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UserError(f"{path}: not an array ({error}). Copy the whole folder again.") from error
    if list(array.shape) != table["shape"] or array.dtype != np.dtype(table["dtype"]):
        raise UserError(f"{path}: {array.dtype} {array.shape}, expected {table['dtype']} {tuple(table['shape'])}")
    return array
