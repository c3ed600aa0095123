from collections import Counter

import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.training.teacher_init import init_from_teacher, parse_layer_map, spread_layers


@pytest.fixture
def teacher(new_model):
    teacher = new_model(seed=1, encoder_layers=6, decoder_layers=6, vocab_size=60)
    with torch.no_grad():
        for parameter in teacher.parameters():
            parameter.normal_()  # norms and biases too, so that each layer is told apart
    return teacher


def layer_of(model, side: str, index: int) -> dict[str, torch.Tensor]:
    return getattr(model.model, side).layers[index].state_dict()


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_six_layers_to_two_across_vocabularies(teacher, new_model):
    student = new_model(encoder_layers=6, decoder_layers=2, vocab_size=40)
    embeddings = student.get_input_embeddings().weight.clone()
    report = init_from_teacher(student, teacher, same_vocabulary=False, decoder_layer_map=[0, 5])
    assert report.as_dict()["counts"] == {"copied": 98, "mapped": 52, "skipped": 5}
    assert report.summary() == "98 tensors copied, 52 mapped, 5 skipped"
    assert set(report.skipped) == {
        "final_logits_bias",
        "model.shared.weight",
        "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight",
        "lm_head.weight",
    }
    assert set(report.skipped.values()) == {"vocabulary differs"}
    assert Counter(name.split(".")[3] for name in report.mapped) == {"0": 26, "1": 26}
    assert all(name.startswith("model.decoder.layers.") for name in report.mapped)
    assert sum(name.startswith("model.encoder.layers.") for name in report.copied) == 6 * 16
    assert {*report.copied, *report.mapped, *report.skipped} == set(student.state_dict())

    for layer in range(6):
        assert same(layer_of(student, "encoder", layer), layer_of(teacher, "encoder", layer))
    assert same(layer_of(student, "decoder", 0), layer_of(teacher, "decoder", 0))
    assert same(layer_of(student, "decoder", 1), layer_of(teacher, "decoder", 5))
    assert torch.equal(student.get_input_embeddings().weight, embeddings)


def test_the_same_vocabulary_copies_embeddings_too(teacher, new_model):
    student = new_model(encoder_layers=2, decoder_layers=1, vocab_size=60)
    teacher.final_logits_bias.normal_()
    report = init_from_teacher(student, teacher, same_vocabulary=True, encoder_layer_map=[2, 4])
    assert not report.skipped
    assert torch.equal(student.get_input_embeddings().weight, teacher.get_input_embeddings().weight)
    assert torch.equal(student.final_logits_bias, teacher.final_logits_bias)
    assert same(layer_of(student, "encoder", 0), layer_of(teacher, "encoder", 2))
    assert same(layer_of(student, "encoder", 1), layer_of(teacher, "encoder", 4))
    assert same(layer_of(student, "decoder", 0), layer_of(teacher, "decoder", 5))  # one layer: the last


def test_a_whole_copy_says_what_the_teacher_says(teacher, new_model):
    student = new_model(seed=9, encoder_layers=6, decoder_layers=6, vocab_size=60)
    report = init_from_teacher(student, teacher, same_vocabulary=True)
    assert (len(report.mapped), len(report.skipped)) == (0, 0)
    inputs = {"input_ids": torch.tensor([[5, 6, 0]]), "decoder_input_ids": torch.tensor([[59, 7]])}
    with torch.no_grad():
        torch.testing.assert_close(student.eval()(**inputs).logits, teacher.eval()(**inputs).logits)


def test_another_width_keeps_what_has_the_same_shape_and_names_the_rest(teacher, new_model):
    student = new_model(d_model=24, encoder_layers=6, decoder_layers=6, vocab_size=60)
    report = init_from_teacher(student, teacher, same_vocabulary=True)
    assert report.skipped["model.encoder.layers.0.fc1.weight"] == "shape [32, 16] → [32, 24]"
    assert "model.encoder.layers.0.fc1.bias" in report.copied


@pytest.mark.parametrize(("student", "expected"), [(1, [5]), (2, [0, 5]), (3, [0, 2, 5]), (6, [0, 1, 2, 3, 4, 5])])
def test_layers_are_spread_over_the_teacher(student, expected):
    assert spread_layers(student, 6) == expected


def test_a_layer_map_is_a_list_of_teacher_layers():
    assert parse_layer_map("0, 5", 2, 6, "decoder") == [0, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,x", "decoder layer map '0,x': expected teacher layers such as 0,5"),
        ("", "expected teacher layers"),
        ("0", "1 layers given, but the student's decoder has 2"),
        ("0,1,2", "3 layers given"),
        ("0,6", r"layer 6 is not one of the teacher's 0\.\.5"),
        ("-1,0", "layer -1"),
    ],
)
def test_a_bad_layer_map_is_told(text, message):
    with pytest.raises(UserError, match=message):
        parse_layer_map(text, 2, 6, "decoder")
