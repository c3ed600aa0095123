from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import EarlyStoppingCallback, MarianMTModel, TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import bleu, chrf_plus_plus
from marian_distill.languages import TAGS
from marian_distill.students.packing import PairCollator
from marian_distill.students.zero_pad import ZeroPadEmbeddingCallback, pad_row_norm
from marian_distill.text.variants import Variation
from marian_distill.training import trainer as trainer_module

HALF_TEACHER = {"alpha_ce": 0.5, "temperature": 2.0}


def step_logs(trainer) -> list[dict]:
    return [entry for entry in trainer.state.log_history if "loss" in entry]


def test_accumulated_small_batches_step_like_one_large_batch(new_model, new_trainer, examples):
    assert len({example["target_length"] for example in examples[:32]}) > 3  # else the wrong mean would pass
    results = []
    for size, accumulation in ((4, 8), (32, 1)):
        trainer = new_trainer(
            new_model(seed=0),
            new_model(seed=1),
            per_device_train_batch_size=size,
            gradient_accumulation_steps=accumulation,
            max_steps=1,
            optim="sgd",
            label_smoothing_factor=0.1,
            **HALF_TEACHER,
        )
        trainer.train()
        results.append((step_logs(trainer)[0], trainer.model.state_dict()))
    (small, small_weights), (large, large_weights) = results
    assert small["grad_norm"] > 0.1
    for name in ("grad_norm", "loss", "cross_entropy", "divergence"):
        assert small[name] == pytest.approx(large[name], rel=1e-4)
    torch.testing.assert_close(small_weights, large_weights, rtol=1e-4, atol=1e-6)


def test_the_logged_loss_is_made_of_its_parts(new_model, new_trainer):
    settings = {
        "alpha_ce": 0.25,
        "temperature": 3.0,
        "max_steps": 4,
        "gradient_accumulation_steps": 2,
        "logging_steps": 2,
    }
    trainer = new_trainer(new_model(), new_model(seed=1), **settings)
    trainer.train()
    for entry in step_logs(trainer):
        # The parts are means over the tokens of two steps, the loss is the mean of the two steps' means.
        assert entry["loss"] == pytest.approx(0.25 * entry["cross_entropy"] + 0.75 * entry["divergence"], rel=0.02)
        assert entry["tokens_per_second"] > 0
        assert 0 <= entry["padding_share"] < 0.5
        assert 0 < entry["limit_share"] < 1
        phases = [entry[f"time_{phase}"] for phase in ("data", "forward", "backward", "optimizer")]
        assert min(phases[1:]) > 0
        assert sum(phases) < 1.01


def test_the_teacher_is_frozen_in_eval_mode_and_unchanged(new_model, new_trainer):
    teacher = new_model(seed=1, dropout=0.5).train()
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    trainer = new_trainer(new_model(dropout=0.1), teacher, max_steps=2, **HALF_TEACHER)
    trainer.train()
    assert not teacher.training
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in teacher.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in teacher.state_dict().items())


def test_a_distilled_student_comes_to_say_what_the_teacher_says(new_model, new_trainer):
    # From the teacher's distributions alone: the labels have no share.
    trainer = new_trainer(new_model(), new_model(seed=1), alpha_ce=0.0, max_steps=40)
    trainer.train()
    divergences = [entry["divergence"] for entry in step_logs(trainer)]
    assert divergences[-1] < divergences[0] / 2


@pytest.mark.parametrize(
    "way", [{"divergence": "reverse"}, {"divergence": "symmetric"}, {"teacher_top_k": 8}], ids=str
)
def test_it_comes_to_that_by_another_divergence_too(way, new_model, new_trainer):
    trainer = new_trainer(new_model(), new_model(seed=1), alpha_ce=0.0, max_steps=40, **way)
    trainer.train()
    divergences = [entry["divergence"] for entry in step_logs(trainer)]
    assert divergences[-1] < divergences[0] / 2


def test_the_temperature_goes_evenly_to_its_end_also_over_a_resume(new_model, new_trainer):
    settings = {"temperature_end": 1.0, "max_steps": 5, "save_strategy": "steps", "save_steps": 2, **HALF_TEACHER}
    logs = []
    for start in (None, "checkpoint-2"):
        trainer = new_trainer(new_model(), new_model(seed=1), **settings)
        trainer.train(resume_from_checkpoint=start and f"{trainer.args.output_dir}/{start}")
        logs.append([(entry["temperature"], entry["loss"]) for entry in step_logs(trainer)])
    assert logs[0] == logs[1]
    assert [temperature for temperature, _ in logs[0]] == [1.75, 1.5, 1.25, 1.0, 1.0]  # of the step to come
    fixed = new_trainer(new_model(), new_model(seed=1), **settings | {"temperature_end": None})
    fixed.train()
    first, last = step_logs(fixed)[0]["loss"], step_logs(fixed)[-1]["loss"]
    assert logs[0][0][1] == first
    assert logs[0][-1][1] != last


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_teacher_in_half_precision_teaches_nearly_the_same(dtype, new_model, new_trainer):
    divergences = []
    for kind in (torch.float32, dtype):
        trainer = new_trainer(new_model(), new_model(seed=1), teacher_dtype=kind, max_steps=1, **HALF_TEACHER)
        trainer.train()
        assert trainer.teacher.dtype == kind
        divergences.append(step_logs(trainer)[0]["divergence"])
    assert divergences[1] == pytest.approx(divergences[0], rel=0.05)


def test_training_learns_the_same_in_either_precision_of_the_cpu(new_model, new_trainer):
    losses = {}
    for precision in ("fp32", "bf16"):
        trainer = new_trainer(new_model(), precision=precision, max_steps=30)
        trainer.train()
        assert trainer.accelerator.mixed_precision == ("no" if precision == "fp32" else precision)
        losses[precision] = [entry["loss"] for entry in step_logs(trainer)]
        assert sum(losses[precision][-3:]) < sum(losses[precision][:3]) / 2
        assert all(parameter.dtype == torch.float32 for parameter in trainer.model.parameters())
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.03)


# The <pad> row


def test_the_pad_row_stays_exactly_zero_and_is_saved_so(new_model, new_trainer, tmp_path):
    student = new_model()
    trainer = new_trainer(student, max_steps=5, weight_decay=0.1, adam_beta1=0.9)
    trainer.train()
    assert pad_row_norm(student) == 0.0
    trainer.save_model(str(tmp_path / "saved"))
    weights = load_file(tmp_path / "saved" / "model.safetensors")["model.shared.weight"]
    assert weights[-1].abs().sum() == 0.0
    assert weights[0].abs().sum() > 0.0


def test_a_pad_row_that_moved_is_not_saved(new_model, new_trainer, tmp_path):
    trainer = new_trainer(new_model(), max_steps=2)
    trainer.remove_callback(ZeroPadEmbeddingCallback)
    trainer.train()
    with pytest.raises(RuntimeError, match=r"<pad> embedding has norm 0\.\d+, not 0\.0"):
        trainer.save_model(str(tmp_path / "saved"))
    assert not (tmp_path / "saved" / "model.safetensors").exists()


def test_nothing_pickled_is_saved(new_model, new_trainer, tmp_path):
    new_trainer(new_model()).save_model(str(tmp_path / "saved"))
    assert {path.suffix for path in (tmp_path / "saved").iterdir()} == {".json", ".safetensors"}


# Evaluation


def test_evaluation_is_the_cross_entropy_per_token_whatever_the_training_loss(
    new_model, new_trainer, examples, pieces
):
    student = new_model(dropout=0.3)
    batch = PairCollator(pieces.pad_id)(examples[32:48])
    del batch["source_places"], batch["scored"]
    with torch.no_grad():
        expected = MarianMTModel.forward(student.eval(), **batch).loss.item()
    for options in ({}, {"label_smoothing_factor": 0.2, **HALF_TEACHER}, {"per_device_eval_batch_size": 3}):
        metrics = new_trainer(student.train(), new_model(seed=1), **options).evaluate()
        assert metrics["eval_loss"] == pytest.approx(expected, rel=1e-5)


def test_generated_translations_are_scored_with_their_signatures(new_model, new_trainer):
    trainer = new_trainer(new_model(), predict_with_generate=True, num_beams=2, max_steps=60, learning_rate=2e-2)
    trainer.model.generation_config.max_new_tokens = 20
    before = trainer.evaluate(trainer.train_dataset)
    trainer.train()
    after = trainer.evaluate(trainer.train_dataset)
    assert after["eval_chrf++"] > before["eval_chrf++"] + 10
    assert "tok:zh" in trainer.signatures["eval_bleu"]
    assert "nw:2" in trainer.signatures["eval_chrf++"]


def test_english_is_scored_as_english_though_a_reference_quotes_chinese(new_model, new_trainer, dataset, pieces):
    english = ["The tea is 茶.", "Where is the tea, please?", "I want tea.", "The milk is $8."]
    labels = [pieces.ids(target) for target in pieces.target_pieces(english)]
    rows = zip(dataset.select(range(4)).to_list(), labels, english, strict=True)
    reverse = type(dataset).from_list([{**row, "labels": ids, "target_text": text} for row, ids, text in rows])
    trainer = new_trainer(new_model(), predict_with_generate=True)
    trainer.model.generation_config.max_new_tokens = 5
    trainer.evaluate(reverse)
    assert "tok:13a" in trainer.signatures["eval_bleu"]


@pytest.mark.parametrize("tag", [[], [TAGS["zh"]]])
def test_translations_are_compared_with_the_text_of_the_references(
    tag, new_model, new_trainer, dataset, pieces, monkeypatch
):
    # A tokenizer that does not know a character, and a model that has learnt to say just what the labels say.
    row = next(row for row in dataset if "茶" in row["target_text"])
    row |= {"target_text": row["target_text"].replace("茶", "龘"), "input_ids": [*pieces.ids(tag), *row["input_ids"]]}
    row["labels"] = [pieces.vocabulary["<unk>"] if "茶" in pieces.pieces[one] else one for one in row["labels"]]
    (said,) = pieces.decode_all([[pieces.pieces[one] for one in row["labels"]]])
    trainer = new_trainer(new_model(), predict_with_generate=True)
    trainer.model.generation_config.max_new_tokens = 5
    monkeypatch.setattr(trainer_module, "translations", lambda _, __, batch: [said] * len(batch["labels"]))
    evaluated = trainer.evaluate(type(dataset).from_list([row]))
    assert said != row["target_text"]
    assert evaluated["eval_bleu"] == pytest.approx(bleu([said], [row["target_text"]], "zh")["score"])
    assert evaluated["eval_chrf++"] == pytest.approx(chrf_plus_plus([said], [row["target_text"]])["score"])
    assert evaluated["eval_chrf++"] < 100


# Checkpoints


class _EvaluationLosses(TrainerCallback):
    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_evaluate(self, args, state, control, **arguments) -> None:
        self.losses.append(arguments["metrics"]["eval_loss"])


def test_the_best_checkpoint_is_kept_and_training_stops_early(new_model, new_trainer, tmp_path):
    seen = _EvaluationLosses()
    trainer = new_trainer(
        new_model(),
        callbacks=[seen, EarlyStoppingCallback(2)],
        max_steps=40,
        learning_rate=0.5,  # so high that it soon grows worse
        eval_strategy="steps",
        eval_steps=1,
        save_strategy="steps",
        save_steps=1,
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
    )
    trainer.train()
    best = min(range(len(seen.losses)), key=seen.losses.__getitem__) + 1
    assert trainer.state.global_step == best + 2 < 40
    assert trainer.state.best_metric == pytest.approx(min(seen.losses))
    assert Path(trainer.state.best_model_checkpoint).name == f"{PREFIX_CHECKPOINT_DIR}-{best}"
    assert trainer.evaluate()["eval_loss"] == pytest.approx(min(seen.losses))


@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_resumed_trainer_goes_on_with_the_same_losses(accumulation, new_model, new_trainer):
    # Eleven batches an epoch and a kill in the second, with dropout, a shuffled order and draws to be brought back.
    settings = {
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": accumulation,
        "max_steps": 20 // accumulation,
        "save_strategy": "steps",
        "save_steps": 14 // accumulation,
        "variation": Variation(final_stop_share=0.3, source_noise=0.5),
        **HALF_TEACHER,
    }
    whole = new_trainer(new_model(dropout=0.2), new_model(seed=1), **settings)
    whole.train()
    resumed = new_trainer(new_model(seed=5, dropout=0.2), new_model(seed=1), **settings)
    resumed.train(resume_from_checkpoint=f"{resumed.args.output_dir}/checkpoint-{14 // accumulation}")
    expected, losses = ([entry["loss"] for entry in step_logs(trainer)] for trainer in (whole, resumed))
    assert len(expected) == 20 // accumulation
    assert losses == pytest.approx(expected, rel=1e-6)
    for name, tensor in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], tensor)


def test_epochs_differ_in_the_order_of_their_batches(new_model, new_trainer):
    trainer = new_trainer(new_model(), per_device_train_batch_size=4, num_train_epochs=2, learning_rate=0.0)
    trainer.train()
    losses = [entry["loss"] for entry in step_logs(trainer)]
    assert losses[:8] != pytest.approx(losses[8:], rel=1e-4)
    assert sorted(losses[:8]) == pytest.approx(sorted(losses[8:]), rel=1e-4)


@pytest.mark.parametrize("workers", [0, 1])
def test_epochs_differ_in_what_is_drawn_for_their_examples(workers, new_model, new_trainer):
    settings = {"per_device_train_batch_size": 32, "num_train_epochs": 3, "learning_rate": 0.0}
    settings |= {"dataloader_num_workers": workers, "dataloader_persistent_workers": workers > 0}
    trainer = new_trainer(new_model(), variation=Variation(source_noise=0.5), **settings)
    trainer.train()
    losses = [entry["loss"] for entry in step_logs(trainer)]
    assert len(set(losses)) == 3


# Mistakes


def test_logits_of_another_vocabulary_cannot_be_compared(new_model, new_trainer):
    with pytest.raises(UserError, match="sequence-level distillation"):
        new_trainer(new_model(), new_model(vocab_size=50), **HALF_TEACHER)
    with pytest.raises(UserError, match="needs a teacher"):
        new_trainer(new_model(), **HALF_TEACHER)


def test_more_of_the_likeliest_pieces_than_there_are_is_refused(new_model, new_trainer):
    with pytest.raises(UserError, match=r"--teacher-top-k 4000: the vocabulary has \d+ pieces; give fewer"):
        new_trainer(new_model(), new_model(seed=1), teacher_top_k=4000, **HALF_TEACHER)
