"""Golden values are worked out by hand; the fused form is held to the plain one."""

from functools import partial
from itertools import product
from math import log

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import MarianMTModel

from marian_distill.students.packing import PairCollator
from marian_distill.students.projection import Projection
from marian_distill.training import losses
from marian_distill.training.losses import DistillationLoss, distillation_loss, projection_loss

TOKENS, WIDTH, VOCABULARY = 13, 5, 17


def fused(settings: DistillationLoss, student_logits, labels, teacher_logits=None) -> losses.LossSums:
    """The fused form where the states are the logits and the projection is the identity."""

    def as_projection(logits):
        return Projection(logits, torch.eye(logits.shape[1]), torch.zeros(logits.shape[1]))

    teacher = None if teacher_logits is None else as_projection(teacher_logits)
    return projection_loss(settings, as_projection(student_logits), labels, teacher)


BOTH_FORMS = pytest.mark.parametrize("form", [distillation_loss, fused])


@BOTH_FORMS
def test_cross_entropy_by_hand(form):
    # Softmax of (ln 3, 0) is (3/4, 1/4); the labels are pieces 0 and 1.
    logits = torch.tensor([[log(3), 0.0], [log(3), 0.0]], requires_grad=True)
    sums = form(DistillationLoss(alpha_ce=1.0), logits, torch.tensor([0, 1]))
    sums.loss.backward()
    assert sums.loss.item() == pytest.approx(-log(3 / 4) - log(1 / 4))
    assert sums.cross_entropy.item() == pytest.approx(sums.loss.item())
    assert sums.divergence.item() == 0.0
    assert logits.grad.tolist() == [pytest.approx([-0.25, 0.25]), pytest.approx([0.75, -0.75])]  # p − label


@BOTH_FORMS
def test_divergence_by_hand(form):
    # At T = 2 the student's (2 ln 3, 0) softens to (3/4, 1/4), the teacher's (0, 0) is (1/2, 1/2):
    # KL(teacher‖student) = 1/2 ln(1/2 ÷ 3/4) + 1/2 ln(1/2 ÷ 1/4) = 1/2 ln 4/3, times T² = 4; gradient T·(p − q).
    logits = torch.tensor([[2 * log(3), 0.0]], requires_grad=True)
    sums = form(DistillationLoss(alpha_ce=0.0, temperature=2.0), logits, torch.tensor([0]), torch.zeros(1, 2))
    sums.loss.backward()
    assert sums.loss.item() == pytest.approx(4 * 0.5 * log(4 / 3))
    assert sums.divergence.item() == pytest.approx(sums.loss.item())
    assert logits.grad.tolist() == [pytest.approx([2 * 0.25, -2 * 0.25])]


@BOTH_FORMS
def test_the_mixture_with_smoothed_labels_by_hand(form):
    # At T = 1 the softmax of (2 ln 3, 0) is (9/10, 1/10). Smoothing 0.2 over two pieces asks for (0.9, 0.1).
    logits = torch.tensor([[2 * log(3), 0.0]], requires_grad=True)
    settings = DistillationLoss(alpha_ce=0.25, temperature=2.0, label_smoothing=0.2)
    sums = form(settings, logits, torch.tensor([0]), torch.zeros(1, 2))
    sums.loss.backward()
    cross_entropy = -0.9 * log(0.9) - 0.1 * log(0.1)
    divergence = 4 * 0.5 * log(4 / 3)
    assert sums.cross_entropy.item() == pytest.approx(cross_entropy)
    assert sums.divergence.item() == pytest.approx(divergence)
    assert sums.loss.item() == pytest.approx(0.25 * cross_entropy + 0.75 * divergence)
    # The labels' share of the gradient is zero: the student says just what they ask for.
    assert logits.grad.tolist() == [pytest.approx([0.75 * 0.5, -0.75 * 0.5], abs=1e-6)]


@BOTH_FORMS
def test_a_student_that_says_what_the_teacher_says_has_nothing_to_learn_from_it(form):
    logits = torch.randn(4, 7, generator=torch.manual_seed(0)).requires_grad_()
    sums = form(DistillationLoss(0.0, 3.0), logits, torch.zeros(4, dtype=torch.long), logits.detach() + 5.0)
    sums.loss.backward()
    assert sums.divergence.item() == pytest.approx(0.0, abs=1e-5)
    assert logits.grad.abs().max() < 1e-6


@BOTH_FORMS
@pytest.mark.parametrize(
    ("direction", "value", "gradient"),
    [
        # Student (3/4, 1/4), teacher (1/2, 1/2): 3/4 ln 3/2 + 1/4 ln 1/2 = R; gradient p (log p/q − R).
        ("reverse", 0.75 * log(1.5) + 0.25 * log(0.5), 0.75 * (log(1.5) - (0.75 * log(1.5) + 0.25 * log(0.5)))),
        # Half of it and half of the forward one, 1/2 ln 4/3 with gradient p − q: together 1/8 ln 3, 1/8 + 3/32 ln 3.
        ("symmetric", log(3) / 8, 1 / 8 + 3 / 32 * log(3)),
    ],
)
def test_other_divergences_by_hand(form, direction, value, gradient):
    logits = torch.tensor([[log(3), 0.0]], requires_grad=True)
    settings = DistillationLoss(0.0, 1.0, 0.0, direction)
    sums = form(settings, logits, torch.tensor([0]), torch.zeros(1, 2))
    sums.loss.backward()
    assert sums.divergence.item() == pytest.approx(value)
    assert logits.grad.tolist() == [pytest.approx([gradient, -gradient])]


@BOTH_FORMS
def test_the_tail_is_one_bucket_by_hand(form):
    # Teacher (2/3, 1/6, 1/6), student (1/3, 1/2, 1/6): with k = 1 both tails are bucket sums, 1/3 and 2/3.
    logits = torch.tensor([[1 / 3, 1 / 2, 1 / 6]]).log().requires_grad_()
    settings = DistillationLoss(0.0, top_k=1)
    sums = form(settings, logits, torch.tensor([0]), torch.tensor([[2 / 3, 1 / 6, 1 / 6]]).log())
    sums.loss.backward()
    assert sums.divergence.item() == pytest.approx(2 / 3 * log(2) + 1 / 3 * log(1 / 2))
    # How the student spreads its tail is its own affair: p − p·(1/3 ÷ 2/3) for both of its pieces.
    assert logits.grad.tolist() == [pytest.approx([-1 / 3, 1 / 4, 1 / 12])]


@BOTH_FORMS
@pytest.mark.parametrize("direction", ["forward", "reverse", "symmetric"])
def test_top_k_of_all_but_one_piece_is_the_whole(form, direction):
    generator = torch.Generator().manual_seed(1)
    student, teacher = torch.randn(2, 4, 7, generator=generator)
    labels = torch.zeros(4, dtype=torch.long)
    whole, nearly = (
        form(DistillationLoss(0.0, 2.0, 0.0, direction, k), student.clone(), labels, teacher.clone()) for k in (0, 6)
    )
    assert nearly.loss.item() == pytest.approx(whole.loss.item(), rel=1e-5)


@pytest.mark.parametrize("direction", ["forward", "reverse", "symmetric"])
def test_a_student_sure_of_something_else_has_finite_gradients(direction):
    # Its tail, and what the teacher says, are far below the smallest number that fp32 has.
    logits = torch.tensor([[200.0, 0.0, -200.0, -300.0]], requires_grad=True)
    sums = fused(DistillationLoss(0.0, 1.0, 0.0, direction, 2), logits, torch.tensor([0]), -logits.detach())
    sums.loss.backward()
    assert sums.loss.isfinite()
    assert logits.grad.isfinite().all()
    assert logits.grad.abs().max() > 0.1 or direction == "reverse"


def random_projections(seed: int) -> tuple[Projection, torch.Tensor, Projection]:
    generator = torch.Generator().manual_seed(seed)

    def projection(width: int) -> Projection:
        shapes = (TOKENS, width), (VOCABULARY, width), (VOCABULARY,)
        return Projection(*(torch.randn(shape, generator=generator) for shape in shapes))

    student, teacher = projection(WIDTH), projection(WIDTH + 3)  # a teacher may be wider
    student.states.requires_grad_()
    student.weight.requires_grad_()
    return student, torch.randint(VOCABULARY, (TOKENS,), generator=generator), teacher


def plain(settings: DistillationLoss, student: Projection, labels, teacher: Projection) -> losses.LossSums:
    student_logits, teacher_logits = (p.states @ p.weight.T + p.bias for p in (student, teacher))
    return distillation_loss(settings, student_logits, labels, teacher_logits)


@pytest.mark.parametrize("rows_a_slice", [1, 4, TOKENS, 1000])
@pytest.mark.parametrize(
    "settings",
    [
        *(DistillationLoss(*values) for values in product((0.0, 0.3, 1.0), (0.5, 1.0, 4.0), (0.0, 0.2))),
        *(
            DistillationLoss(0.3, temperature, 0.1, direction, top_k)
            for temperature in (1.0, 3.0)
            for direction in ("forward", "reverse", "symmetric")
            for top_k in (0, 1, 4, VOCABULARY - 1)
        ),
    ],
    ids=str,
)
def test_fused_form_equals_the_plain_one(settings, rows_a_slice, monkeypatch):
    monkeypatch.setitem(losses.SLICE_ELEMENTS, "cpu", rows_a_slice * VOCABULARY)
    results = []
    for form in (plain, projection_loss):
        student, labels, teacher = random_projections(3)
        sums = form(settings, student, labels, teacher)
        (sums.loss / 7).backward()  # as divided by the number of tokens
        results.append((sums, student.states.grad, student.weight.grad))
    (expected, *expected_gradients), (sums, *gradients) = results
    torch.testing.assert_close(sums.loss, expected.loss)
    torch.testing.assert_close(sums.divergence, expected.divergence)
    torch.testing.assert_close(sums.token_losses, expected.token_losses)
    if settings.alpha_ce > 0:  # else it is not worked out
        torch.testing.assert_close(sums.cross_entropy, expected.cross_entropy)
    torch.testing.assert_close(gradients, expected_gradients, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(projection_loss(settings, student, labels, teacher).loss, expected.loss.detach())


def test_smoothed_cross_entropy_is_that_of_torch():
    student, labels, _ = random_projections(5)
    expected = functional.cross_entropy(
        student.states @ student.weight.T + student.bias, labels, reduction="sum", label_smoothing=0.1
    )
    torch.testing.assert_close(projection_loss(DistillationLoss(label_smoothing=0.1), student, labels).loss, expected)


def test_bfloat16_autocast_stays_close_with_fp32_gradients():
    settings = DistillationLoss(0.5, 2.0, 0.1)
    student, labels, teacher = random_projections(7)
    expected = projection_loss(settings, student, labels, teacher).loss
    expected.backward()
    expected_gradient = student.weight.grad
    student, labels, teacher = random_projections(7)
    with torch.autocast("cpu", torch.bfloat16):
        loss = projection_loss(settings, student, labels, teacher).loss
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=0.02)
    assert loss.dtype == student.weight.grad.dtype == torch.float32
    error = (student.weight.grad - expected_gradient).norm() / expected_gradient.norm()
    assert 0 < error < 0.02  # above 0: autocast was on


class _LargestTensor(TorchDispatchMode):
    elements = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return result


def test_no_tensor_of_all_logits_is_made(monkeypatch):
    monkeypatch.setitem(losses.SLICE_ELEMENTS, "cpu", 2 * VOCABULARY)
    monkeypatch.setattr(losses, "BLOCK_ELEMENTS", 6 * VOCABULARY)
    student, labels, teacher = random_projections(9)
    with _LargestTensor() as largest:
        projection_loss(DistillationLoss(0.5, 2.0), student, labels, teacher).loss.backward()
    assert largest.elements < TOKENS * VOCABULARY
    with _LargestTensor() as largest:
        plain(DistillationLoss(0.5, 2.0), student, labels, teacher)
    assert largest.elements >= TOKENS * VOCABULARY


@BOTH_FORMS
def test_a_share_for_the_teacher_needs_one(form):
    with pytest.raises(ValueError, match="teacher"):
        form(DistillationLoss(0.5), torch.zeros(1, 2), torch.tensor([0]))


def test_labels_alone_give_the_loss_of_transformers(new_model, examples, pieces):
    student = new_model()
    student.final_logits_bias.normal_()  # a hub model's bias is not zero
    batch = PairCollator(pieces.pad_id)(examples)
    expected = MarianMTModel.forward(student, **batch).loss
    sums = student(**batch, objective=partial(projection_loss, DistillationLoss()))
    torch.testing.assert_close(sums.loss / (batch["labels"] != -100).sum(), expected)
