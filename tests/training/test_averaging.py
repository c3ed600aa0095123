import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

STEPS = {"max_steps": 8, "save_strategy": "steps", "save_steps": 3, "lr_scheduler_type": "constant"}
WAYS = pytest.mark.parametrize("way", [{"ema_decay": 0.7}, {"average_checkpoints": 3, "average_every": 2}], ids=str)


class _Weights(TrainerCallback):
    """The weights after each step."""

    def __init__(self) -> None:
        self.after: list[dict[str, torch.Tensor]] = []

    def on_step_end(self, args, state, control, **kwargs) -> None:
        self.after.append({name: each.detach().clone() for name, each in kwargs["model"].named_parameters()})


def trained(new_trainer, student, way, resume=None, **options):
    seen = _Weights()
    trainer = new_trainer(student, callbacks=[seen], **STEPS, **way, **options)
    trainer.train(resume_from_checkpoint=resume and f"{trainer.args.output_dir}/{resume}")
    return trainer, seen.after


def test_the_moving_average_is_what_its_decay_says(new_model, new_trainer):
    trainer, steps = trained(new_trainer, new_model(), {"ema_decay": 0.7})
    for name, tensor in trainer.model.named_parameters():
        mean = steps[0][name]
        for number, weights in enumerate(steps[1:], 2):
            share = max(0.3, 1 / number)  # the first three are a plain mean
            mean = (1 - share) * mean + share * weights[name]
        torch.testing.assert_close(tensor.detach(), mean)


def test_the_mean_of_the_last_checkpoints_is_plain(new_model, new_trainer):
    trainer, steps = trained(new_trainer, new_model(), {"average_checkpoints": 3, "average_every": 2})
    for name, tensor in trainer.model.named_parameters():
        torch.testing.assert_close(tensor.detach(), (steps[3][name] + steps[5][name] + steps[7][name]) / 3)


@WAYS
def test_steps_stay_as_they_are_and_a_resumed_run_ends_with_the_same_mean(way, new_model, new_trainer):
    evaluated = {"eval_strategy": "steps", "eval_steps": 2}
    _, plain = trained(new_trainer, new_model(dropout=0.2), {}, **evaluated)
    whole, steps = trained(new_trainer, new_model(dropout=0.2), way, **evaluated)
    assert all(torch.equal(plain[-1][name], tensor) for name, tensor in steps[-1].items())
    resumed, _ = trained(new_trainer, new_model(seed=4, dropout=0.2), way, "checkpoint-6", **evaluated)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], tensor), name


def test_evaluation_and_the_published_model_have_the_mean_and_a_zero_pad_row(new_model, new_trainer, tmp_path):
    trainer, steps = trained(new_trainer, new_model(), {"ema_decay": 0.9}, eval_strategy="steps", eval_steps=8)
    (during,) = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert trainer.evaluate()["eval_loss"] == pytest.approx(during)
    trainer.save_model(str(tmp_path / "saved"))
    weights = load_file(tmp_path / "saved" / "model.safetensors")["model.shared.weight"]
    assert weights[-1].abs().sum() == 0.0
    assert not torch.equal(weights, steps[-1]["model.shared.weight"])
    assert not list((tmp_path / "saved").glob("kept*"))


def test_the_best_checkpoint_comes_back_with_its_mean(new_model, new_trainer):
    best = {"load_best_model_at_end": True, "metric_for_best_model": "loss", "save_steps": 1, "learning_rate": 0.5}
    trainer = new_trainer(new_model(), ema_decay=0.5, eval_strategy="steps", eval_steps=1, **{**STEPS, **best})
    trainer.train()
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert trainer.evaluate()["eval_loss"] == pytest.approx(min(losses))
