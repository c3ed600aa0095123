import json
import platform
from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.export.calibration import calibration_lists, spread
from marian_distill.export.rknn import check_build, check_parity, check_target, export_rknn
from marian_distill.export.rknn_log import read_log
from marian_distill.export.rknn_parity import parity_report, parity_sample, parity_table
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.bundle import read_bundle
from marian_distill.runtime.bundle_translator import BundleTranslator
from toy_model import PAIRS, write_model

# Lines as rknn-toolkit2 2.5.0 logs them, columns narrowed.
TIME = "D RKNN: [09:53:15.437]"
OPERATORS = f"""\
{TIME} ID   OpType         DataType Target InputShape   OutputShape  Cycles(DDR/NPU/Total)  RW(KB)  FullName
{TIME} 0    InputOperator  FLOAT16  CPU    \\            (1,1,256)    0/0/0            0   InputOperator:states
{TIME} 7    Conv           FLOAT16  NPU    (1,256,1,1)  (1,256,1,1)  17833/2048/17833 0% 129 Conv:/q_proj/MatMul
{TIME} 8    ConvAdd        FLOAT16  NPU    (1,256,1,1)  (1,256,1,1)  70782/8192/70782 0% 515 Conv:/fc2/MatMul
{TIME} 9    OutputOperator FLOAT16  CPU    (1,1,256)    \\            0/0/0            15  OutputOperator:logits
{TIME} Total Internal Memory Size: 243.062KB
{TIME} Total Weight Memory Size: 5869.75KB
"""
GATHER = f"{TIME} 3    Gather         FLOAT16  CPU    (8001,256),(1,64)  (1,64,256)  0/0/0  4033 Gather:/Gather\n"
UNKNOWN = "E RKNN: [11:58:11.500] Unkown op target: 0\n"
UNLOWERED = "No lowering found for: /IsNaN, node type = IsNaN, use CustomOperatorLower instead.\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (GATHER, r"encoder: Gather Gather:/Gather would not run on the NPU of the rv1126b"),
        (
            "E RKNN: [11:58:11.500] Unkown op target: 0\n",
            "encoder: an operator that the log does not name would not run",
        ),
        (
            "No lowering found for: /IsNaN, node type = IsNaN, use CustomOperatorLower instead.\n",
            "no code for IsNaN /IsNaN",
        ),
    ],
)
def test_what_leaves_the_npu_is_named_though_the_toolkit_calls_it_a_success(lines, message):
    with pytest.raises(UserError, match=message):
        check_build("encoder", read_log(OPERATORS + lines), "rv1126b", Path("out.log"))


@pytest.mark.parametrize(("system", "architecture"), [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "armv7l")])
def test_where_the_toolkit_does_not_exist_it_is_said_before_anything_else(system, architecture, monkeypatch, tmp_path):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: architecture)
    with pytest.raises(UserError, match=f"alone, this is {system} on {architecture}: .*export_onnx"):
        export_rknn(tmp_path / "absent", tmp_path / "out", "rv1126b", "fp16", [], [])
    assert not any(tmp_path.iterdir())


def test_another_chip_may_leave_operators_to_its_cpu():
    check_build("encoder", read_log(OPERATORS + GATHER), "rk3588", Path("out.log"))


def test_the_toolkit_s_own_error_is_found_through_its_colours():
    red, end = "\x1b[1;31m", "\x1b[0m"
    lines = [f"{red}E{end} {red}{said}{end}" for said in ("rknn-toolkit2 version: 2.5.0", "Invalid target")]
    assert read_log("\n".join(lines)).errors == ["Invalid target"]


def test_the_older_chip_gets_an_answer():
    with pytest.raises(UserError, match=r"rv1126: an older chip than the RV1126B.*--target rv1126b.*export_ct2\.py"):
        check_target("rv1126")
    with pytest.raises(UserError, match="'rk9999': expected rv1126b, rk3562"):
        check_target("rk9999")
    check_target("rv1126b")


@pytest.fixture
def report(toy_model_dir):
    pieces = SentencePieceTokenizer(toy_model_dir)
    references = [chinese for _, chinese in PAIRS[:4]]
    trained = pieces.target_pieces(references)
    found = [*trained[:3], trained[0]]
    facts = {"target": "rv1126b", "dtype": "w8a8", "cached": True, "measured": "simulated"}
    return parity_report(
        pieces, "en-zh", found, trained, None, references, **facts, logit_error={"mean": 0.1, "worst": 1.5}
    )


def test_parity_counts_what_is_equal_and_what_is_lost(report):
    assert (report["sentences"], report["token_match"], report["token_match_ctranslate2"]) == (4, 0.75, None)
    assert report["score_lost"] == round(100 - report["score"], 2) > 0
    assert report["bleu_lost"] > 0
    assert {"target", "dtype", "sentences", "token_match", "logit_error", "score_lost", "bleu_lost"} <= set(report)
    assert "| 75.0% |" in parity_table(report)
    assert "0.100 / 1.50" in parity_table(report)


def test_too_much_lost_is_an_error_that_says_how_much(report):
    check_parity(report, 100)
    with pytest.raises(UserError, match=r"w8a8 loses [\d.]+ chrF on 4 sentences, more than 0\.5 \(75\.0%"):
        check_parity(report, 0.5)


def test_calibration_records_what_graphs_are_given(toy_bundle_dir, tmp_path):
    exact = BundleTranslator(toy_bundle_dir)
    sources, references = parity_sample(exact, [*PAIRS[:30], ("milk " * 40, "牛奶")])
    assert (len(sources), len(references)) == (30, 30)  # what does not fit is left out
    ids = [exact.pieces.ids(source) for source in sources]
    session = exact.model.decoder
    lists = calibration_lists(exact, ids, ["encoder", "decoder"], tmp_path)
    assert exact.model.decoder is session  # put back
    for name, calls in (("encoder", 20), ("decoder", 40)):
        lines = Path(lists[name]).read_text().splitlines()
        assert len(lines) == calls
        for line in lines:
            assert len(line.split()) == len(exact.config["graphs"][name]["inputs"])
            assert all(Path(path).is_file() for path in line.split())


def test_spread_takes_from_first_to_last():
    assert spread("abc", 5) == ["a", "b", "c"]
    assert spread(range(100), 4) == [0, 25, 50, 75]


@pytest.mark.slow  # the real toolkit, in its own environment
@pytest.mark.parametrize(
    ("dtype", "cached", "least"),
    [("fp16", True, 1.0), ("w8a8", False, 0.8), ("hybrid", True, 0.9), ("w4a16", False, 0.6)],
)
def test_the_simulator_says_what_the_model_says(toy_model_dir, tmp_path, dtype, cached, least, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = Path("out")  # the toolkit changes its working folder
    bundle, report, builds = export_rknn(
        toy_model_dir, output, "rv1126b", dtype, PAIRS[::6], PAIRS, 32, 32, cached, max_chrf_lost=20
    )
    assert report["token_match"] >= least
    assert report["sentences"] == len(PAIRS[::6])
    assert json.loads((output / "parity.json").read_text()) == report
    assert read_bundle(output) == bundle
    assert all(build.off_npu == [] and build.cycles > 0 for build in builds.values())
    assert set(bundle["graphs"]) == (
        {"encoder", "decoder", "projection"} if dtype == "hybrid" else {"encoder", "decoder"}
    )
    assert "no board has run it" in (output / "README.md").read_text()


@pytest.mark.slow
def test_what_the_toolkit_refuses_is_one_line_and_leaves_only_its_log(tmp_path):
    model_dir = write_model(tmp_path / "model")
    with pytest.raises(UserError, match=r"rknn-toolkit2 failed for rk3588: .*w4a16"):
        export_rknn(model_dir, tmp_path / "out", "rk3588", "w4a16", PAIRS[:2], PAIRS[:2], 32, 32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "out.log"]
