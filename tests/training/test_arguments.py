import dataclasses
import re
import tomllib
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from transformers import Seq2SeqTrainingArguments

from marian_distill.errors import UserError
from marian_distill.training import arguments
from marian_distill.training.arguments import resolved_options
from marian_distill.training.language.arguments import CausalModelArguments, TextArguments
from marian_distill.training.parsing import parse_arguments
from marian_distill.training.sharding import check_deepspeed

REPOSITORY = Path(__file__).parents[2]
STAGES = sorted((REPOSITORY / "recipes").rglob("[0-9]*.yaml"))
MINIMAL = {"student_config": "student.json", "output_dir": "outputs/student"}


@pytest.fixture
def options(tmp_path):
    """Resolved options of a YAML stage (a dict, or text) and a command line."""

    def resolve(stage: dict | str | None = None, *command_line: str) -> dict:
        path = tmp_path / "stage.yaml"
        text = stage if isinstance(stage, str) else yaml.safe_dump({**MINIMAL, **(stage or {})})
        path.write_text(text, encoding="utf-8")
        return resolved_options(parse_arguments(["--config", str(path), *command_line]))

    return resolve


def test_yaml_gives_the_stage_and_the_command_line_wins(options):
    stage = {"alpha_ce": 0.5, "learning_rate": "3e-4", "init_from_teacher": True, "teacher_model": "teacher"}
    resolved = options(stage, "--alpha-ce", "0.25", "--init-from-teacher", "false", "--warmup-steps=7", "--no-clean")
    assert resolved["alpha_ce"] == 0.25
    assert resolved["learning_rate"] == 3e-4
    assert resolved["init_from_teacher"] is resolved["clean"] is False
    assert resolved["warmup_steps"] == 7


@pytest.mark.parametrize("flag", ["--alpha-ce", "--alpha_ce"])
def test_hyphens_and_underscores_are_one(options, flag):
    assert options({}, flag, "0.5")["alpha_ce"] == 0.5
    assert options({"alpha-ce": 0.1}, f"{flag}=0.5")["alpha_ce"] == 0.5


@pytest.mark.parametrize("flag", ["--bf16", "--disable-tqdm", "--init-from-teacher", "--overwrite-output-dir"])
def test_a_yes_needs_no_value(options, flag):
    name = flag.removeprefix("--").replace("-", "_")
    assert options({"teacher_model": "teacher"}, flag)[name] is True
    assert options({"teacher_model": "teacher"}, flag, "--max-steps", "3")[name] is True
    assert options({name: True, "teacher_model": "teacher"}, flag, "false")[name] is False


def test_a_list_option_adds_up_on_the_command_line_and_overrides_the_stage(options):
    stage = {"extra_train_csv": ["a.csv", "b.csv"], "extra_train_repeat": [20, 0.5]}
    resolved = options(stage)
    assert (resolved["extra_train_csv"], resolved["extra_train_repeat"]) == (["a.csv", "b.csv"], [20.0, 0.5])
    command_line = ["--extra-train-csv", "c.csv", "--extra-train-csv", "d.csv", "e.csv", "--extra-train-repeat", "2"]
    resolved = options(stage, *command_line)
    assert (resolved["extra_train_csv"], resolved["extra_train_repeat"]) == (["c.csv", "d.csv", "e.csv"], [2.0])
    each = ["--extra-train-csv", "c.csv", "--extra-train-repeat", "100", "--extra-train-csv", "d.csv"]
    resolved = options(stage, *each, "--extra-train-repeat", "20")
    assert (resolved["extra_train_csv"], resolved["extra_train_repeat"]) == (["c.csv", "d.csv"], [100.0, 20.0])
    assert options({}, "--report-to", "tensorboard", "trackio")["report_to"] == ["tensorboard", "trackio"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["wandb"], "--report-to wandb: its package is not installed; uv run --with wandb … brings it"),
        (["tensorboard"], "tensorboard: its package is not installed; uv sync --extra trackers brings it"),
        (["trackio", "tensorboard"], "trackio: its package is not installed; uv sync --extra trackers brings it"),
        (["tensorbord"], "tensorbord: no such tracker; expected none, all or one of .*; did you mean tensorboard?"),
        (["none", "wandb"], "--report-to none wandb: none stands alone"),
    ],
)
def test_a_tracker_that_is_not_here_names_what_brings_it(names, message, monkeypatch):
    monkeypatch.setattr(arguments, "get_available_reporting_integrations", list)  # without the extra
    with pytest.raises(UserError, match=message):
        parse_arguments(["--student-config=s", "--output-dir=o", "--report-to", *names])


def test_the_extra_has_its_trackers():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = {re.match(r"[\w-]+", one)[0] for one in project["optional-dependencies"]["trackers"]}
    assert packages == set(arguments.TRACKERS_EXTRA)


def test_each_extra_file_has_its_number_of_copies():
    _, data, _ = parse_arguments(
        ["--student-config=s", "--output-dir=o", "--extra-train-csv", "a", "b", "--extra-train-repeat", "20"]
    )
    assert data.extra_sources() == [("a", 20.0), ("b", 20.0)]


def test_what_yaml_reads_in_its_own_way_means_what_was_written(options):
    resolved = options("student_config: s\noutput_dir: o\neval_strategy: no\nsave_strategy: no\nseed: null\n")
    assert (resolved["eval_strategy"], resolved["save_strategy"], resolved["seed"]) == ("no", "no", 42)


def test_every_option_of_transformers_can_be_given_in_a_stage(options):
    def plain(value):
        return value.value if isinstance(value, Enum) else value

    defaults = {
        field.name: plain(field.default_factory() if field.default is dataclasses.MISSING else field.default)
        for field in dataclasses.fields(Seq2SeqTrainingArguments)
        if field.init
    }
    choice = ("bf16", "fp16")  # given, it narrows what --precision auto may take
    given = {name: value for name, value in defaults.items() if value not in (None, "", []) and name not in choice}
    assert len(given) > 60
    resolved, untouched = options(given), options({})
    assert {name: resolved[name] for name in given} == {name: untouched[name] for name in given}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("lr_scheduler_kwargs", {"num_cycles": 2}),
        ("optim", "adafactor"),
        ("dataloader_num_workers", 2),
        ("logging_first_step", True),
        ("save_steps", 0.1),
        ("hub_strategy", "end"),
    ],
)
def test_options_of_transformers_take_their_values(options, option, value):
    assert options({option: value})[option] == value


@pytest.mark.parametrize("given", [{"bf16": True}, {"precision": "bf16"}, {"precision": "bf16", "bf16": True}])
def test_hugging_faces_name_of_a_type_and_ours_say_the_same(options, given):
    resolved = options(given)
    assert (resolved["precision"], resolved["bf16"], resolved["fp16"]) == ("bf16", True, None)


def test_without_a_word_the_type_is_open_and_a_no_rules_one_out(options):
    assert [options({})[name] for name in ("precision", "bf16", "fp16")] == ["auto", None, None]
    assert [options({"bf16": False})[name] for name in ("precision", "bf16", "fp16")] == ["auto", False, None]


@pytest.mark.parametrize(
    "given", [{"bf16": True, "fp16": True}, {"precision": "fp32", "bf16": True}, {"precision": "bf16", "fp16": True}]
)
def test_two_types_at_once_are_refused(options, given):
    with pytest.raises(UserError, match="contradict each other; give one"):
        options(given)


@pytest.mark.skipif(torch.accelerator.is_available(), reason="without a GPU")
@pytest.mark.parametrize("given", [{"fp16": True}, {"precision": "fp16"}])
def test_fp16_without_a_gpu_says_what_to_do(options, given):
    with pytest.raises(UserError, match="--precision fp16 needs a GPU; leave it out"):
        options(given)


@pytest.mark.parametrize(
    ("command_line", "message"),
    [
        (["--alpha-cee", "0.5"], "unknown option --alpha-cee; did you mean --alpha-ce?"),
        (["--num_beam=2"], "unknown option --num-beam; did you mean --num-beams?"),
        (["stray"], "'stray': not an option"),
        (["--learning-rate", "fast"], "invalid float value: 'fast'"),
        (["--direction", "de-en"], "invalid choice: 'de-en'"),
        (["--alpha-ce", "1.5"], "--alpha-ce 1.5: expected a share from 0 to 1"),
        (["--temperature", "0"], "--temperature 0.0: expected a number above 0"),
        (["--divergence", "backward"], "invalid choice: 'backward'"),
        (["--teacher-top-k=-1"], "--teacher-top-k -1: expected 0 or more"),
        (["--ema-decay", "1"], "--ema-decay 1.0: expected a share in [0, 1)"),
        (["--ema-decay", "0.9", "--average-checkpoints", "3"], "are two means of the weights; give one"),
        (["--average-every", "0"], "--average-every 0: expected 1 or more"),
        (["--average-checkpoints", "3", "--eval-strategy=steps", "--early-stopping-patience=2"], "goes to its end"),
        (["--hard-example-share", "1.5"], "--hard-example-share 1.5: expected a share from 0 to 1"),
        (["--hidden-matching=-1"], "--hidden-matching -1.0: expected 0 or more"),
        (["--match-encoder-layers", "1,2"], "--match-encoder-layers needs --hidden-matching or --attention-matching"),
        (["--attention-matching", "1", "--attention", "sdpa"], "--attention-matching needs --attention eager"),
        (["--temperature-end", "0"], "--temperature-end 0.0: expected a number above 0"),
        (["--layer-learning-rate-decay", "0"], "--layer-learning-rate-decay 0.0: expected a share above 0"),
        (["--subword-sampling", "2"], "--subword-sampling 2.0: expected a share"),
        (["--subword-alpha", "0"], "--subword-alpha 0.0: expected a number above 0, at most 1"),
        (["--label-smoothing-factor", "1"], "--label-smoothing-factor 1.0"),
        (["--tag-share", "2"], "--tag-share 2.0: expected a share"),
        (["--max-train-samples", "0"], "--max-train-samples 0: expected 1 or more"),
        (["--per-device-train-batch-size", "0"], "--per-device-train-batch-size 0: expected 1 or more"),
        (["--tokens-per-batch", "-1"], "--tokens-per-batch -1: expected 0 or more"),
        (["--student-model", "m"], "give either --student-config (a new student) or --student-model"),
        (["--init-from-teacher"], "--init-from-teacher needs --teacher-model"),
        (["--extra-train-csv", "a", "b", "--extra-train-repeat", "1", "2", "3"], "3 numbers for 2"),
        (["--load-best-model-at-end"], "--load_best_model_at_end requires the save and eval strategy to match"),
        (["--early-stopping-patience", "2"], "--early-stopping-patience needs --eval-strategy"),
        (["--resume-from-checkpoint", "nowhere"], "--resume-from-checkpoint nowhere: no checkpoint there"),
        (["--preprocess-num-proc", "-1"], "--preprocess-num-proc -1: expected 1 or more"),
        (["--output-dir", ""], "--output-dir is missing"),
        (["--dataloader-drop-last"], "--dataloader-drop-last has no effect"),
        (["--train-sampling-strategy", "group_by_length"], "--train-sampling-strategy has no effect"),
        (["--deepspeed", "zero3.json"], "--deepspeed: start it by accelerate launch"),
        (["--temperature", "nan"], "--temperature nan: expected a finite number"),
        (["--learning-rate", "inf"], "--learning-rate inf: expected a finite number"),
        (["--extra-train-repeat", "1e9"], "--extra-train-repeat 1e+09: expected a number from 0 to 10000"),
        (["--learning-rate=-1"], "--learning-rate -1.0: expected 0 or more"),
        (["--extra-train-csv", "a", "--extra-train-repeat", "nan"], "--extra-train-repeat nan: expected a finite"),
        (["--max-source-length", "513"], "--max-source-length 513: a model has 512 positions"),
        (["--save-only-model"], "--save-only-model: a run could not go on"),
        (["--hub-strategy", "checkpoint"], "--hub-strategy checkpoint: only a finished run is pushed"),
    ],
)
def test_mistakes_on_the_command_line_are_told_in_one_line(options, command_line, message):
    with pytest.raises(UserError) as caught:
        options({}, *command_line)
    assert message in str(caught.value)


def test_one_process_is_not_spread_over_several_gpus(options, monkeypatch):
    monkeypatch.setattr(Seq2SeqTrainingArguments, "n_gpu", 2)
    with pytest.raises(UserError, match="one process sees 2 GPUs"):
        options({})


def test_deepspeed_that_is_not_installed_is_one_line(options, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="DeepSpeed is not installed: uv sync --extra deepspeed"):
        options({})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"zero_stage": 2}, "zero_stage 2 is not supported"),
        ({"zero3_init_flag": True}, "zero3_init_flag would share out the teacher too"),
        ({"fp16": True}, "--precision fp16 does not go with DeepSpeed"),
        ({"resume_from_checkpoint": "elsewhere/checkpoint-3"}, "only those in --output-dir are read"),
    ],
)
def test_what_does_not_go_with_deepspeed_is_refused(settings, message):
    plugin = {"zero_stage": 3, "zero3_init_flag": False}
    given = {"fp16": False, "resume_from_checkpoint": "run/checkpoint-3", "output_dir": "run", **settings}
    plugin |= {name: given.pop(name) for name in plugin.keys() & given.keys()}
    with pytest.raises(UserError, match=message):
        check_deepspeed(SimpleNamespace(deepspeed_plugin=SimpleNamespace(**plugin), **given))


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("alfa_ce: 0.5", "stage.yaml: unknown key 'alfa_ce'; did you mean alpha_ce?"),
        ("zzzzzz: 1", "stage.yaml: unknown key 'zzzzzz'"),
        ("config: other.yaml", "stage.yaml: unknown key 'config'"),
        ("help: true", "stage.yaml: unknown key 'help'"),
        ("seed: 1\nalpha_ce: 0.5\nseed: 2", "stage.yaml: 'seed' is there twice"),
        ("- a\n- b", "stage.yaml: expected 'option: value' lines, found list"),
        ("alpha_ce: [0.5", "stage.yaml: not valid YAML"),
        ("alpha_ce: half", "invalid float value: 'half'"),
        ("", "give either --student-config"),
    ],
)
def test_mistakes_in_a_stage_are_told(options, stage, message):
    with pytest.raises(UserError) as caught:
        options(stage)
    assert message in str(caught.value)


def test_a_missing_stage_is_told(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        parse_arguments([f"--config={tmp_path / 'nowhere.yaml'}"])


def test_there_are_stages():
    assert STAGES


@pytest.mark.parametrize("path", STAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_stage_of_a_recipe_is_sound(path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    options, classes = ["--config", str(path)], {}
    if path.parent.name == "mini_qwen":  # the recipe gives its text and tokenizer on the command line
        options += ["--text", "book.txt", "--tokenizer-dir", "tokenizers/book"]
        classes = {"model": CausalModelArguments, "data": TextArguments}
    model, _, training = parse_arguments(
        [*options, "--output-dir", "outputs/stage"] if classes else options, **classes
    )
    assert (training.precision, training.bf16, training.fp16) == ("auto", None, None)  # each machine finds its own
    assert training.output_dir.startswith("outputs/")
    assert model.student_config is None or Path(model.student_config).is_file()


def test_without_options_a_stage_is_named():
    with pytest.raises(UserError, match="no options: give a stage, such as --config recipes/quickstart/1_teacher"):
        parse_arguments([])


def help_page(capsys, option: str) -> str:
    with pytest.raises(SystemExit) as leaving:
        parse_arguments([option], description="What it does.")
    assert not leaving.value.code
    return capsys.readouterr().out


def test_help_has_the_common_options_first_with_their_defaults(capsys):
    page = help_page(capsys, "--help")
    assert page.startswith("What it does.")
    titles = [
        "--config",
        "Student, teacher, tokenizer:",
        "Data:",
        "Distillation",
        "More ways to teach",
        "Training (Hugging Face's):",
    ]
    assert sorted(titles, key=page.index) == titles
    for name, default in {"--alpha-ce X": "[1.0]", "--learning-rate X": "[5e-05]", "--direction": "[en-zh]"}.items():
        assert default in page.partition(name)[2].partition("\n  --")[0]
    assert "--use-liger-kernel" not in page
    assert len(page.splitlines()) < 220


def test_help_all_has_every_option(capsys):
    page = help_page(capsys, "--help-all")
    for name in resolved_options(parse_arguments(["--student-config=s", "--output-dir=o"])):
        assert f"--{name.replace('_', '-')}" in page
