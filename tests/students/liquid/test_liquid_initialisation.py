"""A liquid student that starts from another liquid model, or from a Marian one."""

from types import SimpleNamespace

import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.students.kind import InitPlan
from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.initialisation import initialise
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.students.marian.config import student_config
from marian_distill.students.marian.model import MarianStudent, new_student

SIZES = {"vocab_size": 61, "pad_token_id": 60, "decoder_start_token_id": 60, "d_model": 32, "ffn_dim": 64}


def model(**changes) -> LiquidStudent:
    fields = {"encoder_layers": 2, "decoder_layers": 1, "units": 32, "motor_units": 9}
    return LiquidStudent(LiquidConfig(**{**SIZES, **fields, **changes}))


def plan(same: bool = True, **options) -> InitPlan:
    vocabularies = [{"a": 0}, {"a": 0 if same else 1}]
    return InitPlan(*(SimpleNamespace(vocabulary=each) for each in vocabularies), **options)  # type: ignore[arg-type]


def test_equal_models_share_everything():
    student, teacher = model(), model()
    report = initialise(student, teacher, plan())
    assert not report.skipped
    for name, tensor in teacher.state_dict().items():
        assert torch.equal(student.state_dict()[name], tensor), name


def test_layers_come_from_the_map_and_embeddings_stay_where_the_vocabulary_differs():
    student, teacher = model(), model(encoder_layers=4, decoder_layers=3)
    before = student.embeddings.weight.clone()
    report = initialise(student, teacher, plan(same=False, encoder_layer_map="0,3", decoder_layer_map="last"))
    assert torch.equal(
        student.encoder.layers[1].attention.queries.weight, teacher.encoder.layers[3].attention.queries.weight
    )
    assert torch.equal(student.layers[0].output.weight, teacher.layers[2].output.weight)
    assert torch.equal(student.embeddings.weight, before)
    assert report.skipped["embeddings.weight"] == "vocabulary differs"


def test_another_wiring_keeps_its_own_cell():
    student, teacher = model(wiring_seed=1), model()
    before = student.layers[0].cell.layers[0].input_weight.clone()
    report = initialise(student, teacher, plan())
    assert torch.equal(student.layers[0].cell.layers[0].input_weight, before)
    assert set(report.skipped.values()) == {"the wiring differs"}
    assert all("cell." in name for name in report.skipped)


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"cell": "gru"}, {}, "with cell 'cfc' cannot start from a teacher with cell 'gru'"),
        ({"d_model": 64}, {}, "with d_model 32 cannot start from a teacher with d_model 64"),
        ({}, {"shrink": True}, "--init-from-teacher-shrink: a liquid student"),
        ({}, {"transfer_pieces": True}, "--init-from-teacher-pieces: a liquid student"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_copied(changes, options, message):
    student, teacher = model(), model(**changes)
    before = student.state_dict()["layers.0.output.weight"].clone()
    with pytest.raises(UserError, match=message):
        initialise(student, teacher, plan(**options))
    assert torch.equal(student.state_dict()["layers.0.output.weight"], before)


def marian(**changes) -> MarianStudent:
    sizes = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 1, "attention_heads": 4, "ffn_dim": 64}
    config = student_config(**sizes, vocab_size=61)
    config.update(changes)
    teacher = new_student(config).eval()
    torch.nn.init.normal_(teacher.final_logits_bias)
    return teacher


def test_a_marian_teacher_without_self_attention_is_a_liquid_student_without_a_cell():
    teacher, student = marian(), model().eval()
    report = initialise(student, teacher, plan())
    assert {name.split(".")[2] for name in report.skipped} == {"convolution", "cell", "output"}
    assert len(report.copied) == len(student.state_dict()) - len(report.skipped)

    own, looks_back = student.layers[0].output, teacher.model.decoder.layers[0].self_attn.out_proj
    for layer in (own, looks_back):
        torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)
    source, target = torch.tensor([[5, 9, 12, 0], [7, 0, 60, 60]]), torch.tensor([[60, 4, 8], [60, 11, 3]])
    inputs = {"input_ids": source, "attention_mask": (source != 60).long(), "decoder_input_ids": target}
    with torch.no_grad():
        torch.testing.assert_close(student(**inputs).logits, teacher(**inputs).logits, atol=1e-5, rtol=1e-4)


def test_a_marian_teacher_gives_its_layers_by_the_map_and_no_vocabulary_of_another():
    teacher, student = marian(encoder_layers=4, decoder_layers=3), model()
    before = student.embeddings.weight.clone()
    report = initialise(student, teacher, plan(same=False, encoder_layer_map="0,3"))
    assert torch.equal(student.encoder.layers[1].feed_forward.inner.weight, teacher.model.encoder.layers[3].fc1.weight)
    assert torch.equal(student.layers[0].feed_forward.inner.weight, teacher.model.decoder.layers[2].fc1.weight)
    assert torch.equal(student.embeddings.weight, before)
    assert report.skipped["bias"] == "vocabulary differs"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder_attention_heads": 2}, "decoder_attention_heads 2"),
        ({"scale_embedding": False}, "scales its embeddings"),
        ({"activation_function": "relu"}, "activation_function 'relu'"),
    ],
)
def test_a_marian_teacher_that_computes_otherwise_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        initialise(model(), marian(**changes), plan())
