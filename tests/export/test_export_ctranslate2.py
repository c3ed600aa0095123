import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from marian_distill.errors import UserError
from marian_distill.export.ctranslate2 import MODEL_FILES, check_model, export_model
from marian_distill.export.parity import SENTENCES
from marian_distill.files import MARKER
from toy_model import PAIRS, write_model

OWN_SENTENCES = list(zip(SENTENCES["en"], SENTENCES["zh"], strict=True))


@pytest.fixture(scope="module")
def random_model_dir(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("models") / "random", init_std=0.2)


@pytest.fixture
def model_dir(random_model_dir, tmp_path):
    return shutil.copytree(random_model_dir, tmp_path / "model")


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_random_model_says_the_same_token_for_token_in_float32(random_model_dir, tmp_path):
    export = export_model(
        random_model_dir, tmp_path / "out", "float32", OWN_SENTENCES, ["en-zh", "zh-en"], min_parity=1.0
    )
    assert [(report["direction"], report["sentences"], report["rate"]) for report in export["parity"]] == [
        ("en-zh", 30, 1.0),
        ("zh-en", 30, 1.0),
    ]


def test_a_trained_model_says_the_same_in_int8(toy_model_dir, tmp_path):
    export = export_model(toy_model_dir, tmp_path / "out", "int8", PAIRS, min_parity=0.95)
    assert export["effective_compute_type"].startswith("int8")
    assert export["megabytes"] < sum(path.stat().st_size for path in toy_model_dir.iterdir()) / 1e6


def test_the_folder_is_what_the_phone_loads(toy_model_dir, toy_ct2_dir):
    assert {path.name for path in toy_ct2_dir.iterdir()} == {*MODEL_FILES, "export.json", "README.md", MARKER}
    config = json.loads((toy_ct2_dir / "config.json").read_text())
    assert config["add_source_eos"] is False
    assert config["directions"] == ["en-zh"]
    assert config["source_tags"] == {"en-zh": ">>cmn_Hans<<"}
    vocabulary = json.loads((toy_ct2_dir / "shared_vocabulary.json").read_text())
    assert vocabulary[:2] == ["</s>", "<unk>"]
    assert "<pad>" not in vocabulary
    assert (toy_ct2_dir / "source.spm").read_bytes() == (toy_model_dir / "source.spm").read_bytes()


def test_a_pad_row_that_is_not_zero_is_refused(model_dir):
    weights = load_file(model_dir / "model.safetensors")
    weights["model.shared.weight"][-1, 0] = 1e-6
    save_file(weights, model_dir / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="embedding of <pad> has norm 1e-06, expected exactly 0"):
        check_model(model_dir)


def test_a_pad_that_is_not_last_is_refused(model_dir):
    vocabulary = json.loads((model_dir / "vocab.json").read_text())
    last = max(vocabulary, key=vocabulary.get)
    other = next(piece for piece, index in vocabulary.items() if index == 5)
    assert last == "<pad>"
    change_json(model_dir / "vocab.json", **{last: 5, other: vocabulary[last]})
    with pytest.raises(UserError, match="<pad> has id 5, expected the last one"):
        check_model(model_dir)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 7}, "a vocabulary of 7, expected the"),
        ({"model_type": "bart"}, "model_type 'bart'"),
        ({"eos_token_id": 3}, "eos_token_id is 3, expected 0"),
        ({"decoder_start_token_id": 0}, "decoder_start_token_id is 0, expected"),
        ({"max_position_embeddings": 64}, "max_position_embeddings is 64, expected at least 96"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(model_dir, changes, message):
    change_json(model_dir / "config.json", **changes)
    with pytest.raises(UserError, match=message):
        check_model(model_dir)


def test_pickled_weights_are_refused(model_dir):
    torch.save(load_file(model_dir / "model.safetensors"), model_dir / "pytorch_model.bin")
    (model_dir / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"no model\.safetensors"):
        check_model(model_dir)


def test_weights_that_are_missing_are_refused_not_drawn_at_random(model_dir):
    weights = load_file(model_dir / "model.safetensors")
    del weights["model.encoder.layers.0.fc1.weight"]
    save_file(weights, model_dir / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        UserError, match=r"1 tensors are missing from the file, model\.encoder\.layers\.0\.fc1\.weight"
    ):
        check_model(model_dir)


def test_too_little_parity_leaves_nothing_behind(random_model_dir, tmp_path):
    with pytest.raises(UserError, match="fewer than the 100% asked for; nothing was written"):
        export_model(random_model_dir, tmp_path / "out", "int8", OWN_SENTENCES, min_parity=1.0)
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_is_only_replaced_when_asked(random_model_dir, tmp_path):
    sample = OWN_SENTENCES[:1]
    export_model(random_model_dir, tmp_path / "out", "float32", sample)
    with pytest.raises(UserError, match="Add --overwrite"):
        export_model(random_model_dir, tmp_path / "out", "int8", sample)
    export_model(random_model_dir, tmp_path / "out", "int8", sample, overwrite=True)

    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds notes\.txt, which was not written with it"):
        export_model(random_model_dir, tmp_path / "out", "int8", sample, overwrite=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_saved_in_half_precision_exports_as_well(model_dir, tmp_path, dtype):
    from transformers import MarianMTModel

    MarianMTModel.from_pretrained(model_dir).to(dtype).save_pretrained(model_dir)
    export = export_model(model_dir, tmp_path / "out", "float32", OWN_SENTENCES, min_parity=1.0)
    assert export["effective_compute_type"] == "float32"


def test_a_model_without_language_tags_gets_none(model_dir, tmp_path):
    path = model_dir / "vocab.json"
    path.write_text(path.read_text(encoding="utf-8").replace(">>cmn_Hans<<", "unused"), encoding="utf-8")
    export = export_model(model_dir, tmp_path / "out", "float32", OWN_SENTENCES, ["en-zh"], min_parity=1.0)
    assert export["parity"][0]["rate"] == 1.0
    assert json.loads((tmp_path / "out" / "config.json").read_text())["source_tags"] == {"en-zh": None}
