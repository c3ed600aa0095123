"""The bundle folder: static graphs of one model, its tables and its tokenizer (docs/rknn_bundle.md has it in full).

The host looks embeddings up, adds positions, and picks tokens; a graph only ever sees floating-point arrays of fixed
shapes. So the same folder serves ONNX Runtime, the RKNN simulator and a board, with numpy alone around it.
"""

from pathlib import Path
from typing import TypedDict

import numpy as np

from marian_distill.errors import UserError
from marian_distill.files import read_json, sha256

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
    config: BundleConfig = read_json(folder / BUNDLE_FILE)
    if config.get("schema") != SCHEMA:
        raise UserError(
            f"{folder / BUNDLE_FILE}: schema {config.get('schema')!r}, expected {SCHEMA}. Export the model again."
        )
    for name, facts in config["files"].items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path}: no such file, though {BUNDLE_FILE} lists it. Copy the whole folder again.")
        if path.stat().st_size != facts["bytes"] or sha256(path) != facts["sha256"]:
            raise UserError(f"{path}: not the file that {BUNDLE_FILE} describes. Copy the whole folder again.")
    return config


def read_table(folder: str | Path, table: Table) -> np.ndarray:
    """A table as it stands on disk, mapped rather than read: a sentence needs a few rows of it."""
    path = Path(folder) / table["file"]
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if list(array.shape) != table["shape"] or array.dtype != np.dtype(table["dtype"]):
        raise UserError(f"{path}: {array.dtype} {array.shape}, expected {table['dtype']} {tuple(table['shape'])}")
    return array
