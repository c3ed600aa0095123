from functools import partial

import numpy as np
import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.students.packing import PairCollator
from marian_distill.training.losses import DistillationLoss, projection_loss
from marian_distill.training.mining import ExampleLosses, HardExampleSampler, with_examples

SETTINGS = {"hard_example_share": 0.5, "per_device_train_batch_size": 4, "num_train_epochs": 3}


def sampler_of(losses, share=0.5, examples=200, **options) -> HardExampleSampler:
    draw = np.random.default_rng(0)
    known = ExampleLosses(examples, torch.device("cpu"))
    known.of_epoch[:] = torch.as_tensor(losses)
    lengths = draw.integers(5, 20, size=(2, examples))
    return HardExampleSampler(known, share, *lengths, tokens=100, seed=3, **options)


def drawn(sampler, epoch: int) -> np.ndarray:
    sampler.set_epoch(epoch)
    return np.concatenate(list(sampler))


def test_hard_examples_come_more_often_from_the_second_epoch_on():
    losses = np.where(np.arange(200) < 20, 9.0, 1.0)  # a tenth has half of all the loss
    sampler = sampler_of(losses)
    assert sorted(drawn(sampler, 0)) == list(range(200))
    second = drawn(sampler, 1)
    assert len(second) == pytest.approx(200, abs=20)  # but for batches that are left out or had twice
    assert np.isin(second, np.arange(20)).sum() == pytest.approx(60, abs=18)  # half of 100 draws, and 10 by chance
    again = drawn(sampler_of(losses), 1)
    assert again.tolist() == second.tolist()
    sampler.losses.of_epoch[:] = torch.as_tensor(losses)
    assert drawn(sampler, 2).tolist() != second.tolist()


@pytest.mark.parametrize("processes", [1, 2])
def test_every_epoch_has_as_many_batches(processes):
    sampler = sampler_of(np.random.default_rng(1).exponential(size=200), share=0.9, processes=processes)
    counts = set()
    for epoch in range(5):
        sampler.set_epoch(epoch)
        counts.add(len(sampler))
    assert len(counts) == 1


def test_an_example_that_was_left_out_keeps_the_loss_it_had():
    losses = ExampleLosses(3, torch.device("cpu"))
    losses.of_epoch[:] = torch.tensor([1.0, 2.0, 3.0])
    losses.begin(1)
    losses.of_epoch[0] = 5.0
    losses.begin(1)  # the same epoch, as a loader says it more than once
    assert losses.before_epoch.tolist() == [1.0, 2.0, 3.0]
    losses.begin(2)
    assert losses.before_epoch.tolist() == [5.0, 2.0, 3.0]
    assert losses.chances().tolist() == [0.5, 0.2, 0.3]


def test_an_examples_loss_is_the_mean_of_its_tokens(new_model, examples, pieces):
    student, collate = new_model().eval(), PairCollator(pieces.pad_id)
    losses = ExampleLosses(len(examples), torch.device("cpu"))
    rows = [{**examples[index], "example": index} for index in (7, 2, 11)]
    batch = with_examples(collate, rows)
    numbers = batch.pop("examples")
    objective = partial(projection_loss, DistillationLoss(label_smoothing=0.1))
    losses.record(numbers, batch, student(**batch, objective=objective).token_losses)
    for index in (7, 2, 11):
        alone = student(**collate([examples[index]]), objective=partial(projection_loss, DistillationLoss()))
        expected = alone.loss.item() / len(alone.token_losses)
        assert losses.of_epoch[index].item() == pytest.approx(expected, rel=1e-5)
    assert losses.of_epoch.isnan().sum() == len(examples) - 3


@pytest.mark.parametrize("at", [8, 11])  # at the end of an epoch of eight steps, and within one
def test_a_resumed_run_draws_what_an_undisturbed_one_draws(at, new_model, new_trainer):
    settings = {**SETTINGS, "save_strategy": "steps", "save_steps": at, "max_steps": 24}
    whole = new_trainer(new_model(dropout=0.2), **settings)
    whole.train()
    resumed = new_trainer(new_model(seed=5, dropout=0.2), **settings)
    resumed.train(resume_from_checkpoint=f"{resumed.args.output_dir}/checkpoint-{at}")
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], tensor), name
    plain = new_trainer(new_model(dropout=0.2), **{**settings, "hard_example_share": 0.0, "save_strategy": "no"})
    plain.train()
    assert any(not torch.equal(plain.model.state_dict()[n], t) for n, t in whole.model.state_dict().items())


def test_rows_of_several_examples_are_refused():
    packed = {"labels": torch.zeros(1, 8)}
    with pytest.raises(UserError, match="--hard-example-share needs a student whose batches have a row an example"):
        with_examples(lambda rows: packed, [{"example": 0}, {"example": 1}])
