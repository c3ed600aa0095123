"""RKNNLite is stood in for by its documented signatures and habits (rknn-toolkit-lite2 2.5.0): no board is at hand."""

import json
import shutil
import sys
import types

import onnxruntime
import pytest

from marian_distill.errors import UserError
from marian_distill.runtime.bundle import read_bundle
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.sessions import RknnLiteSession, open_sessions


class FakeRKNNLite:
    """Runs the ONNX graph beside the .rknn file; answers −1 or None, and never raises, where something is wrong."""

    NPU_CORE_AUTO = 0
    fails_in: str | None = None
    released = 0

    def __init__(self, verbose=False, verbose_file=None):
        self.session = None
        self.initialized = False

    def load_rknn(self, path, key_path=None):
        if self.fails_in == "load_rknn":
            return -1
        self.session = onnxruntime.InferenceSession(path.replace(".rknn", ".onnx"), providers=["CPUExecutionProvider"])
        return 0

    def init_runtime(self, target=None, device_id=None, async_mode=False, core_mask=NPU_CORE_AUTO):
        if self.fails_in == "init_runtime" or self.session is None:
            return -1
        self.initialized = True
        return 0

    def inference(self, inputs, data_type=None, data_format=None, inputs_pass_through=None, **asynchronous):
        if self.fails_in == "inference" or not self.initialized:
            return None
        names = [tensor.name for tensor in self.session.get_inputs()]
        return self.session.run(None, dict(zip(names, inputs, strict=True)))

    def release(self):
        FakeRKNNLite.released += 1


@pytest.fixture
def board(monkeypatch):
    """A machine that has rknnlite; gives its class."""
    package, api = types.ModuleType("rknnlite"), types.ModuleType("rknnlite.api")
    api.RKNNLite = FakeRKNNLite
    monkeypatch.setitem(sys.modules, "rknnlite", package)
    monkeypatch.setitem(sys.modules, "rknnlite.api", api)
    monkeypatch.setattr(FakeRKNNLite, "fails_in", None)
    return FakeRKNNLite


@pytest.fixture
def board_bundle_dir(toy_bundle_dir, tmp_path):
    """The toy bundle as one for a board: .rknn files, which the stand-in answers for with the .onnx ones."""
    folder = shutil.copytree(toy_bundle_dir, tmp_path / "bundle")
    config = json.loads((folder / "bundle.json").read_text())
    config |= {"engine": "rknn", "target": "rv1126b", "dtype": "fp16"}
    for name, graph in config["graphs"].items():
        graph["file"] = f"{name}.rknn"
        shutil.copy(folder / f"{name}.onnx", folder / f"{name}.rknn")
        config["files"][f"{name}.rknn"] = config["files"][f"{name}.onnx"]
    (folder / "bundle.json").write_text(json.dumps(config))
    return folder


def test_a_board_translates_as_onnx_runtime_does(board, board_bundle_dir, toy_bundle_dir):
    on_board, exact = BundleTranslator(board_bundle_dir), BundleTranslator(toy_bundle_dir)
    texts = ["We like tea.", "The latte is $19.99.", ""]
    assert on_board.compute_type == "rv1126b fp16"
    assert on_board.translate(texts) == exact.translate(texts) == ["我们喜欢茶。", "拿铁是$19.99。", ""]


@pytest.mark.parametrize(
    ("call", "answer", "advice"),
    [("load_rknn", "-1", "for this chip"), ("init_runtime", "-1", "librknnrt.so")],
)
def test_an_answer_that_is_not_0_is_an_error(board, board_bundle_dir, monkeypatch, call, answer, advice):
    monkeypatch.setattr(board, "fails_in", call)
    with pytest.raises(UserError, match=rf"encoder\.rknn: RKNNLite\.{call} answered {answer}.*{advice}"):
        BundleTranslator(board_bundle_dir)


def test_no_output_is_an_error(board, board_bundle_dir, monkeypatch):
    translator = BundleTranslator(board_bundle_dir)
    monkeypatch.setattr(board, "fails_in", "inference")
    with pytest.raises(RuntimeError, match=r"encoder\.rknn: RKNNLite\.inference gave no output"):
        translator.translate(["We like tea."])


def test_memory_is_given_back(board, board_bundle_dir):
    before = board.released
    session = open_sessions(board_bundle_dir, read_bundle(board_bundle_dir))["encoder"]
    assert isinstance(session, RknnLiteSession)
    session.close()
    assert board.released == before + 1


def test_a_board_s_bundle_elsewhere_says_what_to_do(board_bundle_dir):
    with pytest.raises(UserError, match=r"rknn-toolkit-lite2 is not installed.*export_onnx\.py"):
        BundleTranslator(board_bundle_dir)
