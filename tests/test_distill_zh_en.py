"""Whole stages on a toy corpus: what a run leaves behind, and how it goes on after it was stopped."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import GenerationConfig, MarianMTModel, MarianTokenizer

from marian_distill.files import read_json
from toy_model import PAIRS
from toy_training import COMMAND, stage_options, write_student_config


def losses(folder: Path) -> dict[int, float]:
    return {entry["step"]: entry["loss"] for entry in read_json(folder / "log.json") if "loss" in entry}


@pytest.fixture(scope="session")
def teacher_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.getbasetemp() / "teacher"


@pytest.fixture
def teacher(teacher_dir, toy_stage, distill) -> Path:
    """A teacher trained by the command itself, once."""
    if not teacher_dir.exists():
        assert distill(*stage_options(toy_stage, teacher_dir, max_steps=100)) == 0
    return teacher_dir


def test_a_finished_run_is_a_usable_model_with_its_papers(teacher, toy_stage):
    files = {path.name for path in teacher.iterdir()}
    assert {"README.md", "options.json", "run.json", "log.json"} < files
    assert {"model.safetensors", "config.json", "generation_config.json"} < files
    assert {"source.spm", "target.spm", "vocab.json", "tokenizer_config.json"} < files
    assert not {"staged", "training_args.bin"} & files
    assert (teacher / "source.spm").read_bytes() == (toy_stage / "tokenizer" / "source.spm").read_bytes()
    assert read_json(teacher / "vocab.json") == read_json(toy_stage / "tokenizer" / "vocab.json")

    first, *_, last = losses(teacher).values()
    assert last < first / 5

    run = read_json(teacher / "run.json")
    assert run["steps"] == 100
    assert run["parameters"] == MarianMTModel.from_pretrained(teacher).num_parameters()
    assert run["data"]["sources"] == {"train": 96}
    assert list(run["data"]["fingerprints"]) == [str(toy_stage / "train.tsv")]
    assert {"torch", "transformers", "python", "git"} < set(run["versions"])
    assert run["metrics"]["eval_loss"] > 0
    assert 0 <= run["padding_share"] < 0.6
    options = read_json(teacher / "options.json")
    assert (options["max_steps"], options["seed"], options["alpha_ce"]) == (100, 42, 1.0)
    card = (teacher / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlanguage:")
    assert "| loss |" in card
    assert "`train`: 96 pairs" in card


def test_plain_transformers_translates_with_it(teacher):
    model, tokenizer = MarianMTModel.from_pretrained(teacher), MarianTokenizer.from_pretrained(teacher)
    assert read_json(teacher / "config.json")["architectures"] == ["MarianMTModel"]
    assert read_json(teacher / "config.json")["directions"] == ["en-zh"]
    pad = model.config.pad_token_id
    generation = GenerationConfig.from_pretrained(teacher)
    assert (generation.decoder_start_token_id, generation.bad_words_ids) == (pad, [[pad]])
    assert model.get_input_embeddings().weight[pad].abs().sum() == 0.0
    english, chinese = PAIRS[1]  # one that it was trained on
    inputs = tokenizer([english], return_tensors="pt")
    with torch.no_grad():
        assert tokenizer.decode(model.generate(**inputs)[0], skip_special_tokens=True) == chinese


def test_the_card_is_what_the_hub_reads_and_its_snippet_runs(toy_stage, distill, tmp_path, monkeypatch, capsys):
    options = stage_options(toy_stage, tmp_path / "student", direction="both", predict_with_generate=True, max_steps=2)
    assert distill(*options) == 0
    card = ModelCard.load(tmp_path / "student" / "README.md")
    assert str(tmp_path) not in card.content
    assert (card.data.license, card.data.library_name) == ("other", "transformers")
    assert {"marian", "knowledge-distillation", "en-zh", "zh-en"} == set(card.data.tags)
    assert "the tag of the language that is wanted: `>>cmn_Hans<<` Chinese, `>>eng<<` English" in card.content
    results = {(one.task_name, one.metric_type): one for one in card.data.eval_results}
    assert set(results) == {(f"Translation {way}", kind) for way in ("en-zh", "zh-en") for kind in ("bleu", "chrf")}
    assert {one.dataset_name for one in results.values()} == {"dev.tsv"}
    assert "tok:zh" in results["Translation en-zh", "bleu"].metric_config
    snippet = card.content.partition("```python\n")[2].partition("```")[0]
    assert ">>cmn_Hans<< We like tea." in snippet
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    exec(snippet, {})  # noqa: S102 (our own)
    assert capsys.readouterr().out.endswith("\n")


def test_a_finished_run_is_not_trained_again(teacher, toy_stage, distill, capsys):
    before = (teacher / "model.safetensors").stat().st_mtime_ns
    assert distill(*stage_options(toy_stage, teacher, max_steps=100)) == 0
    assert "is finished" in capsys.readouterr().err
    assert (teacher / "model.safetensors").stat().st_mtime_ns == before


def test_distillation_from_the_teachers_layers_in_bfloat16_with_scores(teacher, toy_stage, distill, tmp_path, capsys):
    config = write_student_config(
        tmp_path / "small.json",
        vocab_size=len(read_json(teacher / "vocab.json")),
        encoder_layers=1,
        decoder_layers=1,
        dropout=0.0,
    )
    options = stage_options(
        toy_stage,
        tmp_path / "student",
        student_config=config,
        tokenizer_dir=None,  # the teacher's
        teacher_model=teacher,
        init_from_teacher=True,
        init_from_teacher_encoder_layer_map="1",
        alpha_ce=0.5,
        temperature=2,
        label_smoothing_factor=0.1,
        precision="bf16",
        predict_with_generate=True,
        max_steps=30,
    )
    assert distill(*options) == 0
    run = read_json(tmp_path / "student" / "run.json")
    assert run["teacher_init"]["counts"] == {"copied": 7, "mapped": 16 + 26, "skipped": 0}
    assert run["metrics"]["eval_chrf++"] > 30
    assert "tok:zh" in run["signatures"]["eval_bleu"]
    log = [entry for entry in read_json(tmp_path / "student" / "log.json") if "loss" in entry]
    assert log[-1]["divergence"] < log[0]["divergence"]
    card = (tmp_path / "student" / "README.md").read_text(encoding="utf-8")
    assert run["signatures"]["eval_bleu"] in card
    scores = {name: value for name, value in run["metrics"].items() if name.startswith("eval_")}
    assert json.loads(capsys.readouterr().out) == scores
    assert MarianMTModel.from_pretrained(tmp_path / "student").dtype == torch.float32


def test_one_model_for_both_directions_is_steered_by_the_tag(toy_stage, distill, tmp_path):
    options = stage_options(
        toy_stage, tmp_path / "both", direction="both", predict_with_generate=True, max_eval_samples=3
    )
    assert distill(*options) == 0
    assert read_json(tmp_path / "both" / "config.json")["directions"] == ["en-zh", "zh-en"]
    run = read_json(tmp_path / "both" / "run.json")
    assert run["data"]["examples"] == 2 * 96
    assert {"eval_en-zh_loss", "eval_en-zh_bleu", "eval_zh-en_loss", "eval_zh-en_chrf++"} < set(run["metrics"])
    assert "tok:zh" in run["signatures"]["eval_en-zh_bleu"]
    assert "tok:13a" in run["signatures"]["eval_zh-en_bleu"]


def test_a_stage_goes_on_from_a_model_and_stops_at_its_best(teacher, toy_stage, distill, tmp_path):
    options = stage_options(
        toy_stage,
        tmp_path / "tuned",
        student_config=None,
        tokenizer_dir=None,
        student_model=teacher,
        learning_rate=0.3,  # too high: it grows worse
        max_steps=30,
        eval_strategy="steps",
        eval_steps=1,
        save_steps=1,
        save_total_limit=1,
        load_best_model_at_end=True,
        early_stopping_patience=2,
    )
    assert distill(*options) == 0
    log = read_json(tmp_path / "tuned" / "log.json")
    evaluations = [entry["eval_loss"] for entry in log if "eval_loss" in entry][:-1]
    assert len(evaluations) < 30
    assert read_json(tmp_path / "tuned" / "run.json")["metrics"]["eval_loss"] == pytest.approx(min(evaluations))


# Stopped and started again

# Two batches an epoch, dropout, and a checkpoint every 15 of 60 steps.
LONG = {"max_steps": 60, "save_steps": 15, "tokens_per_batch": 1500, "eval_dataset": None, "source_noise": 0.3}


@pytest.fixture(scope="session")
def whole_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.getbasetemp() / "whole"


@pytest.fixture
def whole(whole_dir, toy_stage, distill) -> dict[int, float]:
    """The losses of a run that nothing stopped."""
    if not whole_dir.exists():
        assert distill(*stage_options(toy_stage, whole_dir, **LONG)) == 0
    return losses(whole_dir)


def stop_after_a_checkpoint(options: list[str], folder: Path, number: signal.Signals, cache: Path) -> tuple[int, str]:
    """Run the command in a process of its own; send it a signal when it has a checkpoint; exit code and stderr."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(cache)}
    command = [sys.executable, str(COMMAND), *options]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        while run.poll() is None and not (folder / "checkpoint-15" / "trainer_state.json").exists():
            time.sleep(0.005)
        run.send_signal(number)
        _, errors = run.communicate(timeout=60)
    return run.returncode, errors


def test_killed_and_started_again_it_has_the_losses_of_a_run_in_one_piece(
    whole,
    toy_stage,
    distill,
    datasets_cache,
    tmp_path,
):
    options = stage_options(toy_stage, tmp_path / "run", **LONG)
    code, errors = stop_after_a_checkpoint(options, tmp_path / "run", signal.SIGKILL, datasets_cache)
    assert code == -signal.SIGKILL, errors
    assert not (tmp_path / "run" / "run.json").exists()
    half_written = tmp_path / "run" / "checkpoint-59"
    half_written.mkdir()
    (half_written / "model.safetensors").write_bytes(b"half")
    assert distill(*options) == 0
    assert not half_written.exists()
    assert losses(tmp_path / "run") == pytest.approx(whole, rel=1e-6)


def test_sigterm_saves_a_checkpoint_and_the_same_command_goes_on(
    whole,
    toy_stage,
    distill,
    datasets_cache,
    tmp_path,
):
    options = stage_options(toy_stage, tmp_path / "run", **LONG)
    code, errors = stop_after_a_checkpoint(options, tmp_path / "run", signal.SIGTERM, datasets_cache)
    assert code == 143, errors
    stopped_at = re.search(r"SIGTERM: stopping at step (\d+)", errors)
    checkpoint = Path(errors.strip().splitlines()[-1].rpartition(" ")[2])
    assert checkpoint.name == f"checkpoint-{stopped_at[1]}"
    assert "the same command goes on from" in errors.strip().splitlines()[-1]
    assert 15 <= read_json(checkpoint / "trainer_state.json")["global_step"] < 60
    assert not (tmp_path / "run" / "run.json").exists()
    assert distill(*options) == 0
    assert losses(tmp_path / "run") == pytest.approx(whole, rel=1e-6)


def test_an_interrupted_run_is_not_resumed_on_other_data(toy_stage, distill, datasets_cache, tmp_path, capfd):
    train = tmp_path / "train.tsv"
    train.write_bytes((toy_stage / "train.tsv").read_bytes())
    options = stage_options(toy_stage, tmp_path / "run", **LONG | {"dataset": train})
    stop_after_a_checkpoint(options, tmp_path / "run", signal.SIGKILL, datasets_cache)
    with train.open("a", encoding="utf-8") as stream:
        stream.write("One more coffee, please.\t请再给我一杯咖啡。\n")
    assert distill(*options) == 2
    assert f"holds another run (fingerprint of {train} is" in capfd.readouterr().err
    assert distill(*options, "--overwrite-output-dir") == 0


def test_a_resumed_run_follows_another_attention_and_says_so(toy_stage, distill, tmp_path, capfd):
    options = stage_options(toy_stage, tmp_path / "run", save_steps=2)
    assert distill(*options) == 0
    (tmp_path / "run" / "run.json").unlink()
    shutil.rmtree(tmp_path / "run" / "checkpoint-4")
    capfd.readouterr()
    assert distill(*options, "--attention", "sdpa") == 0
    errors = capfd.readouterr().err
    assert errors.count("the run began in fp32 with eager attention; from here on it follows --attention sdpa") == 1
    assert read_json(tmp_path / "run" / "options.json")["computes in"]["attention"] == "sdpa"


def test_numbers_that_are_not_finite_end_the_run_and_nothing_is_published(toy_stage, distill, tmp_path, capfd):
    options = stage_options(toy_stage, tmp_path / "run", learning_rate=1e20, max_grad_norm=0, max_steps=50)
    assert distill(*options) == 2
    assert re.search(r"error: step \d+: .*lower --learning-rate", capfd.readouterr().err.splitlines()[-1])
    assert not (tmp_path / "run" / "run.json").exists()
    assert not list((tmp_path / "run").glob("*.safetensors"))


def test_a_second_run_into_the_same_folder_is_told_so(toy_stage, distill, datasets_cache, tmp_path, capfd):
    options = stage_options(toy_stage, tmp_path / "run", **LONG)
    holder = subprocess.Popen(
        [sys.executable, "-c", f"""
from marian_distill.locks import folder_lock
with folder_lock({str(tmp_path / "run")!r}):
    print("held", flush=True)
    input()
"""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    holder.stdout.readline()
    assert distill(*options) == 2
    assert f"process {holder.pid} is writing there" in capfd.readouterr().err.splitlines()[-1]
    holder.communicate("\n")
