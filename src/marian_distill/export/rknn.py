"""A Marian or liquid folder → the bundle that a Rockchip NPU runs, by rknn-toolkit2 (https://github.com/airockchip/rknn-toolkit2).

ONNX graphs are written here; `rknn_converter.py` builds and simulates them in an environment of its own; what it made
is held against the trained model on real sentences. What the simulator says holds for the graph that was built: the
.rknn file itself, and its speed, only a board can try, and none has.
"""

import json
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from marian_distill.errors import UserError
from marian_distill.export.bundle import KIND, check_model, check_output, write_bundle, write_card
from marian_distill.export.calibration import calibration_lists
from marian_distill.export.rknn_log import BuildLog, read_log
from marian_distill.export.rknn_parity import (
    CHRF_LOST_AT_MOST,
    LogitError,
    ParityReport,
    parity_report,
    parity_sample,
    parity_table,
)
from marian_distill.files import atomic_directory, atomic_writer, read_json, write_json
from marian_distill.locks import folder_lock
from marian_distill.runtime.bundle import BundleConfig, Graph, Tensor
from marian_distill.runtime.bundle_translator import BundleTranslator

TARGETS = ("rv1126b", "rk3562", "rk3566", "rk3568", "rk3576", "rk3588")
DTYPES = tuple(CHRF_LOST_AT_MOST)
TOOLKIT = "rknn-toolkit2 2.5.0"  # as rknn_converter.py pins it
CONVERTER = Path(__file__).with_name("rknn_converter.py")
LOGIT_SENTENCES = 20


class GraphJob(TypedDict):
    """One graph to build."""

    onnx: str
    rknn: str
    dtype: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    calibration: str | None  # list of recorded inputs; None in fp16
    log: str


class Job(TypedDict):
    """What the converter reads: graphs to build, sentences to translate in the simulator."""

    target: str
    bundle: str  # the same model's ONNX bundle, for its tables
    graphs: dict[str, GraphJob]
    sources: list[list[int]]
    logits: list[tuple[list[int], list[int]]]  # sources and targets along which logits are compared
    log: str
    result: str


class Result(TypedDict):
    """What the converter answers."""

    targets: list[list[int]]
    logit_error: LogitError


def check_target(target: str) -> None:
    """Refuse the older chip whose name is a letter shorter, and names that the toolkit does not have."""
    if target == "rv1126":
        raise UserError(
            "target rv1126: an older chip than the RV1126B, with another NPU that needs another toolkit (rknn-toolkit "
            "1), which this project does not speak to. If the chip says RV1126B, give --target rv1126b; on an RV1126 "
            "run the folder of scripts/export_ct2.py or scripts/export_onnx.py on its CPU"
        )
    if target not in TARGETS:
        raise UserError(f"target {target!r}: expected {', '.join(TARGETS)}")


def check_machine() -> None:
    """`UserError` where rknn-toolkit2 has no wheels: before anything is fetched or computed."""
    system, architecture = platform.system(), platform.machine()
    if system != "Linux" or architecture not in ("x86_64", "aarch64"):
        raise UserError(
            f"rknn-toolkit2 exists for Linux on x86_64 and aarch64 alone, this is {system} on {architecture}: run "
            "this there (a container does), or export with scripts/export_onnx.py or scripts/export_ct2.py"
        )


def export_rknn(
    model_dir: str | Path,
    output_dir: str | Path,
    target: str,
    dtype: str,
    pairs: Sequence[tuple[str, str]],
    calibration_pairs: Sequence[tuple[str, str]],
    source_length: int = 64,
    target_length: int = 64,
    cached: bool = False,
    max_chrf_lost: float | None = None,
    overwrite: bool = False,
) -> tuple[BundleConfig, ParityReport, dict[str, BuildLog]]:
    """Build a model's bundle for an NPU and hold it against the model; the folder appears whole or not at all.

    The toolkit's log stays beside the folder, as OUTPUT_DIR.log.

    Args:
        model_dir: a Hugging Face folder.
        output_dir: the bundle to write.
        target: one of `TARGETS`.
        dtype: `fp16`, `w8a8`, `w4a16`, or `hybrid`: fp16 with the vocabulary projection apart in w8a8.
        pairs: (English, Chinese) sentences for parity; those longer than `source_length` are left out.
        calibration_pairs: sentences whose activations set the ranges of quantized types.
        source_length, target_length: tokens that the graphs take at most.
        cached: a decoder with key and value caches.
        max_chrf_lost: losing more chrF++ (in Chinese chrF) is a `UserError`; by default what `CHRF_LOST_AT_MOST` says.
        overwrite: replace an earlier bundle in the same folder.
    """
    check_machine()
    check_target(target)
    check_output(output_dir, overwrite)
    check_model(model_dir, "rknn", source_length, target_length)
    from marian_distill.evaluation.hf_translator import HFTranslator  # torch: once the quick checks passed
    from marian_distill.export.onnx import write_onnx_bundle
    from marian_distill.students.kind import kind_of_folder
    from marian_distill.students.loading import load_student

    made = kind_of_folder(model_dir).static_graphs(
        load_student(model_dir), source_length, target_length, cached=cached, projection_apart=dtype == "hybrid"
    )
    with (
        folder_lock(output_dir),
        atomic_directory(output_dir, KIND) as folder,  # an absolute path: the toolkit changes its working folder
        tempfile.TemporaryDirectory() as scratch,
    ):
        work = Path(scratch)
        exact_folder = work / "onnx"
        exact_folder.mkdir()
        exact_bundle = write_onnx_bundle(made, model_dir, exact_folder, "fp32", "float16")
        exact = BundleTranslator(exact_folder)
        sources, references = parity_sample(exact, pairs)
        trained = HFTranslator(model_dir, exact.direction, max_decoding_length=target_length).decode_pieces(sources)

        graphs = {name: rknn_graph(name, graph, dtype) for name, graph in exact_bundle["graphs"].items()}
        calibration, _ = parity_sample(exact, calibration_pairs)
        ids, targets = ([exact.pieces.ids(row) for row in rows] for rows in (sources, trained))
        job = Job(
            target=target,
            bundle=str(exact_folder),
            graphs=graph_jobs(graphs, exact, [exact.pieces.ids(row) for row in calibration], folder, work),
            sources=ids,
            logits=list(zip(ids, targets, strict=True))[:LOGIT_SENTENCES],
            log=str(work / "simulator.log"),
            result=str(work / "result.json"),
        )
        result, builds = convert(job, work, Path(f"{output_dir}.log"))

        for file in {table["file"] for table in exact_bundle["tables"].values()}:
            shutil.copyfile(exact_folder / file, folder / file)
        bundle = write_bundle(
            folder,
            model_dir,
            made,
            graphs,
            exact_bundle["tables"],
            engine="rknn",
            target=target,
            dtype=dtype,
            toolkit=TOOLKIT,
        )
        report = parity_report(
            exact.pieces,
            exact.direction,
            [[exact.pieces.pieces[index] for index in row] for row in result["targets"]],
            trained,
            decode_with_ctranslate2(model_dir, exact, sources, work / "ctranslate2"),
            references,
            target=target,
            dtype=dtype,
            cached=cached,
            measured="simulated; no board has run it",
            logit_error=result["logit_error"],
        )
        write_json(folder / "parity.json", report)
        with atomic_writer(folder / "parity.md") as stream:
            stream.write(parity_table(report))
        check_parity(report, CHRF_LOST_AT_MOST[dtype] if max_chrf_lost is None else max_chrf_lost)
        write_card(folder, Path(output_dir).name, bundle, parity_table(report))
    return bundle, report, builds


def rknn_graph(name: str, graph: Graph, dtype: str) -> Graph:
    """A graph of the ONNX bundle as it will stand in the RKNN one."""
    if dtype == "hybrid":
        dtype = "w8a8" if name == "projection" else "fp16"
    return {"file": f"{name}.rknn", "dtype": dtype, "inputs": graph["inputs"], "outputs": graph["outputs"]}


def graph_jobs(
    graphs: dict[str, Graph], exact: BundleTranslator, calibration: list[list[int]], folder: Path, work: Path
) -> dict[str, GraphJob]:
    """What to build: ONNX files in `work`/onnx, .rknn files in `folder`, recorded inputs for what is quantized."""
    quantized = [name for name, graph in graphs.items() if graph["dtype"] != "fp16"]
    lists = calibration_lists(exact, calibration, quantized, work) if quantized else {}
    return {
        name: GraphJob(
            onnx=str(work / "onnx" / exact.config["graphs"][name]["file"]),
            rknn=str(folder / graph["file"]),
            dtype=graph["dtype"],
            inputs=graph["inputs"],
            outputs=graph["outputs"],
            calibration=lists.get(name),
            log=str(work / f"{name}.log"),
        )
        for name, graph in graphs.items()
    }


def convert(job: Job, work: Path, log: Path) -> tuple[Result, dict[str, BuildLog]]:
    """Run the converter; its result and what the build of each graph logged.

    Args:
        job: what to do.
        work: a folder for the job file.
        log: where the logs of all its parts end up, whether it went well or not.

    Raises:
        UserError: the toolkit refused or failed, has no code for an operator, or (on the rv1126b) leaves one to the
            CPU; the line names the operator or the toolkit's own first error.
    """
    if shutil.which("uv") is None:
        raise UserError("uv is not on the PATH: the RKNN toolkit needs an environment of its own, which uv makes")
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = ["uv", "run", "--no-project", "-p", "3.11", "-s", str(CONVERTER), str(work / "job.json")]
    code = _run_to_the_end(command, work)
    logs = {name: read_text(graph["log"]) for name, graph in job["graphs"].items()}
    with atomic_writer(log) as stream:
        for name, text in [*logs.items(), ("simulator", read_text(job["log"]))]:
            stream.write(f"=== {name}\n{text}\n")
    builds = {name: read_log(text) for name, text in logs.items()}
    for name, build in builds.items():
        check_build(name, build, job["target"], log)
    if code != 0:
        said = [line for build in builds.values() for line in build.errors] or ["see the end of the log"]
        raise UserError(f"rknn-toolkit2 failed for {job['target']}: {said[0]} (its log: {log}); nothing was written")
    return read_json(job["result"]), builds


def _run_to_the_end(command: list[str], folder: Path) -> int:
    """Exit code of a command in `folder`; when this process is interrupted, all that it started ends with it."""
    with subprocess.Popen(command, cwd=folder, start_new_session=True) as process:  # noqa: S603
        try:
            return process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def check_build(name: str, build: BuildLog, target: str, log: Path) -> None:
    """`UserError` when an operator has no code, or falls off the rv1126b's NPU."""
    if build.unlowered:
        raise UserError(f"{name}: rknn-toolkit2 has no code for {build.unlowered[0]} (its log: {log})")
    if build.off_npu and target == "rv1126b":
        raise UserError(f"{name}: {build.off_npu[0]} would not run on the NPU of the {target} (its log: {log})")


def check_parity(report: ParityReport, at_most: float) -> None:
    """`UserError` when more of the metric is lost than may be."""
    if report["score_lost"] > at_most:
        raise UserError(
            f"{report['dtype']} loses {report['score_lost']} {report['metric']} on {report['sentences']} sentences, "
            f"more than {at_most} ({report['token_match']:.1%} of the translations are the trained model's); "
            "nothing was written. Give more --parity-sentences (few are moved by chance), another --dtype, or "
            "--max-chrf-lost"
        )


def decode_with_ctranslate2(
    model_dir: str | Path, exact: BundleTranslator, sources: list[list[str]], folder: Path
) -> list[list[str]] | None:
    """What the model says in CTranslate2's float32; None for a model that CTranslate2 would change."""
    from marian_distill.export import ctranslate2
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator

    try:
        ctranslate2.check_model(model_dir)
    except UserError:
        return None
    ctranslate2.convert(model_dir, folder, "float32", ())
    most = exact.max_decoding_length
    return CTranslate2Translator(folder, exact.direction, max_decoding_length=most).decode_pieces(sources)


def read_text(path: str) -> str:
    """A log as text, whatever bytes it holds; empty when it was never begun."""
    return Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).is_file() else ""
