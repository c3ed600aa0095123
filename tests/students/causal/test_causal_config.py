"""Configs of the language model: presets that fit, and those that are refused with one line."""

from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.students.causal.config import read_config
from marian_distill.students.causal.model import new_model
from marian_distill.students.kind import parameter_count, read_student_config
from marian_distill.students.loading import load_student
from marian_distill.students.rows import fit_tokenizer
from toy_language_model import SIZES, new_toy_model, write_toy_config
from toy_model import write_tokenizer

PRESETS = Path(__file__).parents[3] / "student_configs"


def test_presets():
    large, tiny = (read_student_config(PRESETS / f"{name}.json")[1] for name in ("mini_qwen", "mini_qwen_tiny"))
    assert (large.num_hidden_layers, large.hidden_size, large.num_attention_heads) == (6, 768, 12)
    assert (large.num_key_value_heads, large.max_position_embeddings) == (4, 1024)
    assert 2 * parameter_count(large) <= 200e6  # bytes in fp16
    assert (tiny.hidden_size, tiny.vocab_size) == (384, 8000)
    assert 11e6 < parameter_count(tiny) < 13e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "gpt2"}, "model_type 'gpt2'; the kinds of students are marian"),
        ({"num_key_value_heads": 3}, "num_key_value_heads 3 does not divide num_attention_heads 4"),
        ({"head_dim": 7}, "even rotary dimension"),
        ({"num_hidden_layers": 0}, "num_hidden_layers 0: expected 1 or more"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"max_position_embeddings": 4}, "max_position_embeddings 4 is below 16"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu': expected 'silu'"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "rope_type 'linear'"),
        ({"use_sliding_window": True}, "use_sliding_window True: expected False"),
    ],
)
def test_a_config_that_does_not_fit(changes, message, tmp_path):
    with pytest.raises(UserError, match=r"student\.json") as caught:
        read_student_config(write_toy_config(tmp_path / "student.json", **changes))
    assert message in str(caught.value)


def test_a_vocabulary_that_is_too_small(toy_tokenizer):
    config = read_config({**SIZES, "vocab_size": 300}, "small.json")
    with pytest.raises(UserError, match=r"small\.json: vocab_size 300, but the tokenizer .* give --vocab-size 320"):
        fit_tokenizer(config, toy_tokenizer, "small.json")
    config.vocab_size = 400  # as Qwen's own models have more rows than tokens
    fit_tokenizer(config, toy_tokenizer, "small.json")
    assert config.eos_token_id == toy_tokenizer.end_id


def test_saved_as_the_class_that_everyone_has(tmp_path, toy_tokenizer):
    from transformers import AutoModelForCausalLM

    model = new_toy_model(toy_tokenizer)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded).__name__ == "Qwen3ForCausalLM"
    assert loaded.config.architectures == ["Qwen3ForCausalLM"]


def test_weights_that_are_not_finite_are_refused(tmp_path, toy_tokenizer):
    model = new_model(new_toy_model(toy_tokenizer).config)
    model.model.norm.weight.data[0] = float("nan")
    model.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"the weights of model\.norm\.weight are not finite"):
        load_student(tmp_path)


def test_a_folder_of_another_kind(tmp_path):
    write_tokenizer(tmp_path)
    with pytest.raises(UserError, match=r"config\.json: no such file"):
        load_student(tmp_path)
