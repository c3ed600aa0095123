from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.students.packing import PairCollator
from marian_distill.students.projection import CachedTargets, Projection
from marian_distill.students.rows import PackedRows, stack, text_samples
from marian_distill.teachers.cache import (
    Example,
    ShardContent,
    TeacherCache,
    row_keys,
    vocabulary_hash,
    write_cache,
)
from marian_distill.teachers.distributions import keep
from marian_distill.teachers.online import PairTeacher, pair_examples, speak
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.text.variants import EpochBatches, Variation, VariedExamples
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.cached import (
    CachedTeaching,
    NumberedRows,
    as_targets,
    open_cache,
    pair_keys,
    sample_keys,
    with_cached,
    with_cached_samples,
)
from marian_distill.training.losses import DistillationLoss, projection_loss
from toy_language_model import TEXTS

TOKENS, WIDTH, VOCABULARY = 13, 5, 17
SETTINGS = {
    "kind": "top-k",
    "k": 8,
    "exact": 0,
    "temperature": 2.0,
    "seed": 0,
    "teacher": "teacher",
    "teacher_sha256": "t",
    "prompt": "",
    "direction": "en-zh",
    "data": {},
    "start_from": 0,
    "max_samples": None,
    "max_seq_len": 64,
    "shard_rows": 10,
}


# The loss


def projections(seed: int = 0) -> tuple[Projection, torch.Tensor, Projection]:
    generator = torch.Generator().manual_seed(seed)
    student, teacher = (
        Projection(
            *(torch.randn(shape, generator=generator) for shape in ((TOKENS, d), (VOCABULARY, d), (VOCABULARY,)))
        )
        for d in (WIDTH, WIDTH + 2)
    )
    student.states.requires_grad_()
    student.weight.requires_grad_()
    return student, torch.randint(VOCABULARY, (TOKENS,), generator=generator), teacher


def kept_of(
    teacher: Projection, kind: str, k: int, temperature: float, numbers=None, taught=None, exact=0
) -> CachedTargets:
    logits = teacher.states @ teacher.weight.T + teacher.bias
    kept = keep(kind, k, min(exact, k - 1), temperature, logits, np.zeros(TOKENS) if numbers is None else numbers)
    return as_targets(kind, kept.ids, kept.values, np.ones(TOKENS, bool) if taught is None else taught, k)


def loss_and_gradients(settings: DistillationLoss, teaching, seed: int = 0):
    student, labels, _ = projections(seed)
    sums = projection_loss(settings, student, labels, teaching)
    sums.loss.backward()
    return sums, (student.states.grad, student.weight.grad)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("direction", ["forward", "reverse", "symmetric"])
def test_the_likeliest_pieces_from_a_cache_give_the_live_loss(direction, temperature):
    settings = DistillationLoss(0.3, temperature, 0.1, direction, top_k=4)
    _, _, teacher = projections()
    live, live_gradients = loss_and_gradients(settings, teacher)
    cached, gradients = loss_and_gradients(settings, kept_of(teacher, "top-k", 4, temperature))
    torch.testing.assert_close(cached.loss, live.loss, rtol=1e-3, atol=0)  # what was stored has 16 bits
    torch.testing.assert_close(cached.divergence, live.divergence, rtol=2e-3, atol=0)
    torch.testing.assert_close(cached.cross_entropy, live.cross_entropy)
    torch.testing.assert_close(gradients, live_gradients, rtol=5e-3, atol=5e-3)


def test_fewer_pieces_than_were_stored_are_those_of_a_smaller_cache():
    _, _, teacher = projections()
    logits = teacher.states @ teacher.weight.T + teacher.bias
    large, small = (keep("top-k", k, 0, 2.0, logits, np.zeros(TOKENS)) for k in (6, 3))
    narrowed = as_targets("top-k", large.ids, large.values, np.ones(TOKENS, bool), 3)
    expected = as_targets("top-k", small.ids, small.values, np.ones(TOKENS, bool), 3)
    assert (narrowed.ids == expected.ids).all()
    torch.testing.assert_close(narrowed.probabilities, expected.probabilities, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("exact", [0, 1])
def test_draws_give_on_average_the_loss_and_the_gradient_of_the_whole_distribution(exact):
    settings, steps = DistillationLoss(0.2, 2.0), 400
    _, _, teacher = projections()
    whole, whole_gradients = loss_and_gradients(settings, teacher)
    losses, gradients = [], []
    for step in range(steps):
        sums, of_step = loss_and_gradients(
            settings, kept_of(teacher, "random", 3, 2.0, np.full(TOKENS, (step + 0.5) / steps), exact=exact)
        )
        losses.append(sums.loss.item())
        gradients.append(of_step)
    assert np.mean(losses) == pytest.approx(whole.loss.item(), rel=5e-3)
    assert np.std(losses) > 0.01 * whole.loss.item()  # one alone is another
    for expected, found in zip(whole_gradients, zip(*gradients, strict=True), strict=True):
        torch.testing.assert_close(torch.stack(found).mean(0), expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("kind", ["top-k", "random"])
def test_tokens_that_are_not_taught_learn_from_their_labels_alone(kind):
    settings = DistillationLoss(0.25, 2.0, 0.1)
    _, _, teacher = projections()
    taught = np.arange(TOKENS) % 3 > 0
    sums, gradients = loss_and_gradients(settings, kept_of(teacher, kind, 4, 2.0, taught=taught))
    # The same as two batches: the taught tokens, and the others without a teacher.
    student, labels, _ = projections()
    parts = []
    for some, settings_of_part in ((taught, settings), (~taught, DistillationLoss(1.0, 2.0, 0.1))):
        places = torch.from_numpy(some.nonzero()[0])
        part = Projection(student.states[places], student.weight, student.bias)
        whole = kept_of(teacher, kind, 4, 2.0)
        targets = CachedTargets(*(None if tensor is None else tensor[places] for tensor in whole))
        parts.append(projection_loss(settings_of_part, part, labels[places], targets))
    (parts[0].loss + parts[1].loss).backward()
    torch.testing.assert_close(sums.loss, parts[0].loss + parts[1].loss)
    torch.testing.assert_close(sums.divergence, parts[0].divergence)
    torch.testing.assert_close(gradients, (student.states.grad, student.weight.grad), rtol=1e-4, atol=1e-5)


# Rows


def repeat_targets(examples) -> ShardContent:
    """Of each token "the likeliest pieces" are the token itself and those with the next ids."""
    targets = [one.target for one in examples]
    ids = np.concatenate(targets)[:, None] + np.arange(3)
    keys = row_keys([one.source for one in examples], targets)
    lengths = np.array([len(target) for target in targets], dtype=np.int32)
    return ShardContent(keys, lengths, ids, np.zeros((len(ids), 4), np.float16), 0.0)


def cache_of_targets(folder: Path, examples) -> TeacherCache:
    settings = {**SETTINGS, "k": 3, "vocabulary": 4096, "vocabulary_sha256": "v"}
    write_cache(folder, settings, examples, repeat_targets)
    return TeacherCache([folder])


@pytest.mark.parametrize("seed", [0, 1])
def test_shuffled_varied_batches_of_any_process_find_their_rows(tmp_path, dataset, pieces, seed):
    cache = cache_of_targets(tmp_path / "cache", pair_examples(dataset, tagged=False))
    few = dataset.shuffle(seed=seed).select(range(40))  # other rows, in another order
    teaching = CachedTeaching(cache, pair_keys(few, tagged=False), DistillTrainingArguments(output_dir=str(tmp_path)))
    varied = VariedExamples(few, pieces, Variation(final_stop_share=0.3, source_noise=0.5, subword_sampling=0.2))
    taught_tokens = tokens = 0
    for rank in range(2):
        sampler = LengthBatchSampler(
            few["source_length"], few["target_length"], tokens=120, seed=seed, rank=rank, processes=2
        )
        for epoch in (0, 3):
            sampler.set_epoch(epoch)
            for keys in EpochBatches(sampler):
                rows = varied.__getitems__(keys)
                batch = with_cached(PairCollator(pieces.pad_id), teaching, rows)
                targets, labels = CachedTargets(**batch["cached"]), batch["labels"].view(-1)[batch["scored"]]
                taught = targets.taught[:, 0] > 0
                assert (targets.ids[taught, 0] == labels[taught]).all()
                as_given = [list(row["labels"]) == few[row["example"]]["labels"] for row in rows]
                expected = np.repeat(as_given, [len(row["labels"]) for row in rows])
                assert (taught.numpy() == expected).all()
                taught_tokens, tokens = taught_tokens + int(taught.sum()), tokens + len(labels)
    assert 0.3 < taught_tokens / tokens < 0.95


def test_packed_rows_find_the_samples_that_are_in_them(tmp_path, toy_tokenizer):
    samples = text_samples(TEXTS, toy_tokenizer, 24)
    rows = PackedRows(samples, toy_tokenizer, 24, seed=3)
    ends = samples.offsets[1:]
    examples = [
        Example(samples.ids[first : first + given], samples.ids[first + given : last])
        for first, given, last in zip(samples.offsets[:-1], samples.given, ends, strict=True)
    ]
    cache = cache_of_targets(tmp_path / "cache", reversed(examples))
    teaching = CachedTeaching(cache, sample_keys(rows), DistillTrainingArguments(output_dir=str(tmp_path)))
    numbered = NumberedRows(rows)
    batch = with_cached_samples(stack, teaching, rows, [numbered[index] for index in (2, 0, 1)])
    targets = CachedTargets(**batch["cached"])
    assert targets.taught.all()
    assert (targets.ids[:, 0] == batch["labels"].view(-1)[batch["scored"]]).all()


# Training


@pytest.fixture
def cached_teacher(tmp_path, dataset, pieces, new_model):
    """Writes a cache of a teacher's; gives the folder and the teacher."""
    teacher = new_model(seed=1)
    teacher.eval()

    def write(name: str = "cache", rows: int = len(dataset), **changes):
        settings = {**SETTINGS, "vocabulary": len(pieces.vocabulary), **changes}
        settings.setdefault("vocabulary_sha256", vocabulary_hash(pieces.vocabulary))
        speaker = PairTeacher(teacher, PairCollator(pieces.pad_id))
        say = partial(
            speak,
            speaker,
            own=None,
            batch_size=7,
            **{name: settings[name] for name in ("kind", "k", "exact", "temperature", "seed")},
        )
        write_cache(tmp_path / name, settings, pair_examples(dataset.select(range(rows)), tagged=False), say)
        return tmp_path / name

    return write, teacher


def logged(trainer, *names: str) -> list[list[float]]:
    return [[entry[name] for name in names] for entry in trainer.state.log_history if "loss" in entry]


def test_a_student_learns_from_the_cache_what_it_learns_from_the_teacher(cached_teacher, new_model, new_trainer):
    write, teacher = cached_teacher
    settings = {"alpha_ce": 0.5, "temperature": 2.0, "max_steps": 5, "tokens_per_batch": 200}
    live = new_trainer(new_model(), teacher, teacher_top_k=8, **settings)
    live.train()
    cached = new_trainer(new_model(), cache_dir=write(), **settings)
    cached.train()
    names = ("loss", "cross_entropy", "divergence", "grad_norm")
    for expected, found in zip(logged(live, *names), logged(cached, *names), strict=True):
        assert found == pytest.approx(expected, rel=3e-3)
    assert logged(cached, "taught_share") == [[1.0]] * 5


@pytest.mark.parametrize("kind", ["top-k", "random"])
def test_a_student_comes_to_say_what_the_cache_says(kind, cached_teacher, new_model, new_trainer):
    write, _ = cached_teacher
    trainer = new_trainer(
        new_model(), cache_dir=write(kind=kind, exact=2), alpha_ce=0.0, temperature=2.0, max_steps=30
    )
    trainer.train()
    divergences = [value for (value,) in logged(trainer, "divergence")]
    assert divergences[-1] < divergences[0] / 2


def test_a_resumed_run_is_taught_the_same_rows(cached_teacher, new_model, new_trainer):
    write, _ = cached_teacher
    folder = write()
    settings = {"alpha_ce": 0.5, "temperature": 2.0, "max_steps": 6, "save_strategy": "steps", "save_steps": 3,
                "variation": Variation(final_stop_share=0.3), "cache_dir": folder}  # fmt: skip
    whole = new_trainer(new_model(), **settings)
    whole.train()
    resumed = new_trainer(new_model(), **settings)
    resumed.train(resume_from_checkpoint=f"{whole.args.output_dir}/checkpoint-3")
    names = ("loss", "divergence", "taught_share")
    assert logged(resumed, *names) == logged(whole, *names)
    shares = [share for _, _, share in logged(whole, *names)]
    assert 0.3 < min(shares) < 1.0


@pytest.mark.parametrize(
    ("stored", "options", "message"),
    [
        ({"vocabulary_sha256": "x"}, {}, "was made for another tokenizer"),
        ({}, {"temperature": 1.0}, "give --temperature 2"),
        ({}, {"temperature_end": 1.0}, "without --temperature-end"),
        ({}, {"teacher_top_k": 9}, "holds 8 pieces a token"),
        ({"kind": "random"}, {"divergence": "reverse"}, "holds draws"),
        ({"rows": 20}, {}, "has 20 of 32 training examples"),
        ({"rows": 20}, {"teacher_cache_share": 0.7}, "--teacher-cache-share 0.625"),
    ],
)
def test_a_cache_that_does_not_fit_the_run_is_one_line(
    stored, options, message, cached_teacher, new_model, new_trainer
):
    write, _ = cached_teacher
    with pytest.raises(UserError, match=message):
        new_trainer(new_model(), cache_dir=write(**stored), **{"alpha_ce": 0.5, "temperature": 2.0, **options})


def test_a_cache_of_some_examples_teaches_those(cached_teacher, new_model, new_trainer):
    write, _ = cached_teacher
    trainer = new_trainer(
        new_model(), cache_dir=write(rows=20), alpha_ce=0.0, temperature=2.0, max_steps=1, teacher_cache_share=0.6,
        per_device_train_batch_size=32,
    )  # fmt: skip
    trainer.train()
    assert 0.5 < logged(trainer, "taught_share")[0][0] < 0.75


def test_another_teacher_than_was_named_is_refused(cached_teacher, tmp_path, pieces):
    write, teacher = cached_teacher
    teacher.save_pretrained(tmp_path / "teacher")
    options = DistillTrainingArguments(
        output_dir=str(tmp_path), alpha_ce=0.5, temperature=2.0, teacher_cache=[str(write())]
    )
    with pytest.raises(UserError, match="was made from another teacher"):
        open_cache(options, pieces.vocabulary, str(tmp_path / "teacher"))


def test_layers_cannot_be_matched_from_a_cache(tmp_path):
    with pytest.raises(UserError, match="--teacher-cache has no layers"):
        DistillTrainingArguments(output_dir=str(tmp_path), teacher_cache=["x"], hidden_matching=0.5, alpha_ce=0.5)


def test_a_cache_that_would_teach_nothing_is_told(tmp_path):
    with pytest.raises(UserError, match="--teacher-cache teaches nothing"):
        DistillTrainingArguments(output_dir=str(tmp_path), teacher_cache=["x"])
