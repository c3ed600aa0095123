"""The engines behind `Session`: ONNX Runtime (https://onnxruntime.ai) and RKNNLite, the board's runtime for Python.

RKNNLite (rknn-toolkit-lite2 2.5.0) answers −1 or None where others raise; every answer is checked here. Written to its
documented signatures and tested against a stand-in with the same habits: no board has run this yet.
"""

from pathlib import Path
from typing import Any

from marian_distill.errors import UserError
from marian_distill.runtime.bundle import BundleConfig, Graph
from marian_distill.runtime.static import Arrays, Session


def open_sessions(folder: str | Path, config: BundleConfig, threads: int = 1) -> dict[str, Session]:
    """A session for each graph of a bundle, by its engine; `threads` is ONNX Runtime's."""
    folder = Path(folder)
    if config["engine"] == "rknn":
        return {name: RknnLiteSession(folder / graph["file"]) for name, graph in config["graphs"].items()}
    return {name: OnnxSession(folder / graph["file"], graph, threads) for name, graph in config["graphs"].items()}


class OnnxSession:
    """A graph in ONNX Runtime, on the CPU."""

    def __init__(self, path: Path, graph: Graph, threads: int = 1) -> None:
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]
        except ModuleNotFoundError as error:
            raise UserError("onnxruntime is not installed: `pip install onnxruntime`") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        self.names = [tensor["name"] for tensor in graph["inputs"]]
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf) as error:
            raise UserError(f"{path}: ONNX Runtime cannot load this graph ({error}). Export it again.") from error
        for listed, found in (
            (graph["inputs"], self.session.get_inputs()),
            (graph["outputs"], self.session.get_outputs()),
        ):
            if [(one["name"], one["shape"]) for one in listed] != [(one.name, one.shape) for one in found]:
                raise UserError(f"{path}: takes or gives other arrays than bundle.json says. Export it again.")

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs for inputs (see `Session`)."""
        return self.session.run(None, dict(zip(self.names, inputs, strict=True)))  # pyright: ignore[reportReturnType]


class RknnLiteSession:
    """A .rknn file on the NPU of the board that this runs on."""

    def __init__(self, path: Path) -> None:
        try:
            from rknnlite.api import RKNNLite  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError as error:
            raise UserError(
                "rknn-toolkit-lite2 is not installed: this bundle runs on a Rockchip board, where "
                "`pip install rknn-toolkit-lite2` works; for another machine export with scripts/export_onnx.py"
            ) from error
        self.path = path
        self.engine: Any = RKNNLite()
        self._check(self.engine.load_rknn(str(path)), "load_rknn", "is it a .rknn file for this chip?")
        self._check(
            self.engine.init_runtime(),
            "init_runtime",
            "is /usr/lib/librknnrt.so there, no older than the toolkit?",
        )

    def _check(self, answer: int, call: str, advice: str) -> None:
        if answer != 0:
            raise UserError(f"{self.path}: RKNNLite.{call} answered {answer}; {advice}")

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs for inputs (see `Session`)."""
        outputs = self.engine.inference(inputs=inputs)
        if outputs is None or any(output is None for output in outputs):
            raise RuntimeError(f"{self.path}: RKNNLite.inference gave no output; its log above says why")
        return outputs

    def close(self) -> None:
        """Give the NPU's memory back."""
        self.engine.release()
