# /// script
# requires-python = "==3.11.*"
# dependencies = ["rknn-toolkit2==2.5.0", "setuptools<81", "opencv-python-headless<4.12"]
# [tool.uv]
# exclude-newer = "2026-11-21T00:00:00Z"
# override-dependencies = ["torch; sys_platform == 'never'", "opencv-python; sys_platform == 'never'"]
# ///
"""ONNX graphs → .rknn files, and their translations in the toolkit's simulator: what needs rknn-toolkit2 and no more.

`export/rknn.py` starts this with `uv run`, as the toolkit's pins share no environment with this project's; its one
argument is a job file (`Job` there). The toolkit is at https://github.com/airockchip/rknn-toolkit2. It asks for torch
without using it in what is done here, so a stub stands in. Only the process that built a graph can simulate it.
"""

import ctypes
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

# Not the folder of this file: its onnx.py would stand in for the real one.
sys.path[0] = str(Path(__file__).parents[2])

import numpy as np  # noqa: E402
import onnx  # noqa: E402

from marian_distill.runtime.bundle import read_bundle  # noqa: E402
from marian_distill.runtime.sessions import OnnxSession  # noqa: E402
from marian_distill.runtime.static import Arrays, StaticModel, forced_logits, greedy  # noqa: E402


def stub_torch() -> None:
    """A torch with the two names that the toolkit's import looks at."""
    torch, nn = types.ModuleType("torch"), types.ModuleType("torch.nn")
    nn.Module = object  # pyright: ignore[reportAttributeAccessIssue]
    torch.nn = nn  # pyright: ignore[reportAttributeAccessIssue]
    torch.no_grad = lambda: lambda function: function  # pyright: ignore[reportAttributeAccessIssue]
    sys.modules["torch"], sys.modules["torch.nn"] = torch, nn


def operators(path: str) -> set[str]:
    """Operator types of an ONNX file."""
    return {node.op_type for node in onnx.load(path).graph.node}


def tensors_before_norms(path: str) -> list[str]:
    """Every norm's output in the toolkit's own graph, the sum that it takes, and the matrix products in that sum."""
    producers = {node.output[0]: node for node in onnx.load(path).graph.node}
    tensors = []
    for node in producers.values():
        if node.op_type == "exNorm":
            summed = producers[node.input[0]]
            products = [name for name in summed.input if name in producers and producers[name].op_type == "Conv"]
            tensors += [*products, summed.output[0], node.output[0]]
    return tensors


def log_to(path: str) -> None:
    """Send what this process and the toolkit's libraries print to a file from now on."""
    sys.stdout.flush()
    ctypes.CDLL(None).fflush(None)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


class SimulatorSession:
    """A graph that this process has built, in the toolkit's simulator of its chip."""

    def __init__(self, name: str, graph: dict[str, Any], target: str) -> None:
        self.name, self.target, self.dtype = name, target, graph["dtype"]
        self.shapes = [tensor["shape"] for tensor in graph["outputs"]]
        self.engine = self._new_engine()
        self._check(self.engine.load_onnx(model=graph["onnx"]), "load_onnx")
        if self.dtype == "w8a8" and "LayerNormalization" in operators(graph["onnx"]):
            self._build_with_sums_in_fp16(Path(graph["onnx"]).stem, graph["calibration"])
        else:
            quantize = self.dtype != "fp16"
            self._check(self.engine.build(do_quantization=quantize, dataset=graph["calibration"]), "build")
        self._check(self.engine.export_rknn(graph["rknn"]), "export_rknn")
        self._check(self.engine.init_runtime(), "init_runtime")

    def _new_engine(self) -> Any:
        from rknn.api import RKNN  # pyright: ignore[reportMissingImports]

        engine = RKNN(verbose=True)
        quantized = {} if self.dtype == "fp16" else {"quantized_dtype": self.dtype}
        self._check(engine.config(target_platform=self.target, **quantized), "config")
        return engine

    def _build_with_sums_in_fp16(self, stem: str, calibration: str) -> None:
        """Quantize all but what is summed before a norm, and the norm.

        There tokens that say little (the language tag, a plural s) are up to sixty times as large as the others, and
        one int8 scale for all leaves nothing to those. The first of the toolkit's two steps writes its graph and the
        list of layers to keep into the working folder; the second reads both in a new engine.
        """
        self._check(self.engine.hybrid_quantization_step1(dataset=calibration), "hybrid_quantization_step1")
        files = [f"{stem}.{ending}" for ending in ("model", "data", "quantization.cfg")]
        settings, nothing_kept = Path(files[2]).read_text(encoding="utf-8"), "custom_quantize_layers: {}"
        kept = "".join(f"\n    {tensor}: float16" for tensor in tensors_before_norms(files[0]))
        if nothing_kept not in settings or not kept:
            raise RuntimeError(f"{self.name}: {files[2]} is not as rknn-toolkit2 2.5.0 writes it")
        changed = settings.replace(nothing_kept, nothing_kept.replace(" {}", kept))
        Path(files[2]).write_text(changed, encoding="utf-8")
        self.engine.release()
        self.engine = self._new_engine()
        self._check(self.engine.hybrid_quantization_step2(*files), "hybrid_quantization_step2")

    def _check(self, answer: int, call: str) -> None:
        if answer != 0:
            raise RuntimeError(f"{self.name}: RKNN.{call} answered {answer}")

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs for inputs (see `Session`)."""
        outputs = self.engine.inference(inputs=inputs)
        if outputs is None:
            raise RuntimeError(f"{self.name}: RKNN.inference gave no output")
        return [output.reshape(shape) for output, shape in zip(outputs, self.shapes, strict=True)]


def main() -> None:
    """Build every graph of the job, then decode its sentences in the simulator."""
    job_path = sys.argv[1]
    progress = os.fdopen(os.dup(2), "w", buffering=1)
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    stub_torch()
    simulated, exact = {}, {}
    for name, graph in job["graphs"].items():
        print(f"building {name} for {job['target']}, {graph['dtype']}", file=progress)
        log_to(graph["log"])
        simulated[name] = SimulatorSession(name, graph, job["target"])
        exact[name] = OnnxSession(Path(graph["onnx"]), graph)
    log_to(job["log"])

    config = read_bundle(job["bundle"])
    simulator, reference = (StaticModel(job["bundle"], config, sessions) for sessions in (simulated, exact))
    errors = []
    for source, target in job["logits"]:
        difference = np.abs(forced_logits(simulator, source, target) - forced_logits(reference, source, target))
        errors.append([float(difference.mean()), float(difference.max())])
    targets = []
    for number, source in enumerate(job["sources"], start=1):
        targets.append(greedy(simulator, source, config["target_length"]))
        if number % 20 == 0 or number == len(job["sources"]):
            print(f"simulated {number} of {len(job['sources'])} sentences", file=progress)
    means, worst = zip(*errors, strict=True)
    result = {"targets": targets, "logit_error": {"mean": sum(means) / len(means), "worst": max(worst)}}
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
