import os
import subprocess
import sys
from pathlib import Path

from marian_distill.text.corpus import CorpusSource, load_parallel
from toy_model import PAIRS

SCRIPT = Path(__file__).parents[2] / "scripts" / "forward_translate.py"


def test_a_corpus_becomes_what_the_teacher_says(run_script, toy_ct2_dir, tmp_path):
    rows = "\n".join(f"{en}\t{zh}" for en, zh in PAIRS[:20])
    (tmp_path / "corpus.tsv").write_text(f"en\tzh\n{rows}\n", encoding="utf-8")
    options = [
        "--teacher-ct2-dir",
        toy_ct2_dir,
        "--dataset",
        tmp_path / "corpus.tsv",
        "--output-dir",
        tmp_path / "out",
    ]
    done = run_script("forward_translate", *options, "--shard-rows", 8, "--n-best", 2, "--choose", "closeness")
    assert done.returncode == 0, done.stderr
    assert "rows by origin: teacher" in done.stdout
    assert len(list((tmp_path / "out").glob("train-*-of-00003.parquet"))) == 3
    assert load_parallel(CorpusSource(str(tmp_path / "out"))).num_rows == 20
    again = run_script("forward_translate", *options)
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert "exists" in again.stderr


def test_more_hypotheses_than_beams_are_refused(run_script, toy_ct2_dir, tmp_path):
    options = ["--teacher-ct2-dir", toy_ct2_dir, "--dataset", tmp_path / "none.tsv", "--output-dir", tmp_path / "out"]
    done = run_script("forward_translate", *options, "--n-best", 5)
    assert (done.returncode, done.stderr) == (2, "error: --n-best 5 needs --beam-size 5 or more\n")


def test_processes_share_a_corpus_without_overlap_or_loss(toy_ct2_dir, tmp_path):
    rows = "\n".join(f"{en}\t{zh}" for en, zh in PAIRS[:30])
    (tmp_path / "corpus.tsv").write_text(f"en\tzh\n{rows}\n", encoding="utf-8")
    command = [sys.executable, SCRIPT, "--teacher-ct2-dir", toy_ct2_dir, "--dataset", tmp_path / "corpus.tsv"]
    command += ["--output-dir", tmp_path / "out", "--shard-rows", 4, "--threads", 1]
    processes = []
    for rank in range(2):  # as accelerate launch and torchrun number theirs
        environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
        processes.append(
            subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        )
    printed = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    assert sum(b"wrote" in output for output, _ in printed) == 1
    assert load_parallel(CorpusSource(str(tmp_path / "out")))["en"] == [en for en, _ in PAIRS[:30]]
