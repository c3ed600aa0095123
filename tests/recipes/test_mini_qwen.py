"""The recipe plans from made sentences or from a text of one's own, whose name may be anything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.training.language.arguments import CausalModelArguments, TextArguments
from marian_distill.training.parsing import parse_arguments

REPOSITORY = Path(__file__).parents[2]
STAGES = sorted((REPOSITORY / "recipes" / "mini_qwen").glob("[1t]*.yaml"))


def dry_run(tmp_path: Path, **config) -> str:
    for folder in ("recipes", "student_configs"):
        if not (tmp_path / folder).exists():
            (tmp_path / folder).symlink_to(REPOSITORY / folder)
    (tmp_path / "mine.yaml").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "-s", "recipes/mini_qwen/Snakefile", "--cores", "2", "-n", "-p"]
    command += ["--directory", str(tmp_path), "--configfile", str(tmp_path / "mine.yaml")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_made_sentences(tmp_path):
    plan = dry_run(tmp_path)
    assert plan.count("scripts/make_extra_") >= 4
    assert "--output-dir outputs/mini_qwen/sentences/model" in plan


def test_a_text_of_ones_own(tmp_path):
    book = tmp_path / "my 'book'.txt"
    book.write_text("It was a dark night.\n", encoding="utf-8")
    plan = dry_run(tmp_path, text=str(book), samples="documents", tokens=300, steps=5)
    assert "make_extra_" not in plan
    assert "--samples documents --vocab-size 300" in plan
    assert "--max-steps 5" in plan
    assert "outputs/mini_qwen/my_book_/ct2-int8" in plan


@pytest.mark.parametrize("stage", STAGES, ids=[path.stem for path in STAGES])
def test_stages_load(stage):
    words = ["--config", str(stage), "--text", "a.txt", "--tokenizer-dir", "t", "--output-dir", "outputs/x"]
    model, _, training = parse_arguments(words, model=CausalModelArguments, data=TextArguments)
    assert (REPOSITORY / model.student_config).is_file()
    assert training.max_steps > 0
