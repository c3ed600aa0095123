"""The liquid student: packed training states against decoding step by step, types, generation, saving."""

import pytest
import torch

from marian_distill.students.liquid.configuration import CELLS, LiquidConfig
from marian_distill.students.liquid.modeling import LiquidModel
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.students.packing import Packing, PairCollator

PAD = 60
RAGGED = [(5, 7), (9, 3), (9, 12), (2, 1)]  # source and target tokens of each example
EVEN = [(6, 4), (6, 4), (6, 4)]


def new_model(**changes) -> LiquidStudent:
    fields = {"d_model": 32, "ffn_dim": 64, "encoder_layers": 2, "decoder_layers": 2, "units": 32, "motor_units": 9}
    ids = {"vocab_size": PAD + 1, "pad_token_id": PAD, "decoder_start_token_id": PAD}
    torch.manual_seed(0)
    model = LiquidStudent(LiquidConfig(**{**fields, **ids, **changes})).eval()
    with torch.no_grad():
        for layer in model.layers:  # as training leaves them, not as a new layer's small output
            layer.output.weight.mul_(10.0)
    return model


def batch_of(lengths):
    draw = torch.Generator().manual_seed(0)

    def ids(count):
        return torch.randint(1, PAD, (count,), generator=draw).tolist()

    return PairCollator(PAD)([{"input_ids": ids(source), "labels": ids(target)} for source, target in lengths])


def stepwise(model, batch):
    logits = model(**{name: batch[name] for name in ("input_ids", "attention_mask", "decoder_input_ids")}).logits
    return logits.flatten(0, 1)[batch["scored"]]


def packed(model, batch):
    projection = model.project(batch)
    return projection.states.float() @ projection.weight.T + projection.bias


@pytest.mark.parametrize("lengths", [RAGGED, EVEN], ids=["ragged", "even"])
def test_the_layers_are_those_of_shallower_models(lengths):
    model, batch = new_model(), batch_of(lengths)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        projection, layers = model.project_with_layers(batch)
        assert torch.equal(projection.states, model.project(batch).states)
        encoded = model.encoder(batch["input_ids"], batch["attention_mask"]).last_hidden_state
        memory = encoded.flatten(0, 1)[batch["source_places"]]
        torch.testing.assert_close(layers.hidden["encoder"][-1], memory, rtol=0, atol=1e-5)
        assert torch.equal(layers.hidden["decoder"][-1], projection.states)
        model.layers = model.layers[:1]
        assert torch.equal(layers.hidden["decoder"][0], model.project(batch).states)
        model.encoder.layers = model.encoder.layers[:1]
        shallow = model.project_with_layers(batch)[1]
        assert torch.equal(layers.hidden["encoder"][0], shallow.hidden["encoder"][-1])
    assert {name: len(each) for name, each in layers.attention.items()} == {"encoder": 2, "decoder to encoder": 2}


def test_the_distributions_are_what_attention_reads_by():
    model, batch = new_model(), batch_of(RAGGED)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        layers = model.project_with_layers(batch)[1]
        attention, memory = model.encoder.layers[1].attention, layers.hidden["encoder"][0]
        source = Packing.of(batch["attention_mask"], batch["source_places"])
        read, distribution = attention(memory, source, memory, source)
        _, values = attention.remember(source.pad(memory))
        by_token = values[source.mask.nonzero()[:, 0]].unflatten(-1, (attention.heads, -1))  # [tokens, keys, heads, …]
        by_hand = torch.einsum("thk,tkhe->the", distribution, by_token).flatten(1)
        torch.testing.assert_close(attention.output(by_hand), read, rtol=0, atol=1e-5)
    assert torch.equal(layers.attention["encoder"][1], distribution)
    for name, places in (("encoder", "source_places"), ("decoder to encoder", "scored")):
        for found in layers.attention[name]:
            assert found.shape == (len(batch[places]), attention.heads, 9)
            torch.testing.assert_close(found.sum(dim=-1), torch.ones(found.shape[:2]))
    model.set_attn_implementation("sdpa")
    assert not model.project_with_layers(batch)[1].attention


def gradients(model, logits):
    model.zero_grad()
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(9))
    (logits * weights).sum().backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("lengths", [RAGGED, EVEN], ids=["ragged", "even"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("cell", CELLS)
def test_training_sees_what_decoding_computes(cell, attention, lengths):
    model, batch = new_model(cell=cell), batch_of(lengths)
    model.set_attn_implementation(attention)
    expected, found = stepwise(model, batch), packed(model, batch)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    expected, found = gradients(model, expected), gradients(model, found)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=2e-4, msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_bf16_stays_close_with_fp32_gradients(cell):
    model, batch = new_model(cell=cell).train(), batch_of(RAGGED)
    exact = packed(model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        states = model.project(batch).states
        assert states.dtype == torch.bfloat16
        rounded = packed(model, batch)
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.1)
    for name, gradient in gradients(model, rounded).items():
        assert gradient.dtype == torch.float32, name
        assert gradient.isfinite().all(), name


@pytest.mark.parametrize("cell", CELLS)
def test_a_model_in_bf16_decodes(cell):
    model, batch = new_model(cell=cell), batch_of(RAGGED)
    exact = stepwise(model, batch)
    rounded = stepwise(model.to(torch.bfloat16), batch)
    torch.testing.assert_close(rounded.float(), exact, rtol=0, atol=0.15)


@pytest.mark.parametrize("cell", ["cfc", "gru"])
def test_greedy_output_is_the_likeliest_token_of_all_before_it(cell):
    model, batch = new_model(cell=cell), batch_of(RAGGED)
    sources = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
    output = model.generate(**sources, max_new_tokens=20, do_sample=False, eos_token_id=None)
    assert output.shape == (4, 21)
    logits = model(**sources, decoder_input_ids=output[:, :-1]).logits
    assert torch.equal(logits.argmax(dim=-1), output[:, 1:])


def test_a_beam_goes_on_from_the_hypotheses_that_it_chose():
    model, batch = new_model(), batch_of(EVEN)
    with torch.no_grad():
        model.embeddings.weight.mul_(0.3)  # flatter distributions, so that hypotheses overtake each other
    options = {"num_beams": 4, "num_return_sequences": 4, "max_new_tokens": 8, "min_new_tokens": 8, "do_sample": False}
    found = model.generate(
        input_ids=batch["input_ids"], **options, output_scores=True, return_dict_in_generate=True, early_stopping=True
    )
    chosen = found.beam_indices[:, :8] % 4
    assert (chosen[:, 1:] != chosen[:, :-1]).any()
    sources = batch["input_ids"].repeat_interleave(4, dim=0)
    logits = model(input_ids=sources, decoder_input_ids=found.sequences[:, :-1]).logits
    found_scores = logits.log_softmax(dim=-1).gather(2, found.sequences[:, 1:, None]).mean(dim=(1, 2))
    torch.testing.assert_close(found_scores, found.sequences_scores, rtol=0, atol=1e-5)


def test_what_is_kept_does_not_grow_with_the_target():
    model, batch = new_model(), batch_of(EVEN)
    sizes = []
    for length in (1, 100):
        target = torch.randint(1, PAD, (3, length))
        cache = model(input_ids=batch["input_ids"], decoder_input_ids=target).past_key_values
        assert cache.get_seq_length() == length
        sizes.append([part.shape for past in cache.pasts for part in past])
    assert sizes[0] == sizes[1]


def test_a_translation_does_not_hang_on_its_neighbours():
    model, batch = new_model(), batch_of(RAGGED)
    together = stepwise(model, batch).split([target for _, target in RAGGED])
    for number, (source, target) in enumerate(RAGGED):
        alone = model(
            input_ids=batch["input_ids"][number : number + 1, :source],
            decoder_input_ids=batch["decoder_input_ids"][number : number + 1, :target],
        ).logits[0]
        torch.testing.assert_close(together[number], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_saved_and_loaded_it_is_the_same(cell, tmp_path):
    model, batch = new_model(cell=cell), batch_of(RAGGED)
    model.save_pretrained(tmp_path)
    loaded = LiquidModel.from_pretrained(tmp_path).eval()
    assert loaded.config.architectures == ["LiquidModel"]
    assert torch.equal(loaded.state_dict()["embeddings.weight"], model.embeddings.weight)
    assert torch.equal(loaded.positions.table, model.positions.table)
    torch.testing.assert_close(stepwise(loaded, batch), stepwise(model, batch))


def test_dropout_changes_training_alone():
    model, batch = new_model(dropout=0.3), batch_of(RAGGED)
    assert torch.equal(packed(model, batch), packed(model, batch))
    model.train()
    assert not torch.equal(packed(model, batch), packed(model, batch))
