"""The measures find what is wrong with a tokenizer, and nothing wrong with ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.text.tokenizer_report import (
    disagreements,
    gb2312_level_1,
    measure_tokenizer,
    piece_counts,
    report_table,
    round_trip_examples,
    round_trips,
    unknown_characters,
)

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_joint_tokenizer.py"


def test_gb2312_level_1_runs_from_a_to_zuo():
    characters = gb2312_level_1()
    assert (len(characters), characters[0], characters[-1]) == (3755, "啊", "座")


def test_our_tokenizer_measures_clean(tokenizer_folder, pairs):
    english, chinese = map(list, zip(*pairs, strict=True))
    report = measure_tokenizer(tokenizer_folder, {"toy": {"en": english, "zh": chinese}})
    assert report["vocabulary"] == 381
    assert report["gb2312_level_1"]["unknown"] == 0
    assert [result["changed"] for result in report["round_trips"].values()] == [[], [], []]
    assert report["texts"]["toy"]["marian_tokenizer_differs"]["lines"] == 0
    assert report["texts"]["toy"]["en"]["byte_share"] == 0
    assert "0 of 3,755 characters are <unk>" in report_table(report)


def test_default_sentencepiece_shows_its_losses(tmp_path, pairs):
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text for pair in pairs for text in pair), model_prefix=str(tmp_path / "source"),
        vocab_size=300, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    model = (tmp_path / "source.model").rename(tmp_path / "source.spm")
    (tmp_path / "target.spm").write_bytes(model.read_bytes())
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    vocabulary = {processor.id_to_piece(index): index for index in range(processor.get_piece_size())}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    pieces = SentencePieceTokenizer(tmp_path)
    assert len(unknown_characters(pieces, gb2312_level_1())) > 3_000
    assert "请问，多少钱" in round_trips(pieces, round_trip_examples()["punctuation"])
    assert piece_counts(pieces, ["魑魅"])["unknown_share"] > 0


def test_bytes_are_counted(pieces):
    counts = piece_counts(pieces, ["魑魅"])
    assert counts["byte_share"] == 6 / 7  # and the leading ▁
    assert counts["pieces_per_character"] == 3.5


def test_disagreement_is_found(tokenizer_folder):
    assert list(disagreements(tokenizer_folder, ["fine", "a </s> b", ">>> prompt"])) == ["a </s> b"]


@pytest.fixture
def corpus(tmp_path, pairs) -> Path:
    lines = "".join(f"{english}\t{chinese}\ttoy\n" for english, chinese in pairs)
    (tmp_path / "pool.tsv").write_text(lines, encoding="utf-8")
    (tmp_path / "extra.csv").write_text("source,target\nA towel,一条毛巾\n", encoding="utf-8")
    return tmp_path / "pool.tsv"


def run_script(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--output-dir", str(tmp_path / "tokenizer"), *options]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_script_builds_measures_and_writes_the_report(tmp_path, corpus):
    extra = str(corpus.with_name("extra.csv"))
    done = run_script(
        tmp_path, "--dataset", str(corpus), "--extra-csv", extra, "--source-weight", "toy=2", "--check-file", extra,
        "--vocab-size", "380",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "0 of 3,755 characters are <unk>" in done.stdout
    assert f"{extra}, zh: 1 lines" in done.stdout
    report = json.loads((tmp_path / "tokenizer" / "tokenizer_report.json").read_text(encoding="utf-8"))
    assert (report["vocabulary"], len(SentencePieceTokenizer(tmp_path / "tokenizer").vocabulary)) == (381, 381)
    assert "一条毛巾" in (tmp_path / "tokenizer" / "corpus.joint.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--vocab-size", "32000"], "error: --vocab-size 32000: too many for this corpus; the largest possible is "),
        (["--check-file", "none.tsv"], "error: none.tsv: no such file"),
        (["--source-weight", "toys=2"], "error: source weight toys=2: no row has this source; the nearest is 'toy'"),
    ],
)
def test_script_tells_mistakes_in_one_line(tmp_path, corpus, options, message):
    done = run_script(tmp_path, "--dataset", str(corpus), *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "tokenizer").exists()
