from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.text.batching import LengthBatchSampler

lengths = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=200)


def sampler_of(pairs, **options) -> LengthBatchSampler:
    source, target = np.array(pairs).T
    return LengthBatchSampler(source, target, **options)


def padded(pairs, batch) -> int:
    return len(batch) * (max(pairs[i][0] for i in batch) + max(pairs[i][1] for i in batch))


@given(lengths, st.integers(1, 150), st.integers(0, 5), st.booleans())
def test_budget_is_kept_and_every_example_comes_once(pairs, tokens, epoch, shuffle):
    sampler = sampler_of(pairs, tokens=tokens, shuffle=shuffle)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert sorted(index for batch in batches for index in batch) == list(range(len(pairs)))
    assert all(padded(pairs, batch) <= tokens or len(batch) == 1 for batch in batches)
    assert len(batches) == len(sampler)


@given(lengths, st.integers(1, 20), st.integers(0, 5))
def test_batch_size_is_kept_and_every_example_comes_once(pairs, size, epoch):
    sampler = sampler_of(pairs, batch_size=size)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert sorted(index for batch in batches for index in batch) == list(range(len(pairs)))
    assert len(batches) == -(-len(pairs) // size)
    assert max(map(len, batches)) <= size


@given(lengths, st.integers(10, 150))
def test_every_epoch_has_as_many_batches(pairs, tokens):
    sampler = sampler_of(pairs, tokens=tokens)
    counts = set()
    for epoch in range(4):
        sampler.set_epoch(epoch)
        counts.add(len(sampler))
    assert len(counts) == 1


@pytest.fixture
def many():
    generator = np.random.default_rng(0)
    return generator.integers(1, 60, size=(3000, 2)).tolist()


def test_order_hangs_on_seed_and_epoch_alone(many):
    def order(seed: int, epoch: int, history: range = range(0)) -> list[list[int]]:
        sampler = sampler_of(many, tokens=400, seed=seed)
        for earlier in history:
            sampler.set_epoch(earlier)
            list(sampler)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(7, 2) == order(7, 2, history=range(2))  # a resumed run sees what it would have seen
    assert order(7, 0) != order(7, 1)
    assert order(7, 0) != order(8, 0)


def test_like_lengths_meet_so_that_little_is_padded(many):
    in_order_of_arrival = [many[start : start + 20] for start in range(0, len(many), 20)]
    arrival_padding = 1 - np.sum(many) / sum(padded(batch, range(len(batch))) for batch in in_order_of_arrival)
    assert sampler_of(many, batch_size=20).padding_share() < arrival_padding / 2


def test_padding_share_by_hand():
    # One batch of 2 × (3 + 4) = 14 padded tokens, 3 + 2 + 1 + 4 = 10 of them real.
    assert sampler_of([(3, 2), (1, 4)], batch_size=2).padding_share() == pytest.approx(4 / 14)


def test_an_example_over_the_budget_is_a_batch_alone():
    batches = list(sampler_of([(3, 3), (50, 50), (3, 3), (3, 3)], tokens=20))
    assert [1] in batches
    assert sorted(map(len, batches)) == [1, 3]


def test_evaluation_begins_with_the_longest(many):
    batches = list(sampler_of(many, tokens=400, shuffle=False))
    longest = [max(many[index][1] for index in batch) for batch in batches]
    assert all(first >= second for first, second in pairwise(longest))


@pytest.mark.parametrize("options", [{}, {"batch_size": 2, "tokens": 10}])
def test_either_a_size_or_a_budget(options):
    with pytest.raises(ValueError, match="either"):
        sampler_of([(1, 1)], **options)


@pytest.mark.parametrize("processes", [2, 3, 7])
@pytest.mark.parametrize("shuffle", [True, False])
def test_processes_share_the_batches_without_overlap_or_loss(processes, shuffle):
    lengths = np.random.default_rng(0).integers(1, 40, (2, 500))
    samplers = [
        LengthBatchSampler(*lengths, tokens=300, seed=3, shuffle=shuffle, rank=rank, processes=processes)
        for rank in range(processes)
    ]
    batches = [list(sampler) for sampler in samplers]
    seen = [index for one in batches for batch in one for index in batch]
    assert sorted(seen) == list(range(500))
    if shuffle:
        assert len({len(one) for one in batches}) == 1  # nobody waits for a batch that does not come
    whole = list(LengthBatchSampler(*lengths, tokens=300, seed=3, shuffle=shuffle))
    assert [one[0] for one in batches] == whole[:processes]
