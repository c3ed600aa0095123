"""A liquid student as a bundle: the runtime of every bundle decodes it, step by step, as the trained model does."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.evaluation.hf_translator import HFTranslator
from marian_distill.export.ctranslate2 import export_model
from marian_distill.export.onnx import export_onnx
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.static import beam_search, forced_logits
from marian_distill.students.liquid.configuration import CELLS, LiquidConfig
from marian_distill.students.liquid.student import LiquidStudent
from toy_model import write_tokenizer

SOURCES = ["I want coffee.", "How much is the latte?", "They need 8 teas."]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A random model of each cell, with the toy tokenizer."""
    made = {}
    for cell in CELLS:
        made[cell] = tmp_path_factory.mktemp(cell) / "model"
        size = write_tokenizer(made[cell])
        torch.manual_seed(0)
        ids = {"vocab_size": size, "pad_token_id": size - 1, "decoder_start_token_id": size - 1}
        shape = {"d_model": 32, "ffn_dim": 64, "encoder_layers": 2, "decoder_layers": 2, "units": 32, "motor_units": 9}
        model = LiquidStudent(LiquidConfig(**shape, **ids, cell=cell, directions=["en-zh"]))
        with torch.no_grad():
            model.bias.normal_()  # so that it does not say the same piece for ever
            for layer in model.layers:
                layer.output.weight.mul_(10.0)
        model.save_pretrained(made[cell])
    return made


@pytest.mark.parametrize("apart", [False, True], ids=["whole", "projection apart"])
@pytest.mark.parametrize("cell", CELLS)
def test_logits_along_a_target_are_those_of_the_trained_model(cell, apart, folders, tmp_path):
    export_onnx(folders[cell], tmp_path / "bundle", source_length=32, target_length=40, projection_apart=apart)
    exported, trained = BundleTranslator(tmp_path / "bundle"), HFTranslator(folders[cell])
    draw = torch.Generator().manual_seed(0)
    for text in SOURCES:
        source = exported.pieces.ids(exported.pieces.source_pieces([text])[0])
        target = torch.randint(2, trained.model.config.pad_token_id, (40,), generator=draw).tolist()
        inputs = torch.tensor([[trained.model.config.pad_token_id, *target[:-1]]])
        with torch.inference_mode():
            expected = trained.model(input_ids=torch.tensor([source]), decoder_input_ids=inputs).logits[0]
        found = forced_logits(exported.model, source, target)
        assert np.abs(found - expected.numpy()).max() <= 1e-4


@pytest.mark.parametrize("cell", ["cfc", "ltc"])
def test_both_searches_give_what_the_trained_model_gives(cell, folders, tmp_path):
    _, parity, beam = export_onnx(
        folders[cell], tmp_path / "bundle", source_length=32, target_length=24, pairs=[(text, "") for text in SOURCES]
    )
    assert parity["rate"] == beam["rate"] == 1.0
    exported = BundleTranslator(tmp_path / "bundle", beam_size=3)
    trained = HFTranslator(folders[cell], beam_size=3, max_decoding_length=24)
    sources = exported.pieces.source_pieces(SOURCES)
    assert exported.decode_pieces(sources) == trained.decode_pieces(sources)


def test_int8_weights_are_a_third_of_the_size_and_run_without_torch(folders, tmp_path):
    for dtype in ("fp32", "int8"):
        export_onnx(folders["cfc"], tmp_path / dtype, dtype, source_length=32, target_length=24)
    sizes = [sum(path.stat().st_size for path in (tmp_path / dtype).glob("*.onnx")) for dtype in ("fp32", "int8")]
    assert sizes[1] < 0.6 * sizes[0]  # of so small a model the graph itself is much
    code = (
        "import sys; from marian_distill.runtime.bundle_translator import BundleTranslator as B; "
        f"B({str(tmp_path / 'int8')!r}).translate({SOURCES}); print({{'torch', 'ncps'}}.intersection(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    logits = {}
    for dtype in ("fp32", "int8"):
        model = BundleTranslator(tmp_path / dtype).model
        logits[dtype] = forced_logits(model, [5, 9, 0], [4, 7, 6, 5, 0])
    assert 0 < np.abs(logits["int8"] - logits["fp32"]).mean() < 0.1


def test_a_hypothesis_keeps_its_own_state(folders, tmp_path):
    export_onnx(folders["cfc"], tmp_path / "bundle", source_length=32, target_length=24)
    model = BundleTranslator(tmp_path / "bundle").model
    for score, target in beam_search(model, [5, 9, 0], 8, 3):
        logits = forced_logits(model, [5, 9, 0], target)
        chosen = torch.tensor(logits).log_softmax(dim=-1)[range(len(target)), target]
        assert score == pytest.approx(chosen.mean().item(), abs=1e-4)


def test_there_is_no_ctranslate2_export(folders, tmp_path):
    with pytest.raises(UserError, match="a liquid student has no ct2 export; it has onnx, rknn"):
        export_model(folders["cfc"], tmp_path / "out", "int8", ())
