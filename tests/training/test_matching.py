import pytest
import torch
from safetensors.torch import load_file
from transformers import MarianMTModel

from marian_distill.errors import UserError
from marian_distill.students.packing import PairCollator
from marian_distill.training.matching import attention_divergence, layer_pairs

WIDER = {"seed": 1, "d_model": 24, "encoder_layers": 3, "decoder_layers": 2, "attention_heads": 4}
BOTH = {"hidden_matching": 1.0, "attention_matching": 0.5}


def matching_losses(trainer) -> list[float]:
    return [entry["matching"] for entry in trainer.state.log_history if "matching" in entry]


def test_the_layers_are_those_of_transformers(new_model, examples, pieces):
    student = new_model(**WIDER).eval()
    student.set_attn_implementation("eager")
    batch = PairCollator(pieces.pad_id)(examples[:7])
    with torch.no_grad():
        projection, layers = student.project_with_layers(batch)
        padded = {name: batch[name] for name in ("input_ids", "attention_mask", "decoder_input_ids")}
        options = {"output_hidden_states": True, "output_attentions": True}
        theirs = MarianMTModel.forward(student, **padded, **options)
    pairs = [
        ("source_places", layers.hidden["encoder"], theirs.encoder_hidden_states[1:]),
        ("scored", layers.hidden["decoder"], theirs.decoder_hidden_states[1:]),
        ("source_places", layers.attention["encoder"], theirs.encoder_attentions),
        ("scored", layers.attention["decoder"], theirs.decoder_attentions),
        ("scored", layers.attention["decoder to encoder"], theirs.cross_attentions),
    ]
    for places, ours, expected in pairs:
        assert len(ours) == len(expected)
        for mine, other in zip(ours, expected, strict=True):
            other = other.transpose(1, 2) if other.dim() == 4 else other
            torch.testing.assert_close(mine, other.flatten(0, 1)[batch[places]], rtol=1e-4, atol=1e-5)
    assert torch.equal(projection.states, layers.hidden["decoder"][-1])
    assert torch.equal(projection.states, student.project(batch).states)


@pytest.mark.parametrize(
    ("text", "layers", "pairs"),
    [
        (None, (2, 6), [(0, 2), (1, 5)]),
        (None, (3, 2), [(0, 0), (1, 1), (2, 1)]),
        ("0,5", (2, 6), [(0, 0), (1, 5)]),
        ("-,4", (2, 6), [(1, 4)]),
    ],
)
def test_layer_maps(text, layers, pairs):
    assert layer_pairs("encoder", text, *layers) == pairs


@pytest.mark.parametrize("text", ["0", "0,6", "0,x", "-,-", ""])
def test_a_layer_map_that_does_not_fit_says_what_would(text):
    with pytest.raises(UserError, match="expected 2 of the teacher's layers 0 to 5, one for each of the student's"):
        layer_pairs("encoder", text, 2, 6)


def test_the_divergence_of_attention_by_hand():
    student, teacher = torch.tensor([[[0.75, 0.25, 0.0]]]), torch.tensor([[[0.5, 0.5, 0.0]]])
    expected = 0.5 * torch.tensor(4 / 3).log()  # 1/2 ln(1/2 ÷ 3/4) + 1/2 ln(1/2 ÷ 1/4); the padded key adds nothing
    torch.testing.assert_close(attention_divergence(student, teacher), expected)
    heads = torch.cat([teacher * 0.5, teacher * 1.5], dim=1)  # whose mean is the teacher's
    torch.testing.assert_close(attention_divergence(student, heads), expected)


@pytest.mark.parametrize("way", [{"hidden_matching": 1.0}, {"attention_matching": 1.0}], ids=str)
@pytest.mark.parametrize("alpha_ce", [1.0, 0.5])
def test_the_students_layers_come_nearer_to_the_teachers(way, alpha_ce, new_model, new_trainer):
    trainer = new_trainer(new_model(), new_model(**WIDER), alpha_ce=alpha_ce, max_steps=30, **way)
    trainer.train()
    losses = matching_losses(trainer)
    assert losses[-1] < losses[0] * 0.8
    log = next(entry for entry in trainer.state.log_history if "matching" in entry)
    parts = alpha_ce * log["cross_entropy"] + (1 - alpha_ce) * log.get("divergence", 0.0) + log["matching"]
    assert log["loss"] == pytest.approx(parts, rel=1e-4)


def test_small_batches_match_like_one_large_batch(new_model, new_trainer):
    norms = []
    for size, accumulation in ((4, 8), (32, 1)):
        sizes = {"per_device_train_batch_size": size, "gradient_accumulation_steps": accumulation}
        trainer = new_trainer(new_model(), new_model(**WIDER), max_steps=1, **BOTH, **sizes)
        trainer.train()
        norms.append((trainer.state.log_history[0]["grad_norm"], matching_losses(trainer)[0]))
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_projections_are_trained_kept_in_checkpoints_and_not_published(new_model, new_trainer, tmp_path):
    settings = {**BOTH, "max_steps": 6, "save_strategy": "steps", "save_steps": 3}
    whole = new_trainer(new_model(dropout=0.2), new_model(**WIDER), **settings)
    before = whole.matching.projections["encoder"].weight.clone()
    whole.train()
    assert not torch.equal(whole.matching.projections["encoder"].weight, before)
    resumed = new_trainer(new_model(seed=4, dropout=0.2), new_model(**WIDER), **settings)
    resumed.train(resume_from_checkpoint=f"{resumed.args.output_dir}/checkpoint-3")
    for mine, other in ((resumed.model, whole.model), (resumed.matching, whole.matching)):
        for name, tensor in other.state_dict().items():
            assert torch.equal(mine.state_dict()[name], tensor), name
    whole.save_model(str(tmp_path / "saved"))
    published = load_file(tmp_path / "saved" / "model.safetensors")
    assert published.keys() <= set(new_model().state_dict())
    assert not list((tmp_path / "saved").glob("kept*"))


def test_a_model_that_gives_no_layers_is_refused(new_model, new_trainer, monkeypatch):
    student = new_model()
    monkeypatch.setattr(type(student), "gives_layers", False)
    with pytest.raises(UserError, match="a marian model gives no states of its layers; leave them out"):
        new_trainer(student, new_model(seed=1), **BOTH)


def test_matching_needs_a_teacher(new_model, new_trainer):
    with pytest.raises(UserError, match="need a teacher: give --teacher-model"):
        new_trainer(new_model(), **BOTH)
