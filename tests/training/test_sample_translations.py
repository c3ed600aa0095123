import logging

import pytest

from marian_distill.training import samples
from marian_distill.training.samples import SampleTranslations, show_samples
from toy_model import PAIRS


@pytest.fixture
def lines_of(new_model, new_trainer, dataset, caplog):
    """Trains a toy student for some steps; gives the lines about samples, and the trainer."""

    def run(count=2, **options):
        trainer = new_trainer(
            new_model(), sample_translations=count, max_steps=4, eval_strategy="steps",
            eval_steps=2, **options,
        )  # fmt: skip
        show_samples(trainer)
        with caplog.at_level(logging.INFO):
            trainer.train()
            trainer.evaluate()
        return [record.getMessage() for record in caplog.records if record.name == samples.__name__], trainer

    return run


def test_each_evaluation_shows_the_same_few_sentences_once(lines_of):
    lines, _ = lines_of()
    assert [line for line in lines if line.startswith("step")] == ["step 2 of 4  samples", "step 4 of 4  samples"]
    shown = dict.fromkeys(line.split(maxsplit=1)[1] for line in lines if line.startswith("    source"))
    assert len(shown) == 2
    for source in shown:
        reference = dict(PAIRS)[source]
        assert lines.count(f"    source       {source}") == lines.count(f"    reference    {reference}") == 2
    assert sum(line.startswith("    translation  ") for line in lines) == 4


def test_none_are_shown_where_none_are_asked_for(lines_of):
    lines, trainer = lines_of(count=0)
    assert lines == []
    assert not [one for one in trainer.callback_handler.callbacks if isinstance(one, SampleTranslations)]


def test_tensorboard_has_them_as_a_table(lines_of, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, trainer = lines_of(report_to=["tensorboard"], output_dir=str(tmp_path / "run"))
    (log,) = {path.parent for path in tmp_path.rglob("events.out.tfevents.*")}
    events = EventAccumulator(str(log)).Reload()
    (first, second) = events.Tensors("samples/text_summary")
    assert (first.step, second.step) == (2, 4)
    table = first.tensor_proto.string_val[0].decode()
    assert table.startswith("source | reference | translation\n---|---|---\n")
    assert trainer.state.global_step == 4
