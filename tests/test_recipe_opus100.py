"""The published chain without a network: the very same stages at a thousandth of their size, from the hub to int8."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import MarianMTModel

from hub_cache import add_opus_100, add_opus_mt
from marian_distill.augment import examples
from marian_distill.files import read_json, sha256
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.training.arguments import resolved_options
from marian_distill.training.parsing import parse_arguments
from warm_commands import warm_commands

REPOSITORY = Path(__file__).parents[1]
# Sizes; everything else is as in the YAMLs.
OPTIONS = "--extra-train-repeat 1 --warmup-steps 2 --logging-steps 4 --preprocess-num-proc 2"
SIZES = {"pieces": 1000, "slice_examples": 2, "device": "cpu"}
PAIRS = {"coffee": 28, "travel": 40, "money": 40}
WIDE, NARROW = "outputs/opus-mt-small512d-opus100", "outputs/opus-mt-small320d-opus100-joint32k"
# Folder of each stage → its updates: 1,000 pairs of the hub's and the extra ones once, 32 at a time.
STAGES = {
    WIDE: 32,
    f"{WIDE}-ft-mix-coffee": 33,
    f"{WIDE}-joint32k-smoke": 34,
    f"{WIDE}-joint32k": 34,
    NARROW: 34,
    f"{NARROW}-ft-decimal": 33,
    f"{NARROW}-ft-money-coffee": 34,
}
# Folder of a stage → where it started.
STARTS = {
    f"{WIDE}-ft-mix-coffee": WIDE,
    f"{WIDE}-joint32k": f"{WIDE}-joint32k-smoke",
    f"{NARROW}-ft-decimal": NARROW,
    f"{NARROW}-ft-money-coffee": NARROW,
}


RECIPE = REPOSITORY / "recipes" / "opus100_en_zh"


def typed_commands() -> list[list[str]]:
    """The README's commands as a shell would take them apart, after `uv run`."""
    readme = (RECIPE / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## By hand")[2].split("```")[1]
    variables, commands = {}, []
    for line in block.strip().splitlines():
        name, is_assignment, value = line.partition("=")
        for variable in sorted(variables, key=len, reverse=True):
            line = line.replace(f"${variable}", variables[variable])
        if is_assignment and name.isupper():
            variables[name] = value.strip('"')
        else:
            commands.append(shlex.split(line)[2:])
    return commands


def test_what_is_typed_by_hand_means_what_the_stages_mean(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    typed = [command[1:] for command in typed_commands() if command[0] == "distill_zh_en.py"]
    stages = sorted(RECIPE.glob("[0-9]*.yaml"))
    for stage, options in zip(stages, typed, strict=True):
        in_file = resolved_options(parse_arguments(["--config", str(stage)]))
        by_hand = resolved_options(parse_arguments(options))
        assert by_hand | {"expected_minutes": in_file["expected_minutes"]} == in_file, stage.name


# The options of the scripts as the chain's publication has them.
PUBLISHED = {
    "build_joint_tokenizer": "--output-dir --dataset --dataset-config --max-samples --extra-csv --vocab-size "
    "--model-type --character-coverage",
    "make_student_config": "--teacher-model --output --d-model --encoder-layers --decoder-layers --attention-heads "
    "--ffn-dim --vocab-size",
    "make_extra_coffee_data": "--output-csv --repeat --device --compute-type",
    "make_extra_travel_data": "--output-csv --num-examples --repeat",
    "make_extra_money_data": "--output-csv --num-examples --repeat --seed",
    "translate_ct2": "--model-dir --device --compute-type --beam-size --max-decoding-length --text",
}


@pytest.mark.parametrize("script", PUBLISHED)
def test_the_scripts_have_the_published_options(script):
    command = [sys.executable, str(REPOSITORY / "scripts" / f"{script}.py"), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set(PUBLISHED[script].split()) <= set(re.findall(r"--[a-z0-9-]+", shown))


def environment_of(workspace: Path) -> dict[str, str]:
    """The hub's cache of the workspace and no network."""
    changes = {
        "HF_HOME": str(workspace / "hub-cache"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",  # models this small are slower on two
        "UV_PROJECT": str(REPOSITORY),
        "UV_NO_SYNC": "1",
        "UV_OFFLINE": "1",
    }
    left_out = ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in left_out} | changes


def run(workspace: Path, environment: dict[str, str], *command: str | Path) -> str:
    """A command as it is typed in the repository."""
    done = subprocess.run(
        list(map(str, command)), cwd=workspace, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the repository, where the whole recipe has run."""
    workspace = tmp_path_factory.mktemp("chain")
    for name in ("scripts", "recipes", "profiles", "distill_zh_en.py", "data/manual_corrections.csv"):
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).symlink_to(REPOSITORY / name)
    (workspace / "data" / "sentences.en.txt").symlink_to(REPOSITORY / "data" / "sentences.en.txt")
    rows = [
        (one.en, one.zh)
        for domain, count in (("travel", 640), ("money", 200), ("coffee", 200))
        for one in examples(domain, "train", count, seed=1)
    ]
    add_opus_100(
        workspace / "hub-cache",
        {"train": rows[40:], "validation": rows[:30], "test": [*rows[30:38], ("Save", "Save")]},
    )
    add_opus_mt(workspace / "hub-cache", rows, steps=10)
    config = (
        "uv run -s scripts/make_student_config.py --teacher-model Helsinki-NLP/opus-mt-en-zh --output student_configs/"
    )
    joint = SIZES["pieces"] + 1
    settings = [f"{name}={value}" for name, value in SIZES.items()] + [f"pairs={PAIRS}", f"options={OPTIONS}"]
    recipe = [sys.executable, "-m", "snakemake", "-s", "recipes/opus100_en_zh/Snakefile", "--cores", "2"]
    with warm_commands(tmp_path_factory.mktemp("w") / "warm", environment_of(workspace)) as environment:
        for sizes in (
            "512d_6x2_65k.json --decoder-layers 2",
            f"512d_6x2_32k.json --decoder-layers 2 --vocab-size {joint}",
            "320d_5x2_32k.json --d-model 40 --encoder-layers 5 --decoder-layers 2 --attention-heads 8 --ffn-dim 160 "
            f"--vocab-size {joint}",
        ):
            run(workspace, environment, *shlex.split(config + sizes))
        run(workspace, environment, *recipe, "--max-threads", "1", "--config", *settings)
    return workspace


def losses(workspace: Path, folder: str) -> list[float]:
    return [entry["loss"] for entry in read_json(workspace / folder / "log.json") if "loss" in entry]


@pytest.mark.slow
def test_every_stage_does_what_it_is_for(chain):
    runs = {folder: read_json(chain / folder / "run.json") for folder in STAGES}
    assert {folder: run["steps"] for folder, run in runs.items()} == STAGES  # batches of 4 × 8, one epoch

    # The hub's data and weights came in, and each stage says from what it was made.
    opus_100 = {run["data"]["fingerprints"]["Helsinki-NLP/opus-100"] for run in runs.values()}
    assert len(opus_100) == 1
    for student, start in STARTS.items():
        assert (
            sha256(chain / start / "model.safetensors")
            == read_json(chain / student / "options.json")["fingerprint of student_model"]
        )

    # What was taken over from the teacher.
    first, smoke = runs[WIDE]["teacher_init"], runs[f"{WIDE}-joint32k-smoke"]["teacher_init"]
    assert first["counts"] == {"copied": 103, "mapped": 52, "skipped": 0}
    assert smoke["counts"] == {"copied": 98, "mapped": 52, "skipped": 5}
    assert set(smoke["skipped"].values()) == {"vocabulary differs"}
    assert runs[NARROW]["teacher_init"] is None

    # It learns: the first stage begins as good as its teacher, those with published rates of 3e-4 have far to go.
    assert read_json(chain / WIDE / "log.json")[0]["divergence"] < 0.2
    for folder in (f"{WIDE}-joint32k-smoke", f"{WIDE}-joint32k", NARROW, f"{NARROW}-ft-decimal"):
        first, *_, last = losses(chain, folder)
        assert last < first, folder
    assert runs[f"{NARROW}-ft-money-coffee"]["metrics"]["eval_loss"] < runs[NARROW]["metrics"]["eval_loss"]

    # Vocabularies: the teacher's, a model a side; the joint one after that.
    assert (chain / WIDE / "source.spm").read_bytes() != (chain / WIDE / "target.spm").read_bytes()
    joint = SentencePieceTokenizer(chain / NARROW)
    assert joint.pad_id == len(joint.vocabulary) - 1 == SIZES["pieces"]
    assert joint.vocabulary == SentencePieceTokenizer(chain / "tokenizers/opus100_joint32k").vocabulary


@pytest.mark.slow
def test_the_int8_folder_is_the_last_stage_s_model(chain):
    model_dir, exported = chain / f"{NARROW}-ft-money-coffee", chain / f"{NARROW}-ft-money-coffee-ct2-int8"
    report = read_json(exported / "export.json")
    assert report["model_sha256"] == sha256(model_dir / "model.safetensors")
    assert report["effective_compute_type"].startswith("int8")
    assert (exported / "model.bin").stat().st_size < 0.4 * (model_dir / "model.safetensors").stat().st_size

    # As likely a translation to the engine as to the model that was trained.
    translator, model = CTranslate2Translator(exported), MarianMTModel.from_pretrained(model_dir).eval()
    pieces = SentencePieceTokenizer(exported)
    (source,), (target,) = pieces.source_pieces(["give me a cup of latte"]), pieces.target_pieces(["给我一杯拿铁"])
    (scored,) = translator.engine.score_batch([source], [target[:-1]])
    labels = torch.tensor([SentencePieceTokenizer(model_dir).ids(target)])
    with torch.no_grad():
        loss = model(input_ids=torch.tensor([SentencePieceTokenizer(model_dir).ids(source)]), labels=labels).loss
    assert -sum(scored.log_probs) / len(scored.log_probs) == pytest.approx(float(loss), rel=0.02)

    lines = (chain / "outputs/opus100_en_zh/sentences.zh.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len((REPOSITORY / "data/sentences.en.txt").read_text(encoding="utf-8").splitlines())
    table = (chain / "outputs/opus100_en_zh/report.txt").read_text(encoding="utf-8")
    assert "4_joint32k" in table
    assert "21.55" in table
    assert "coffee/unseen_patterns" in table


@pytest.mark.slow
def test_the_hub_s_text_is_audited_and_corrected(chain):
    suspects, corrected = chain / "suspects.csv", chain / "corrected"
    hub = ["--dataset", "Helsinki-NLP/opus-100", "--split", "test"]
    environment = environment_of(chain)
    printed = run(
        chain, environment, "uv", "run", "-s", "scripts/audit_parallel_data.py", *hub, "--output-csv", suspects
    )
    assert "9 pairs, " in printed
    with suspects.open(encoding="utf-8", newline="") as stream:
        worst = next(csv.DictReader(stream))
    assert (worst["en"], worst["score"], worst["source"]) == ("Save", "1.0", "Helsinki-NLP/opus-100")
    corrections = chain / "corrections.csv"
    corrections.write_text("en,zh,new_en,new_zh\nSave,Save,Save,保存\n", encoding="utf-8")
    options = [*hub, "--corrections", corrections, "--output-dir", corrected]
    printed = run(chain, environment, "uv", "run", "-s", "scripts/apply_corrections.py", *options)
    assert "9 rows, 1 changed, 0 dropped" in printed
    with (chain / "data/generated/opus100_en_zh/coffee/corrections.json").open(encoding="utf-8") as stream:
        assert json.load(stream)["rows"] == PAIRS["coffee"]
