"""Writing a bundle folder's parts that no engine reads: tables, tokenizer, bundle.json (see `runtime/bundle.py`)."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from marian_distill.errors import UserError
from marian_distill.files import (
    MARKER,
    atomic_writer,
    check_replaceable,
    read_json,
    read_json_object,
    sha256,
    write_json,
)
from marian_distill.languages import DIRECTIONS
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.bundle import BUNDLE_FILE, MASKED, SCHEMA, BundleConfig, FileFacts, Graph, Table
from marian_distill.runtime.translator import declared_directions, source_tags

if TYPE_CHECKING:
    from marian_distill.students.static import StaticGraphs

TOKENIZER_FILES = ("source.spm", "target.spm", "vocab.json")
KIND = "a bundle"


def check_output(output_dir: str | Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but a bundle, and a bundle unless `overwrite`."""
    check_replaceable(output_dir, KIND)
    if (Path(output_dir) / MARKER).is_file() and not overwrite:
        raise UserError(f"{output_dir}: holds an exported model. Add --overwrite to replace it.")


def check_model(
    model_dir: str | Path, export: Literal["onnx", "rknn"], source_length: int, target_length: int
) -> None:
    """Refuse what is no model, a kind without this export, and lengths beyond the model's position table."""
    model_dir = Path(model_dir)
    if not model_dir.is_dir():
        raise UserError(f"{model_dir}: no such folder. Give a Hugging Face folder with a model in safetensors.")
    from marian_distill.students.kind import kind_of_folder

    kind_of_folder(model_dir, export)
    config = read_json_object(model_dir / "config.json")
    positions = config.get("max_position_embeddings", 0)
    if not isinstance(positions, int):
        raise UserError(f"{model_dir}/config.json: max_position_embeddings {positions!r}, expected a number")
    for name, length in (("source", source_length), ("target", target_length)):
        if length > positions:
            raise UserError(f"{name} length {length}: {model_dir} has positions for {positions} tokens")
    size = len(SentencePieceTokenizer(model_dir).vocabulary)
    if config.get("vocab_size") != size:
        raise UserError(f"{model_dir}/config.json: a vocabulary of {config.get('vocab_size')}, vocab.json has {size}")


def write_tables(graphs: "StaticGraphs", folder: Path, dtype: str) -> dict[str, Table]:
    """Write embeddings and as many positions as are used as .npy; how bundle.json lists them.

    A model that has one embedding table for both sides gets one file. `dtype` is `float16` or `float32`.
    """
    length = max(graphs.source_length, graphs.target_length)
    source, target = (table.numpy() for table in (graphs.source_embeddings, graphs.target_embeddings))
    shared = np.array_equal(source, target)
    tables: dict[str, Table] = {}
    for name, file, array in (
        ("source_embeddings", "embeddings.npy" if shared else "source_embeddings.npy", source),
        ("target_embeddings", "embeddings.npy" if shared else "target_embeddings.npy", target),
        ("positions", "positions.npy", graphs.positions.numpy()[:length]),
    ):
        np.save(folder / file, array.astype(f"<{np.dtype(dtype).str[1:]}"), allow_pickle=False)
        tables[name] = {"file": file, "dtype": dtype, "shape": list(array.shape)}
    return tables


def write_bundle(
    folder: Path,
    model_dir: str | Path,
    made: "StaticGraphs",
    graphs: dict[str, Graph],
    tables: dict[str, Table],
    *,
    engine: str,
    target: str,
    dtype: str,
    toolkit: str,
) -> BundleConfig:
    """Copy the tokenizer beside graphs and tables that stand in `folder`, and write bundle.json over all of them.

    Args:
        folder: holds the files that `graphs` and `tables` name.
        model_dir: the model's folder.
        made: what the graphs were made from.
        engine, target, dtype, toolkit: for bundle.json (see `BundleConfig`).
    """
    model_dir = Path(model_dir)
    for name in TOKENIZER_FILES:
        shutil.copyfile(model_dir / name, folder / name)
    config, pieces = read_json(model_dir / "config.json"), SentencePieceTokenizer(model_dir)
    directions = declared_directions(config)
    tags = source_tags(directions) if directions else {way: source_tags([way])[way] for way in DIRECTIONS}
    listed = [*TOKENIZER_FILES, *(table["file"] for table in tables.values()), *(g["file"] for g in graphs.values())]
    bundle = BundleConfig(
        schema=SCHEMA,
        engine=engine,
        target=target,
        dtype=dtype,
        toolkit=toolkit,
        cached=made.cached,
        source_length=made.source_length,
        target_length=made.target_length,
        d_model=config["d_model"],
        decoder_layers=config["decoder_layers"],
        vocabulary=config["vocab_size"],
        mask=MASKED,
        eos_id=pieces.eos_id,
        pad_id=pieces.pad_id,
        start_id=config["decoder_start_token_id"],
        directions=list(directions),
        source_tags={way: tag if tag in pieces.vocabulary else None for way, tag in tags.items()},
        tables=tables,
        graphs=graphs,
        files=file_facts(folder, listed),
    )
    write_json(folder / BUNDLE_FILE, bundle)
    return bundle


def write_card(folder: Path, name: str, bundle: BundleConfig, findings: str) -> None:
    """Write the folder's README.md: what it is, what was measured (`findings`), the commands that run it."""
    megabytes = sum(facts["bytes"] for facts in bundle["files"].values()) / 1e6
    is_board = bundle["engine"] == "rknn"
    where = f"On the board ({bundle['target']})" if is_board else "On the other machine (ONNX Runtime)"
    form = "with key and value caches" if bundle["cached"] else "stateless"
    with atomic_writer(folder / "README.md") as stream:
        stream.write(f"""# {name}

A translator as static graphs, exported by distill-zh-en: {bundle["engine"]}, {bundle["target"]},
{bundle["dtype"]}, {form}, {bundle["source_length"]} source and {bundle["target_length"]} target tokens,
{megabytes:.1f} MB. bundle.json names every file, input and output.

{findings.strip()}

Pack it with `uv run -s scripts/pack_board.py THIS_FOLDER --output {name}.tar.gz`. {where}:

    tar xzf {name}.tar.gz && cd {name}
    sh install.sh
    .venv/bin/python translate_rknn.py --text "give me a cup of latte"
""")


def file_facts(folder: Path, names: Sequence[str]) -> dict[str, FileFacts]:
    """Size and checksum of files of a folder, each once."""
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in sorted({*names})
    }
