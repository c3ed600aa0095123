"""The YAML of a run: what it may say, and what its steps are called with."""

from pathlib import Path

import pytest
import yaml

from marian_distill.coordinate.coordinator import planned, stage_of
from marian_distill.coordinate.settings import read_settings
from marian_distill.errors import UserError
from toy_coordinated import settings_of, write_coordinated, write_settings

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, toy_chat_dir):
    write_coordinated(tmp_path, toy_chat_dir)
    return tmp_path


def test_each_step_gets_its_section_and_what_joins_them(folder, toy_chat_dir):
    settings = read_settings(
        write_settings(folder, toy_chat_dir, labels={"rejected": "drop", "no_log_probabilities": True})
    )
    settings.prepare_prompt()
    labels, logits = settings.labels(), settings.logits(64)
    assert (labels.teacher_llm, labels.rejected, labels.no_log_probabilities) == (str(toy_chat_dir), "drop", True)
    assert labels.prompt == logits.prompt_file == folder / "run" / "prompt.yaml"
    assert (logits.teacher_model, logits.max_seq_len, logits.temperature) == (str(toy_chat_dir), 64, 1.0)
    assert logits.tokenizer_dir == str(folder / "run" / "tokenizer")
    assert stage_of(settings, planned(settings)).longest == 64


def test_the_shipped_yaml_is_a_whole_run(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    settings = read_settings("recipes/coordinated/qwen.yaml")
    assert settings.is_language_model
    assert settings.shards["rows"] == 200_000
    assert settings.labels().device == settings.logits(256).device == "cuda"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shard": {}}, "unknown key 'shard'; did you mean shards?"),
        ({"shards": {"row": 3}}, "shards: unknown key 'row'; did you mean rows?"),
        ({"shards": {"rows": 0}}, "shards: rows 0: expected 1 or more"),
        ({"shards": {"make": "elsewhere"}}, "shards.make is 'elsewhere'"),
        ({"labels": {"max_new_token": 3}}, "labels: unknown key 'max_new_token'; did you mean max_new_tokens?"),
        ({"labels": {"rejected": "eat"}}, "labels: argument --rejected: invalid choice"),
        ({"labels": {"dataset": "x"}}, "labels: dataset follows from the plan"),
        ({"logits": {"k": 0}}, "logits: argument --k: 0: expected a whole number"),
        ({"teacher": None, "tokenizer": None}, "labels: no teacher; name one"),
        ({"corpus": {"direction": "both"}}, "a teacher translates in one direction"),
        ({"training": {"max_steps": 3}}, "training: max_steps follows from the plan"),
        ({"training": {"learning_rat": 3}}, "unknown option --learning-rat"),
        ({"training": {"alpha_ce": 1}}, "alpha_ce 1 learns nothing from logits"),
        ({"training": {"save_total_limit": 1}}, "save_total_limit 1 leaves no checkpoint"),
        ({"prompt": {"user": "no slot"}}, "{source} is missing"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(changes, message, folder, toy_chat_dir):
    with pytest.raises(UserError) as error:
        settings = read_settings(write_settings(folder, toy_chat_dir, **changes))
        settings.prepare_prompt()
        settings.labels()
        settings.logits(64)
        stage_of(settings, planned(settings))
    assert message in str(error.value)


def test_settings_survive_yaml(folder, toy_chat_dir):
    values = settings_of(folder, toy_chat_dir)
    assert read_settings(write_settings(folder, toy_chat_dir)).values == yaml.safe_load(yaml.safe_dump(values))
