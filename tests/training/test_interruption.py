"""A run that is stopped anywhere ends, when it goes on, with the weights of a run that nothing disturbed."""

import contextlib
import signal
from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback

from marian_distill.signals import Stopped, StopRequest
from marian_distill.training.checkpoints import last_whole_checkpoint

SETTINGS = {
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 4,  # four steps an epoch
    "max_steps": 8,
    "lr_scheduler_type": "constant",
    "save_strategy": "steps",
    "save_steps": 100,
    "eval_strategy": "epoch",
    "predict_with_generate": True,
}


class _Ask(TrainerCallback):
    """Asks the run to stop at the n-th event of a kind."""

    def __init__(self, request: StopRequest, event: str, count: int) -> None:
        self.request, self.left = request, count
        setattr(self, event, self._ask)

    def _ask(self, args, state, control, **kwargs) -> None:
        self.left -= 1
        if self.left == 0:
            self.request.signal = signal.SIGINT


def evaluations(trainer) -> list[float]:
    """Steps and losses in turn."""
    log = trainer.state.log_history
    return [number for entry in log if "eval_loss" in entry for number in (entry["step"], entry["eval_loss"])]


@pytest.fixture
def run(new_model, new_trainer):
    def train(directory: Path, request: StopRequest | None = None, callbacks=(), **options):
        trainer = new_trainer(
            new_model(dropout=0.2), callbacks=callbacks, stop=request, output_dir=str(directory), **SETTINGS | options
        )
        trainer.model.generation_config.max_new_tokens = 5
        checkpoint = last_whole_checkpoint(directory)
        with contextlib.suppress(Stopped):
            trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
        return trainer

    return train


@pytest.fixture
def whole(run, tmp_path):
    return run(tmp_path / "whole")


@pytest.mark.parametrize(
    ("event", "count", "kept"),
    [
        ("on_step_end", 3, 3),
        ("on_step_end", 4, 4),  # the last of an epoch: its evaluation is due
        ("on_step_end", 8, 8),  # the last of all
        ("on_substep_end", 2, None),  # within the first step: nothing to keep
        ("on_substep_end", 8, 2),  # within the third step
        ("on_substep_end", 14, 4),  # within the first step of the second epoch
        ("on_evaluate", 1, 4),
        ("on_prediction_step", 1, 4),  # within an evaluation
    ],
)
def test_it_stops_where_it_is_and_goes_on_exactly(event, count, kept, run, whole, tmp_path):
    request = StopRequest()
    stopped = run(tmp_path / "run", request, [_Ask(request, event, count)])
    assert stopped.interruption.stopped
    checkpoint = last_whole_checkpoint(tmp_path / "run")
    assert (checkpoint and checkpoint.name) == (kept and f"checkpoint-{kept}")
    resumed = run(tmp_path / "run")
    assert resumed.state.global_step == 8
    assert evaluations(resumed) == pytest.approx(evaluations(whole))
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], tensor), name


@pytest.mark.parametrize("file", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "model.safetensors"])
@pytest.mark.parametrize("how", ["missing", "truncated", "zeroed"])
def test_a_damaged_checkpoint_falls_back_to_the_last_whole_one(file, how, new_model, new_trainer, tmp_path, caplog):
    new_trainer(new_model(), max_steps=4, save_strategy="steps", save_steps=2).train()
    path = tmp_path / "run" / "checkpoint-4" / file
    content = path.read_bytes()
    path.unlink()
    if how != "missing":
        path.write_bytes(content[:-100] if how == "truncated" else content[:-100] + bytes(100))
    assert last_whole_checkpoint(tmp_path / "run").name == "checkpoint-2"
    assert not path.parent.exists()
    assert f"checkpoint-4 is damaged, {file} is" in caplog.messages[-1]
    assert caplog.messages[-1].endswith(": set aside as damaged-checkpoint-4")


def test_a_checkpoint_of_which_a_file_was_edited_is_set_aside_and_the_run_goes_on(new_model, new_trainer, tmp_path):
    options = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "save_total_limit": 1}
    for time, name in enumerate(("damaged-checkpoint-4", "damaged-checkpoint-4-2"), start=1):
        whole = new_trainer(new_model(), **options)
        whole.train()
        edited = tmp_path / "run" / "checkpoint-4" / "config.json"
        edited.write_text(edited.read_text() + " ")
        weights = (edited.parent / "model.safetensors").read_bytes()
        assert last_whole_checkpoint(tmp_path / "run") is None
        assert (tmp_path / "run" / name / "model.safetensors").read_bytes() == weights
        aside = [path for path in (tmp_path / "run").iterdir() if path.name.startswith("damaged-")]
        assert len(aside) == time  # which the limit of checkpoints does not count


def test_the_best_checkpoint_is_not_loaded_when_it_is_spoilt(new_model, new_trainer, tmp_path, caplog):
    class Spoil(TrainerCallback):
        def on_save(self, args, state, control, **kwargs) -> None:
            if state.global_step == state.max_steps:
                (Path(state.best_model_checkpoint) / "optimizer.pt").write_bytes(b"spoilt")

    schedule = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 2}
    trainer = new_trainer(new_model(), callbacks=[Spoil()], load_best_model_at_end=True, **schedule)
    trainer.train()
    best = Path(trainer.state.best_model_checkpoint).name
    assert f"{best}, which scored best, is damaged, optimizer.pt is not what was written" in caplog.text
    assert trainer.state.global_step == 4


@pytest.mark.parametrize("file", ["files.json", "trainer_state.json"])
@pytest.mark.parametrize("content", ["[]", "{", "3"])
def test_a_list_or_state_of_another_shape_is_a_damaged_checkpoint(file, content, new_model, new_trainer, tmp_path):
    new_trainer(new_model(), max_steps=4, save_strategy="steps", save_steps=2).train()
    (tmp_path / "run" / "checkpoint-4" / file).write_text(content)
    assert last_whole_checkpoint(tmp_path / "run").name == "checkpoint-2"


def test_a_damaged_checkpoint_on_another_disk_loses_its_link_alone(new_model, new_trainer, tmp_path):
    new_trainer(new_model(), max_steps=2, save_strategy="steps", save_steps=2).train()
    checkpoint = (tmp_path / "run" / "checkpoint-2").rename(tmp_path / "elsewhere")
    (tmp_path / "run" / "checkpoint-2").symlink_to(checkpoint)
    assert last_whole_checkpoint(tmp_path / "run").name == "checkpoint-2"
    (checkpoint / "optimizer.pt").unlink()
    assert last_whole_checkpoint(tmp_path / "run") is None
    assert (checkpoint / "model.safetensors").is_file()
