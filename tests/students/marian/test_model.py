import json
from pathlib import Path

import pytest
import torch
from transformers import MarianMTModel

from marian_distill.errors import UserError
from marian_distill.files import read_json
from marian_distill.students.kind import parameter_count, read_student_config
from marian_distill.students.marian.config import check_config, student_config
from marian_distill.students.marian.model import MarianStudent, new_student
from marian_distill.students.packing import PairCollator
from marian_distill.students.zero_pad import pad_row_norm

PRESETS = Path(__file__).parents[3] / "student_configs"


SIZES = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "attention_heads": 2,
    "ffn_dim": 32,
    "vocab_size": 50,
}


@pytest.mark.parametrize(("name", "parameters"), [("512d_6x2_32k", 44_231_168), ("320d_5x2_32k", 20_021_760)])
def test_presets_have_the_parameters_that_their_chain_had(name, parameters):
    _, config = read_student_config(PRESETS / f"{name}.json")
    assert parameter_count(config) == parameters


MARIAN_PRESETS = [path for path in sorted(PRESETS.glob("*.json")) if read_json(path)["model_type"] == "marian"]


@pytest.mark.parametrize("path", MARIAN_PRESETS, ids=lambda path: path.stem)
def test_every_preset_loads_and_is_sound(path):
    _, config = read_student_config(path)
    assert config.pad_token_id == config.decoder_start_token_id == config.vocab_size - 1
    assert (config.eos_token_id, config.forced_eos_token_id, config.bos_token_id) == (0, None, None)
    assert parameter_count(config) > 0


def test_parameters_by_hand():
    # Embeddings 50·16 (tied, once) and positions 2·512·16. An attention: 4 matrices 16·16 with bias. Feed-forward:
    # 16·32 and 32·16 with biases. A norm: 2·16. Encoder layer: 1 attention, 2 norms; decoder layer: 2 and 3.
    attention, feed_forward, norm = 4 * (16 * 16 + 16), 16 * 32 + 32 + 32 * 16 + 16, 2 * 16
    layers = (attention + feed_forward + 2 * norm) + (2 * attention + feed_forward + 3 * norm)
    assert parameter_count(student_config(**SIZES)) == 50 * 16 + 2 * 512 * 16 + layers


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder_attention_heads": 3}, "encoder_attention_heads 3 does not divide d_model 16"),
        ({"decoder_attention_heads": 5}, "decoder_attention_heads 5 does not divide d_model 16"),
        ({"decoder_attention_heads": 0}, "decoder_attention_heads 0"),
        ({"d_model": 15, "encoder_attention_heads": 3, "decoder_attention_heads": 3}, "d_model 15 is odd"),
        ({"encoder_layers": 0}, "encoder_layers 0: expected 1 or more"),
        ({"decoder_layerdrop": 0.1}, "layerdrop is not supported"),
        ({"decoder_ffn_dim": -64}, "decoder_ffn_dim -64: expected 1 or more"),
        ({"dropout": 3.0}, "dropout 3.0: expected a share"),
        ({"pad_token_id": 0}, "pad_token_id 0 is not the last of 50"),
        ({"activation_function": "nope"}, "activation_function 'nope': transformers has none such"),
        ({"max_position_embeddings": 256}, "max_position_embeddings 256 is below 512"),
    ],
)
def test_a_config_that_cannot_be_built_or_exported_names_its_values(changes, message):
    config = student_config(**SIZES)
    for name, value in changes.items():
        setattr(config, name, value)
    with pytest.raises(UserError, match=f"mine.json: {message}"):
        check_config(config, "mine.json")


@pytest.mark.parametrize("content", ["[]", '{"model_type": "bart"}', "{"])
def test_a_file_that_is_no_config_is_told(content, tmp_path):
    path = tmp_path / "student.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"student.json: (expected a JSON object|model_type|not)"):
        read_student_config(path)


def test_a_value_of_the_wrong_type_is_told(tmp_path):
    path = tmp_path / "student.json"
    path.write_text(json.dumps({**json.loads(student_config(**SIZES).to_json_string()), "d_model": "wide"}), "utf-8")
    with pytest.raises(UserError, match="d_model"):
        read_student_config(path)


def test_a_new_student_begins_with_scaled_weights_and_a_zero_pad_row():
    torch.manual_seed(0)
    student = new_student(student_config(**{**SIZES, "d_model": 64, "vocab_size": 500}))
    embeddings = student.get_input_embeddings().weight.detach()
    assert pad_row_norm(student) == 0.0
    assert float(embeddings[:-1].std()) == pytest.approx(64**-0.5, rel=0.05)
    bound = (6 / (64 + 32)) ** 0.5  # Glorot's uniform bound of a 64 × 32 matrix
    first = student.model.encoder.layers[0].fc1.weight
    assert 0.95 * bound < float(first.detach().abs().max()) <= bound
    assert student.lm_head.weight is student.get_input_embeddings().weight


def test_saved_as_a_plain_marian_model_with_the_same_logits(new_model, examples, pieces, tmp_path):
    student = new_model(seed=4).eval()
    student.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["architectures"] == ["MarianMTModel"]
    plain, info = MarianMTModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    again = MarianStudent.from_pretrained(tmp_path)
    batch = PairCollator(pieces.pad_id)(examples[::9])
    del batch["source_places"], batch["scored"]
    with torch.no_grad():
        expected = student(**batch).logits
        torch.testing.assert_close(plain.eval()(**batch).logits, expected)
        torch.testing.assert_close(again.eval()(**batch).logits, expected)


def test_a_new_layer_hands_on_nearly_what_it_was_given():
    torch.manual_seed(0)
    student = new_student(student_config(**{**SIZES, "d_model": 64, "encoder_layers": 6, "dropout": 0.0})).eval()
    states = torch.nn.functional.layer_norm(torch.randn(1, 9, 64), (64,))
    encoded = states
    with torch.no_grad():
        for layer in student.model.encoder.layers:
            encoded = layer(encoded, attention_mask=None)
    assert torch.nn.functional.cosine_similarity(encoded, states, dim=-1).min() > 0.9
