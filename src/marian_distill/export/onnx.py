"""Static graphs (see `students/static.py`) as ONNX files, and the bundle that ONNX Runtime runs.

Opset 17, which the RKNN toolkit accepts as well. int8 is for the weights of matrix products alone, one scale a
column, by the standard's own DequantizeLinear (https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html): a file of
a quarter of the size that any engine of ONNX reads, computed in float32.
"""

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from marian_distill.evaluation.hf_translator import HFTranslator
from marian_distill.export.bundle import KIND, check_model, check_output, write_bundle, write_card, write_tables
from marian_distill.export.parity import Parity, checked_parity, parity
from marian_distill.files import atomic_directory
from marian_distill.languages import languages_of
from marian_distill.locks import folder_lock
from marian_distill.runtime.bundle import BundleConfig, Graph, Tensor
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.translator import BEAM_SIZE
from marian_distill.students.kind import kind_of_folder
from marian_distill.students.loading import load_student
from marian_distill.students.static import GraphName, StaticGraph, StaticGraphs

OPSET = 17


def export_onnx(
    model_dir: str | Path,
    output_dir: str | Path,
    dtype: str = "fp32",
    source_length: int = 64,
    target_length: int = 64,
    cached: bool = False,
    projection_apart: bool = False,
    pairs: Sequence[tuple[str, str]] = (),
    min_parity: float = 0.0,
    overwrite: bool = False,
) -> tuple[BundleConfig, Parity, Parity]:
    """Write a model's bundle for ONNX Runtime and hold it against the model; the folder appears whole or not at all.

    Args:
        model_dir: a Hugging Face folder.
        output_dir: the bundle to write.
        dtype: `fp32`, or `int8` for the weights alone; the tables are float32 and float16.
        source_length, target_length: tokens that the graphs take at most.
        cached, projection_apart: see `StudentKind.static_graphs`.
        pairs: (English, Chinese) sentences; the source side is decoded by both models.
        min_parity: least share of equal greedy translations, else `UserError`.
        overwrite: replace an earlier bundle in the same folder.

    Returns:
        What bundle.json says; how many translations are equal, greedy and with a beam of `BEAM_SIZE`.
    """
    check_output(output_dir, overwrite)
    check_model(model_dir, "onnx", source_length, target_length)
    with folder_lock(output_dir), atomic_directory(output_dir, KIND) as folder:
        table_dtype = "float32" if dtype == "fp32" else "float16"
        graphs = kind_of_folder(model_dir).static_graphs(
            load_student(model_dir), source_length, target_length, cached=cached, projection_apart=projection_apart
        )
        bundle = write_onnx_bundle(graphs, model_dir, folder, dtype, table_dtype)
        trained = HFTranslator(model_dir, max_decoding_length=target_length)
        exported = BundleTranslator(folder)
        greedy = checked_parity(trained, exported, pairs, min_parity, source_length)
        column = 0 if languages_of(exported.direction)[0] == "en" else 1
        texts = [pair[column] for pair in pairs]
        beam = parity(trained, exported, texts, source_length, beam_size=BEAM_SIZE)
        equal = (
            f"{greedy['equal']} of {greedy['sentences']} greedy translations are the trained model's, "
            f"{beam['equal']} with a beam of {BEAM_SIZE}."
        )
        write_card(folder, Path(output_dir).name, bundle, equal)
    return bundle, greedy, beam


def write_onnx_bundle(
    graphs: StaticGraphs, model_dir: str | Path, folder: Path, dtype: str, table_dtype: str
) -> BundleConfig:
    """Fill an empty folder with a bundle for ONNX Runtime.

    Args:
        graphs: of a kind of student.
        model_dir: the folder of the same model, for its tokenizer.
        folder: where to write.
        dtype: `fp32` or `int8`.
        table_dtype: `float32` or `float16`.
    """
    described = write_onnx(graphs.graphs, folder)
    if dtype == "int8":
        for graph in described.values():
            quantize_weights(folder / graph["file"])
            graph["dtype"] = dtype
    tables = write_tables(graphs, folder, table_dtype)
    toolkit = f"onnx {version('onnx')}"
    return write_bundle(
        folder, model_dir, graphs, described, tables, engine="onnx", target="cpu", dtype=dtype, toolkit=toolkit
    )


def write_onnx(graphs: dict[GraphName, StaticGraph], folder: Path) -> dict[str, Graph]:
    """Write NAME.onnx for each graph, float32; how bundle.json lists them."""
    described: dict[str, Graph] = {}
    for name, graph in graphs.items():
        path = folder / f"{name}.onnx"
        with warnings.catch_warnings(), torch.inference_mode():
            # The exporter that traces is the one whose graphs the RKNN toolkit knows; it warns of its age.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                graph.module.eval(),
                tuple(torch.zeros(shape) for shape in graph.inputs.values()),
                path,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                opset_version=OPSET,
                dynamo=False,
            )
        onnx.checker.check_model(str(path), full_check=True)
        described[name] = {
            "file": path.name,
            "dtype": "fp32",
            "inputs": [Tensor(name=key, shape=list(shape)) for key, shape in graph.inputs.items()],
            "outputs": [Tensor(name=key, shape=list(shape)) for key, shape in graph.outputs.items()],
        }
    return described


def quantize_weights(path: Path) -> None:
    """Turn the weights [in, out] of a file's matrix products into int8 with a float32 scale a column, in place."""
    model = onnx.load(path)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    used = {node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for name in sorted(used & weights.keys()):
        array = numpy_helper.to_array(weights[name])
        scale = np.maximum(np.abs(array).max(axis=0), 1e-12).astype(np.float32) / 127
        rounded = np.rint(array / scale).astype(np.int8)
        graph.initializer.remove(weights[name])
        graph.initializer.extend(
            [numpy_helper.from_array(rounded, f"{name}_int8"), numpy_helper.from_array(scale, f"{name}_scale")]
        )
        inputs = [f"{name}_int8", f"{name}_scale"]
        graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", inputs, [name], axis=1))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
