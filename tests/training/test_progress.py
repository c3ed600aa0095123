import logging
import re

import pytest

from marian_distill.processor import describe_processor, usable_cores
from marian_distill.training import progress
from marian_distill.training.log import TrainingLog
from marian_distill.training.progress import ProgressLines, duration


@pytest.fixture
def train(new_model, new_trainer, caplog):
    """Trains a toy student with lines; gives them."""

    def run(tokens_per_step: float = 500, expected_minutes: float | None = None, teacher=None, **options) -> list[str]:
        lines = ProgressLines(tokens_per_step, expected_minutes)
        trainer = new_trainer(new_model(), teacher, callbacks=[lines], **{"max_steps": 6, **options})
        with caplog.at_level(logging.INFO):
            trainer.train()
            trainer.evaluate()
        return [record.getMessage() for record in caplog.records if record.name == progress.__name__]

    return run


def test_lines_say_step_losses_speed_and_time_left(train, new_model, capsys):
    lines = train(logging_steps=2, teacher=new_model(seed=1), alpha_ce=0.5)
    assert lines[0] == "6 steps of about 500 tokens"
    number = r"[\d.,]+"
    for step, line in zip((2, 4, 6), lines[1:4], strict=True):
        assert re.fullmatch(
            rf"step {step} of 6  loss {number}  CE {number}  KL {number}  {number} k tokens/s  \d+ % of the limit"
            r"  \d+ s left",
            line,
        ), line
    assert lines[4].startswith("6 steps made in ")
    assert re.fullmatch(rf"step 6 of 6  evaluation: loss {number}  \(\d+ s\)", lines[5])
    assert "{" not in capsys.readouterr().out  # Hugging Face's dictionaries


def test_a_long_silence_is_broken_and_a_slow_machine_told_with_a_remedy(train, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_OF_SILENCE", 0.0)
    lines = train(logging_steps=1000, expected_minutes=1e-6, max_steps=4)
    assert re.fullmatch(r"step 1 of 4  [\d.]+ s a step  \d+ s left", lines[1])
    (warning,) = [line for line in lines if "this machine needs" in line]
    assert "which is meant to take 0 s" in warning
    for remedy in ("close other programs", "--max-steps 1", "smaller --student-config", "a GPU"):
        assert remedy in warning


def test_a_machine_that_is_fast_enough_is_not_warned(train, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_OF_SILENCE", 0.0)
    assert not [line for line in train(expected_minutes=60) if "this machine needs" in line]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (3600, "1 h 0 min"), (30000, "8 h 20 min")],
)
def test_durations_are_read_at_a_glance(seconds, text):
    assert duration(seconds) == text


def test_the_log_file_has_what_came_before_its_folder_did(tmp_path, capsys):
    for text in ("first run", "second run"):
        with TrainingLog() as log:
            logging.info("%s, early", text)
            log.write_into(tmp_path)
            logging.info("%s, late", text)
    written = (tmp_path / "train.log").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 2)[2] for line in written] == [
        "first run, early", "first run, late", "second run, early", "second run, late",
    ]  # fmt: skip
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_the_processor_is_named():
    line = describe_processor()
    assert f", {usable_cores()} core" in line
    assert len(line) > len(", 2 cores")
