import json
import shutil

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import MarianMTModel

from marian_distill.errors import UserError
from marian_distill.evaluation.hf_translator import HFTranslator
from marian_distill.export.onnx import export_onnx
from marian_distill.files import MARKER
from marian_distill.runtime.bundle import read_bundle
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.static import forced_logits
from marian_distill.students.loading import load_student
from toy_model import PAIRS, write_model

ENGLISH = [english for english, _ in PAIRS]
SAMPLE = PAIRS[::9]


def free_model(directory, **changes):
    """A random model that says different things on different sources, with a bias on the logits."""
    write_model(directory, init_std=0.25, **changes)
    model = MarianMTModel.from_pretrained(directory)
    torch.manual_seed(1)
    model.final_logits_bias.normal_()
    with torch.no_grad():
        model.get_encoder().embed_tokens.weight[-1] = 0.0
        model.get_decoder().embed_tokens.weight[-1] = 0.0
    model.save_pretrained(directory)
    return directory


DEEP = {"encoder_layers": 2, "decoder_layers": 3, "decoder_attention_heads": 4, "encoder_ffn_dim": 64}
UNSCALED = {"scale_embedding": False, "activation_function": "relu", "d_model": 32}
UNTIED = {"share_encoder_decoder_embeddings": False, "tie_word_embeddings": False, "decoder_layers": 2}


@pytest.fixture(scope="module", params=[DEEP, UNSCALED, UNTIED], ids=["deep", "unscaled", "untied"])
def free_model_dir(request, tmp_path_factory):
    return free_model(tmp_path_factory.mktemp("free") / "model", **request.param)


@pytest.mark.parametrize("cached", [False, True], ids=["stateless", "cached"])
@pytest.mark.parametrize("apart", [False, True], ids=["whole", "apart"])
def test_logits_and_decoding_are_pytorch_s(free_model_dir, cached, apart, tmp_path):
    lengths = {"source_length": 20, "target_length": 24}
    export_onnx(free_model_dir, tmp_path / "out", **lengths, cached=cached, projection_apart=apart, pairs=SAMPLE)
    translator = BundleTranslator(tmp_path / "out")
    sources = translator.pieces.source_pieces(ENGLISH[:6], translator.source_tags[translator.direction])
    trained = HFTranslator(free_model_dir, max_decoding_length=24)
    assert translator.decode_pieces(sources) == trained.decode_pieces(sources)
    assert {len(target) for target in translator.decode_pieces(sources)} != {1}  # it does say something

    ids, target = translator.pieces.ids(sources[0]), [7, 300, 12, 9]
    model = load_student(free_model_dir)
    with torch.inference_mode():
        decoder_ids = torch.tensor([[model.config.decoder_start_token_id, *target[:-1]]])
        expected = model(input_ids=torch.tensor([ids]), decoder_input_ids=decoder_ids).logits[0].numpy()
    np.testing.assert_allclose(forced_logits(translator.model, ids, target), expected, atol=2e-4)


@pytest.fixture(scope="module", params=[False, True], ids=["stateless", "cached"])
def trained_bundle_dir(request, toy_model_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("trained") / "out"
    export_onnx(toy_model_dir, directory, source_length=24, target_length=20, cached=request.param, pairs=SAMPLE)
    return directory


@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_a_trained_model_decodes_token_for_token(toy_model_dir, trained_bundle_dir, beam_size):
    translator = BundleTranslator(trained_bundle_dir, beam_size=beam_size)
    trained = HFTranslator(toy_model_dir, beam_size=beam_size, max_decoding_length=20)
    sources = translator.pieces.source_pieces(
        [*ENGLISH[::4], "milk milk milk", "Where?"], translator.source_tags[translator.direction]
    )
    assert translator.decode_pieces(sources) == trained.decode_pieces(sources)


def test_beam_search_of_a_model_that_wanders_is_pytorch_s(tmp_path):
    model_dir = free_model(tmp_path / "model", **DEEP)
    export_onnx(model_dir, tmp_path / "out", source_length=24, target_length=12, cached=True, pairs=SAMPLE[:2])
    translator = BundleTranslator(tmp_path / "out", beam_size=3)
    sources = translator.pieces.source_pieces(ENGLISH[::12], translator.source_tags[translator.direction])
    trained = HFTranslator(model_dir, beam_size=3, max_decoding_length=12)
    assert translator.decode_pieces(sources) == trained.decode_pieces(sources)


def test_int8_is_for_weights_alone_and_a_quarter_of_the_size(toy_model_dir, toy_bundle_dir, tmp_path):
    _, report, beam = export_onnx(
        toy_model_dir, tmp_path / "out", "int8", source_length=32, target_length=32, pairs=PAIRS, min_parity=0.98
    )
    assert report["sentences"] == beam["sentences"] == len(PAIRS)
    assert beam["rate"] >= 0.95
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert f"{beam['equal']} with a beam of 4" in card
    small, large = ((folder / "decoder.onnx").stat().st_size for folder in (tmp_path / "out", toy_bundle_dir))
    assert small < 0.6 * large  # most of a graph this small is not weights
    session = onnxruntime.InferenceSession(tmp_path / "out" / "encoder.onnx", providers=["CPUExecutionProvider"])
    assert {tensor.type for tensor in [*session.get_inputs(), *session.get_outputs()]} == {"tensor(float)"}


def test_bundle_json_says_what_the_graphs_take(toy_bundle_dir):
    config = read_bundle(toy_bundle_dir)
    assert (config["engine"], config["target"], config["dtype"]) == ("onnx", "cpu", "fp32")
    assert (config["source_length"], config["target_length"], config["mask"]) == (32, 32, -100.0)
    assert config["source_tags"] == {"en-zh": ">>cmn_Hans<<"}
    assert set(config["files"]) == {path.name for path in toy_bundle_dir.iterdir()} - {
        "bundle.json",
        "README.md",
        MARKER,
    }
    for graph in config["graphs"].values():
        session = onnxruntime.InferenceSession(toy_bundle_dir / graph["file"], providers=["CPUExecutionProvider"])
        for listed, found in ((graph["inputs"], session.get_inputs()), (graph["outputs"], session.get_outputs())):
            assert [(tensor["name"], tensor["shape"]) for tensor in listed] == [(one.name, one.shape) for one in found]
            assert all(len(tensor["shape"]) <= 3 for tensor in listed)


def test_embedding_tables_stand_apart_when_the_model_s_do(tmp_path):
    export_onnx(free_model(tmp_path / "model", **UNTIED), tmp_path / "out", pairs=SAMPLE[:1])
    tables = read_bundle(tmp_path / "out")["tables"]
    assert tables["source_embeddings"]["file"] != tables["target_embeddings"]["file"]


def test_what_cannot_be_exported_is_told_in_one_line(toy_model_dir, toy_bundle_dir, tmp_path):
    with pytest.raises(UserError, match="absent: no such folder"):
        export_onnx(tmp_path / "absent", tmp_path / "out")
    with pytest.raises(UserError, match=r"target length 513: .* has positions for 512 tokens"):
        export_onnx(toy_model_dir, tmp_path / "out", target_length=513)
    with pytest.raises(UserError, match="Add --overwrite"):
        export_onnx(toy_model_dir, toy_bundle_dir)
    model_dir = shutil.copytree(toy_model_dir, tmp_path / "model")
    vocabulary = json.loads((model_dir / "vocab.json").read_text())
    (model_dir / "vocab.json").write_text(json.dumps({**vocabulary, "one more": len(vocabulary)}))
    with pytest.raises(UserError, match=r"vocab\.json has"):
        export_onnx(model_dir, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_too_little_parity_leaves_nothing_behind(tmp_path):
    model_dir = free_model(tmp_path / "model")
    with pytest.raises(UserError, match="fewer than the 100% asked for; nothing was written"):
        export_onnx(model_dir, tmp_path / "out", "int8", pairs=PAIRS, min_parity=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
