"""What a person gets wrong costs one line and exit code 2, and leaves nothing half-written: whole stages, for real."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marian_distill.files import read_json, write_json
from toy_model import PAIRS, write_model, write_tokenizer
from toy_training import COMMAND, stage_options, write_student_config, write_tsv

SWAPPED = [(chinese, english) for english, chinese in PAIRS]


@pytest.fixture
def fails(distill, capsys):
    """Runs a stage that must fail; gives the one line that it says."""

    def run(options: list[str], output_dir: Path | None = None) -> str:
        assert distill(*options) == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith(("error", "Traceback"))]
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        assert output_dir is None or not output_dir.exists() or not any(output_dir.iterdir())
        return lines[0]

    return run


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("wrong.csv", b"source,ziel\nHello,\xe4\xbd\xa0\xe5\xa5\xbd\n", "wrong.csv"),
        ("empty.tsv", b"en\tzh\n", "empty.tsv: no rows"),
        ("bytes.tsv", b"en\tzh\nHello\t\xff\xfe\n", "bytes.tsv"),
        ("row.tsv", b"en\tzh\nHello\n", "row.tsv"),
        ("text.docx", b"PK", "text.docx: unknown kind of file"),
    ],
)
def test_a_corpus_that_cannot_be_read(name, content, message, toy_stage, fails, tmp_path):
    (tmp_path / name).write_bytes(content)
    output = tmp_path / "run"
    assert message in fails(stage_options(toy_stage, output, dataset=tmp_path / name), output)
    assert message in fails(stage_options(toy_stage, output, extra_train_csv=tmp_path / name), output)
    assert message in fails(stage_options(toy_stage, output, eval_dataset=tmp_path / name), output)


@pytest.mark.parametrize("how", ["Parquet", "saved"])
def test_a_corpus_without_a_validation_split_is_told_before_the_training_text_is_tokenised(
    how, toy_stage, distill, capsys, tmp_path
):
    corpus, rows = tmp_path / "corpus", {"en": ["Tea.", "Milk."], "zh": ["茶。", "牛奶。"]}
    corpus.mkdir()
    if how == "Parquet":
        pq.write_table(pa.table(rows), corpus / "train-00000-of-00001.parquet")
    else:
        datasets.Dataset.from_dict(rows).save_to_disk(corpus)
    assert distill(*stage_options(toy_stage, tmp_path / "run", dataset=corpus, eval_dataset=None)) == 2
    said = capsys.readouterr().err
    assert "tokenising" not in said
    assert said.splitlines()[-1].startswith(f"error: {corpus}: ")
    assert said.splitlines()[-1].endswith("Name what to evaluate on: give --eval-dataset")
    assert not (tmp_path / "run").exists()


def test_a_corpus_in_the_wrong_direction(toy_stage, fails, tmp_path):
    swapped = write_tsv(tmp_path / "swapped.tsv", SWAPPED)
    assert "the languages are swapped" in fails(
        stage_options(toy_stage, tmp_path / "run", dataset=swapped), tmp_path / "run"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("dataset", "nowhere/else/file.tsv: no such file"),
        ("student_config", "nowhere/else/file.tsv: no such file"),
        ("tokenizer_dir", "neither a folder here nor a model on the hub"),
        ("config", "nowhere/else/file.tsv: no such file"),
    ],
)
def test_a_file_that_is_not_there(option, message, toy_stage, fails, tmp_path):
    options = stage_options(toy_stage, tmp_path / "run", **{option: tmp_path / "nowhere/else/file.tsv"})
    assert message in fails(options, tmp_path / "run")


def test_a_student_model_that_is_not_there(toy_stage, fails, tmp_path):
    options = stage_options(toy_stage, tmp_path / "run", student_config=None, student_model=tmp_path / "a" / "b")
    assert "no model there" in fails(options, tmp_path / "run")


def test_heads_that_do_not_divide_the_width(toy_stage, fails, tmp_path):
    size = len(read_json(toy_stage / "tokenizer" / "vocab.json"))
    config = write_student_config(tmp_path / "odd.json", vocab_size=size, encoder_attention_heads=3)
    line = fails(stage_options(toy_stage, tmp_path / "run", student_config=config), tmp_path / "run")
    assert "odd.json: encoder_attention_heads 3 does not divide d_model 64" in line


def test_a_vocabulary_that_does_not_match_the_tokenizer(toy_stage, fails, tmp_path):
    config = write_student_config(tmp_path / "large.json", vocab_size=999)
    line = fails(stage_options(toy_stage, tmp_path / "run", student_config=config), tmp_path / "run")
    assert "large.json: vocab_size 999 and pad id 998 do not match the tokenizer" in line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda piece: piece.replace("<pad>", "<filler>"), "vocab.json: no <pad> in it"),
        (lambda piece: piece if piece.startswith("<") else f"{piece}~", "they belong to different tokenizers"),
    ],
)
def test_a_vocabulary_that_belongs_to_another_tokenizer(change, message, toy_stage, fails, tmp_path):
    shutil.copytree(toy_stage / "tokenizer", tmp_path / "tokenizer")
    vocabulary = tmp_path / "tokenizer" / "vocab.json"
    write_json(vocabulary, {change(piece): index for piece, index in read_json(vocabulary).items()})
    options = stage_options(toy_stage, tmp_path / "run", tokenizer_dir=tmp_path / "tokenizer")
    assert message in fails(options, tmp_path / "run")


def test_an_end_of_sentence_that_the_tokenizer_has_elsewhere(toy_stage, fails, tmp_path):
    size = len(read_json(toy_stage / "tokenizer" / "vocab.json"))
    config = write_student_config(tmp_path / "eos.json", vocab_size=size, eos_token_id=5)
    line = fails(stage_options(toy_stage, tmp_path / "run", student_config=config), tmp_path / "run")
    assert "eos.json: eos_token_id 5 is not the tokenizer's id of </s>, 0" in line


def test_logits_of_a_teacher_with_another_vocabulary(toy_stage, fails, tmp_path):
    teacher = write_model(tmp_path / "teacher")
    write_tokenizer(tmp_path / "teacher", vocab_size=340)  # the same sentences in other pieces
    line = fails(stage_options(toy_stage, tmp_path / "run", teacher_model=teacher, alpha_ce=0.5), tmp_path / "run")
    assert "has another vocabulary" in line
    assert "Use sequence-level distillation instead" in line


def test_a_share_for_a_teacher_that_is_not_there(toy_stage, fails, tmp_path):
    line = fails(stage_options(toy_stage, tmp_path / "run", alpha_ce=0.5), tmp_path / "run")
    assert "--alpha-ce 0.5 needs a teacher: give --teacher-model" in line


def test_a_layer_map_that_does_not_fit(toy_stage, fails, tmp_path):
    teacher = {"teacher_model": write_model(tmp_path / "teacher"), "init_from_teacher": True}
    options = stage_options(toy_stage, tmp_path / "run", **teacher, init_from_teacher_decoder_layer_map="0,5")
    assert "decoder layer map '0,5': layer 5 is not one of the teacher's 0..0" in fails(options, tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alfa_ce": 1}, "unknown option --alfa-ce; did you mean --alpha-ce?"),
        ({"eval_strategy": "steps", "eval_dataset": None}, "--eval-strategy needs evaluation data"),
        ({"source_weight": "train"}, "source weight 'train': expected NAME=WEIGHT"),
        ({"source_weight": "trian=2"}, "the nearest is 'train'"),
        ({"max_source_length": 1}, "none of 96 examples is within"),
        (
            {"eval_strategy": "steps", "load_best_model_at_end": True, "metric_for_best_model": "bleu"},
            "--metric-for-best-model bleu: this run's evaluation gives loss; --predict-with-generate gives bleu",
        ),
        (
            {"eval_strategy": "steps", "early_stopping_patience": 1, "direction": "both"},
            "--metric-for-best-model loss: this run's evaluation gives en-zh_loss, zh-en_loss",
        ),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_the_rest(options, message, toy_stage, fails, tmp_path):
    assert message in fails(stage_options(toy_stage, tmp_path / "run", **options), tmp_path / "run")


# The output folder


@pytest.fixture
def finished(toy_stage, distill, tmp_path):
    assert distill(*stage_options(toy_stage, tmp_path / "finished", max_steps=1, eval_dataset=None)) == 0
    return tmp_path / "finished"


def test_an_output_folder_that_holds_another_run(finished, toy_stage, fails, distill):
    before = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    line = fails(stage_options(toy_stage, finished, max_steps=2, eval_dataset=None))
    assert "holds another run (max_steps is 1 there, 2 now)" in line
    assert "--overwrite-output-dir" in line

    again = {"max_steps": 2, "eval_dataset": None, "overwrite_output_dir": True}
    fails(stage_options(toy_stage, finished, **again, alpha_ce=0.5))  # a mistake deletes nothing
    assert {path.name: path.stat().st_mtime_ns for path in finished.iterdir()} == before
    assert distill(*stage_options(toy_stage, finished, **again)) == 0
    assert read_json(finished / "run.json")["steps"] == 2


def test_an_output_folder_that_holds_something_else(toy_stage, fails, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").touch()
    for overwrite in (None, True):  # never delete what is not ours
        options = stage_options(toy_stage, tmp_path / "thesis", overwrite_output_dir=overwrite)
        assert "not empty and no run of this program" in fails(options)
    assert (tmp_path / "thesis" / "chapter1.tex").exists()
    assert "is a file" in fails(stage_options(toy_stage, tmp_path / "thesis" / "chapter1.tex"))


def test_an_output_folder_that_is_the_start(finished, toy_stage, fails):
    options = {"student_config": None, "student_model": finished, "overwrite_output_dir": True}
    assert "is --student-model too" in fails(stage_options(toy_stage, finished, **options))
    assert (finished / "model.safetensors").exists()


def test_overwriting_deletes_no_input_and_nothing_that_a_run_did_not_write(finished, toy_stage, fails, distill):
    again = {"max_steps": 2, "eval_dataset": None, "overwrite_output_dir": True}
    inside = {"student_config": None, "student_model": finished / "checkpoint-1"}
    line = fails(stage_options(toy_stage, finished, **again, **inside, tokenizer_dir=None))
    assert f"holds --student-model {finished / 'checkpoint-1'}" in line
    (finished / "export").mkdir()
    (finished / "export" / "diary.txt").touch()
    assert f"{finished / 'export'}: no run wrote this" in fails(stage_options(toy_stage, finished, **again))
    assert (finished / "export" / "diary.txt").exists()
    assert (finished / "run.json").exists()

    shutil.rmtree(finished / "export")
    there = finished.rename(finished.with_name("on another disk"))
    finished.symlink_to(there)
    assert distill(*stage_options(toy_stage, finished, **again)) == 0
    assert read_json(there / "run.json")["steps"] == 2


def test_a_checkpoint_that_is_named_is_whole_or_refused(finished, toy_stage, fails, tmp_path):
    checkpoint = finished / "checkpoint-1"
    options = stage_options(toy_stage, tmp_path / "new", max_steps=2, resume_from_checkpoint=checkpoint)
    for name in ("optimizer.pt", "files.json"):
        (checkpoint / name).unlink()
        said = f"--resume-from-checkpoint {checkpoint}: is damaged, {name} is missing"
        assert said in fails(options, tmp_path / "new")


@pytest.mark.parametrize("content", ["[]", "3", "{"])
def test_options_of_another_shape_are_told(content, finished, toy_stage, fails):
    (finished / "run.json").unlink()
    (finished / "options.json").write_text(content)
    assert "options.json: " in fails(stage_options(toy_stage, finished, max_steps=2, eval_dataset=None))


def test_a_run_that_never_came_to_a_checkpoint_may_start_with_other_options(toy_stage, distill, tmp_path):
    (tmp_path / "run").mkdir()
    shutil.copy(toy_stage / "student.json", tmp_path / "run" / "options.json")
    assert distill(*stage_options(toy_stage, tmp_path / "run", max_steps=1, eval_dataset=None)) == 0
    assert read_json(tmp_path / "run" / "options.json")["max_steps"] == 1


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="needs to mount a small disk")
def test_a_full_disk(toy_stage, tmp_path):
    disk = tmp_path / "disk"  # of 1.5 MB: the weights would fit, the optimizer's state would not
    disk.mkdir()
    options = stage_options(toy_stage, disk / "run", save_steps=2, eval_dataset=None)
    script = 'mount -t tmpfs -o size=1500k tmpfs $1 && cd $1 && shift && "$@"; code=$?; ls run; exit $code'
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(disk), sys.executable, str(COMMAND), *options],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert "no space left on device" in result.stderr.strip().splitlines()[-1]
    assert result.stdout.split() == ["options.json", "train.log"]
