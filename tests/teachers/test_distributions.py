import numpy as np
import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.teachers import distributions
from marian_distill.teachers.distributions import check_k, keep

VOCABULARY = 23


def some_logits(tokens: int, vocabulary: int = VOCABULARY) -> torch.Tensor:
    return 3 * torch.randn(tokens, vocabulary, generator=torch.Generator().manual_seed(0))


def test_the_likeliest_pieces_and_the_rest_by_hand():
    logits = torch.tensor([[0.5, 0.25, 0.125, 0.125]]).log()
    kept = keep("top-k", 2, 0, 1.0, logits, np.zeros(1))
    assert kept.ids.tolist() == [[0, 1]]
    assert np.exp(kept.values.astype(np.float32))[0] == pytest.approx([0.5, 0.25, 0.25], rel=1e-3)
    # Softened by 2 the probabilities are as √0.5 to √0.25 to twice √0.125.
    softened = np.sqrt([0.5, 0.25, 0.125, 0.125])
    softened /= softened.sum()
    kept = keep("top-k", 2, 0, 2.0, logits, np.zeros(1))
    expected = [*softened[:2], softened[2:].sum()]
    assert np.exp(kept.values.astype(np.float32))[0] == pytest.approx(expected, rel=1e-3)


def estimates(kept, k: int, exact: int) -> np.ndarray:
    """The distributions that the kept pieces stand for, [tokens, vocabulary]."""
    found = np.zeros((len(kept.ids), VOCABULARY))
    said = np.exp(kept.values[:, : exact + 1].astype(np.float64))
    for row, ids, values in zip(found, kept.ids, said, strict=True):
        row[ids[:exact]] = values[:exact]
        np.add.at(row, ids[exact:], values[exact] / (k - exact))
    return found


@pytest.mark.parametrize("exact", [0, 2])
def test_draws_have_each_piece_as_often_as_its_probability_says(exact):
    # Every place that the uniform number may have, at equal steps: the mean is then the distribution itself.
    steps, k = 2000, 5
    logits = some_logits(1)
    numbers = (np.arange(steps) + 0.5) / steps
    kept = keep("random", k, exact, 1.5, logits.expand(steps, -1), numbers)
    probabilities = (logits[0] / 1.5).softmax(-1).numpy()
    assert estimates(kept, k, exact).mean(axis=0) == pytest.approx(probabilities, abs=2e-3)
    entropy = -(probabilities * np.log(probabilities)).sum()
    assert kept.values[0, -1] == pytest.approx(entropy, rel=1e-3)


def test_a_piece_has_of_the_draws_its_share_up_to_one_and_less_is_left_to_chance_beside_exact_ones():
    numbers, probabilities = np.linspace(0, 1, 50, endpoint=False), some_logits(50).softmax(-1).numpy()
    errors = []
    for exact in (0, 4):
        found = estimates(keep("random", 8, exact, 1.0, some_logits(50), numbers), 8, exact)
        errors.append(np.abs(found - probabilities))
        assert errors[-1].max() < 1 / 8 + 1e-3
    assert errors[1].sum() < 0.6 * errors[0].sum()


def test_a_teacher_that_is_sure_has_nothing_left_to_draw():
    kept = keep("random", 3, 1, 1.0, torch.tensor([[0.0, 200.0, 0.0, 0.0]]), np.array([0.999]))
    assert kept.ids[0, 0] == 1
    assert np.exp(kept.values[0, :2].astype(np.float32)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("kind", ["top-k", "random"])
def test_slices_change_nothing(kind, monkeypatch):
    numbers = np.linspace(0, 1, 40, endpoint=False)
    whole = keep(kind, 5, 2, 2.0, some_logits(40), numbers)
    monkeypatch.setattr(distributions, "SLICE_ELEMENTS", 7 * VOCABULARY)
    for expected, found in zip(whole, keep(kind, 5, 2, 2.0, some_logits(40), numbers), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_over_some_of_the_pieces_it_is_renormalised_and_tells_what_was_lost():
    logits = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log()
    kept = keep("top-k", 1, 0, 1.0, logits, np.zeros(1), torch.tensor([3, 0, 2]))  # 0.1, 0.4, 0.2: 0.3 is lost
    assert kept.ids.tolist() == [[1]]
    assert np.exp(kept.values.astype(np.float32))[0] == pytest.approx([4 / 7, 3 / 7], rel=1e-3)
    assert kept.lost == pytest.approx([0.3])


@pytest.mark.parametrize("k", [0, VOCABULARY, VOCABULARY + 5])
def test_k_is_less_than_there_are_pieces(k):
    with pytest.raises(UserError, match=f"--k {k}: the vocabulary has 23 pieces"):
        check_k(k, 0, VOCABULARY)


@pytest.mark.parametrize("exact", [-1, 5, 9])
def test_something_is_left_to_draw(exact):
    with pytest.raises(UserError, match=f"--exact {exact}: of --k 5 pieces at least one is drawn"):
        check_k(5, exact, VOCABULARY)
