"""The packed forward pass is held to `MarianMTModel`'s own, outputs and gradients."""

import pytest
import torch
from torch import Tensor

from marian_distill.students.marian.forward import decoder_states, dropout
from marian_distill.students.marian.model import MarianStudent
from marian_distill.students.packing import PairCollator
from marian_distill.students.projection import IGNORED_LABEL

RAGGED = [(5, 7), (9, 3), (9, 7), (2, 1)]  # source and target tokens of each example
EVEN = [(6, 4), (6, 4), (6, 4)]
LAYERS = {"encoder_layers": 2, "decoder_layers": 2}


def batch_of(lengths: list[tuple[int, int]], pad_id: int, seed: int = 0) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)

    def ids(count: int) -> list[int]:
        return torch.randint(1, pad_id, (count,), generator=draw).tolist()

    return PairCollator(pad_id)([{"input_ids": ids(source), "labels": ids(target)} for source, target in lengths])


def packed(model: MarianStudent, batch: dict[str, Tensor]) -> Tensor:
    return decoder_states(model, batch)


def plain(model: MarianStudent, batch: dict[str, Tensor]) -> Tensor:
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "decoder_input_ids")}
    states = model.model(**inputs, use_cache=False).last_hidden_state
    return states[batch["labels"] != IGNORED_LABEL]


def gradients(model: MarianStudent, states: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    weights = torch.randn(states.shape, generator=torch.Generator().manual_seed(9))
    (states.float() * weights).sum().backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("lengths", [RAGGED, EVEN], ids=["ragged", "even"])
@pytest.mark.parametrize("scale_embedding", [True, False])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_states_and_gradients_are_those_of_transformers(lengths, scale_embedding, attention, new_model):
    model = new_model(**LAYERS).eval()
    model.set_attn_implementation(attention)
    model.config.scale_embedding = scale_embedding
    model.model.encoder.embed_scale = model.model.decoder.embed_scale = 4.0 if scale_embedding else 1.0
    batch = batch_of(lengths, model.config.pad_token_id)
    expected, found = plain(model, batch), packed(model, batch)
    torch.testing.assert_close(found, expected)
    expected, found = gradients(model, expected), gradients(model, found)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_bfloat16_stays_close_with_fp32_gradients(new_model):
    model = new_model(**LAYERS).eval()
    batch = batch_of(RAGGED, model.config.pad_token_id)
    exact = plain(model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        found = packed(model, batch)
    assert found.dtype == torch.bfloat16
    assert 0 < (found - exact).norm() / exact.norm() < 0.01
    assert all(gradient.dtype == torch.float32 for gradient in gradients(model, found).values())


def test_padding_reaches_nothing(new_model):
    model = new_model(**LAYERS).eval()
    batch = batch_of(RAGGED, model.config.pad_token_id)
    changed = {name: tensor.clone() for name, tensor in batch.items()}
    changed["input_ids"][batch["attention_mask"] == 0] = 3
    changed["decoder_input_ids"][batch["labels"] == IGNORED_LABEL] = 3
    assert torch.equal(packed(model, changed), packed(model, batch))


def test_a_target_token_sees_only_those_before_it(new_model):
    model = new_model(**LAYERS).eval()
    batch = batch_of(EVEN, model.config.pad_token_id)
    changed = {**batch, "decoder_input_ids": batch["decoder_input_ids"].clone()}
    changed["decoder_input_ids"][:, 2:] = 3
    before, after = (packed(model, one).view(3, 4, -1) for one in (batch, changed))
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.equal(before[:, 2:], after[:, 2:])


def test_checkpointed_activations_give_the_same_gradients(new_model):
    model = new_model(**LAYERS, dropout=0.1).train()
    batch = batch_of(RAGGED, model.config.pad_token_id)
    torch.manual_seed(3)
    expected = gradients(model, packed(model, batch))
    model.activation_checkpointing_enable()
    torch.manual_seed(3)
    found = gradients(model, packed(model, batch))
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, msg=name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("probability", [0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(dtype, probability):
    torch.manual_seed(0)
    states = torch.full((500, 801), 3.0, dtype=dtype, requires_grad=True)
    dropped = dropout(states, probability, training=True)
    assert (dropped == 0).double().mean().item() == pytest.approx(probability, abs=0.003)
    assert dropped.double().mean().item() == pytest.approx(3.0, abs=0.02)
    assert dropped.max().item() == pytest.approx(3.0 / (1 - probability), rel=0.01)
    # Neighbours share a draw of the generator, yet are independent.
    kept = (dropped.detach() != 0).double()
    assert (kept[:, 1:] * kept[:, :-1]).mean().item() == pytest.approx((1 - probability) ** 2, abs=0.005)
    dropped.sum().backward()
    assert torch.equal(states.grad * 3.0 == 0, dropped == 0)


def test_dropout_is_off_outside_training_and_follows_the_seed():
    states = torch.ones(7, 9)
    assert dropout(states, 0.5, training=False) is states
    torch.manual_seed(1)
    first = dropout(states, 0.5, training=True)
    assert not torch.equal(first, dropout(states, 0.5, training=True))
    torch.manual_seed(1)
    assert torch.equal(first, dropout(states, 0.5, training=True))


def test_positions_of_a_loaded_model_are_not_learnt(new_model, tmp_path):
    new_model(**LAYERS).save_pretrained(tmp_path)
    model = MarianStudent.from_pretrained(tmp_path)
    found = gradients(model, packed(model, batch_of(RAGGED, model.config.pad_token_id)))
    assert not [name for name in found if "embed_positions" in name]
