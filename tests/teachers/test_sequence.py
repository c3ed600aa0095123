from pathlib import Path

import datasets
import pytest

from marian_distill.errors import UserError
from marian_distill.files import read_json
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.teachers import sequence
from marian_distill.teachers.sequence import (
    Hypothesis,
    Policy,
    choose,
    forward_translate,
    reason_to_reject,
    repeats,
    translate_rows,
)
from marian_distill.text.corpus import CorpusSource, load_parallel
from toy_model import PAIRS

PROVENANCE = {"teacher": "toy"}


class ParrotTeacher:
    """Says the same few things about every text."""

    direction = "en-zh"

    def __init__(self, *hypotheses: tuple[str, float]) -> None:
        self.hypotheses, self.asked = list(hypotheses), []

    def translate_n_best(self, texts, count, *, finished=False):
        self.asked += texts
        return [self.hypotheses[:count] for _ in texts]


def corpus_of(rows: int) -> datasets.Dataset:
    return datasets.Dataset.from_list(
        [{"en": f"I have {n} cats.", "zh": f"我有{n}只猫。", "source": "toy"} for n in range(rows)]
    )


@pytest.fixture(scope="module")
def corpus() -> datasets.Dataset:
    return datasets.Dataset.from_list([{"en": en, "zh": f"{zh}！", "source": "toy"} for en, zh in PAIRS])


def test_the_likeliest_or_the_closest():
    hypotheses = [Hypothesis("我喜欢喝茶。", -0.1), Hypothesis("我喜欢猫。", -0.5)]
    assert choose(hypotheses, "我喜欢猫。", "score", "zh").text == "我喜欢喝茶。"
    assert choose(hypotheses, "我喜欢猫。", "closeness", "zh").text == "我喜欢猫。"


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("the the the the cat", 4),
        ("你好你好你好", 3),
        ("我们去公园去公园去公园去公园", 4),
        ("我有1000000元。", 1),
        ("哈哈哈哈！", 2),
        ("的的的的的的的的的的的的", 6),
        ("I like tea.", 1),
        ("", 0),
    ],
)
def test_repeats_counts_what_is_said_again_and_again(text, times):
    assert repeats(text) == times


@pytest.mark.parametrize(
    ("hypothesis", "score", "reason"),
    [
        ("我有12只猫。", -0.2, ""),
        ("", -0.2, "empty"),
        ("I have 12 cats.", -0.2, "untranslated"),
        ("twelve cats", -0.2, "no_han_in_zh"),
        ("我有12只猫" + "，真的很可爱" * 9, -0.2, "length_ratio"),
        ("我有12只猫猫只猫猫只猫猫只猫猫只", -0.2, "repetition"),
        ("我有两只猫。", -0.2, "number_lost"),
        ("我有12只猫。", -2.0, "low_score"),
    ],
)
def test_what_is_rejected(hypothesis, score, reason):
    english = "I have 12 cats."
    policy = Policy(min_score=-1.0)
    assert reason_to_reject(english, hypothesis, english, Hypothesis(hypothesis, score), policy) == reason


def test_a_rejected_row_keeps_its_reference_or_goes():
    rows = corpus_of(2).to_list()
    teacher = ParrotTeacher(("我有0只猫。", -0.5))
    first, second = translate_rows(teacher, rows, Policy())
    assert (first.translation["zh"], first.origin, first.rejected) == ("我有0只猫。", "teacher", "")
    assert (second.translation["zh"], second.origin, second.rejected) == ("我有1只猫。", "reference", "number_lost")
    assert list(translate_rows(teacher, rows, Policy(rejected="drop")))[1].origin == "dropped"


def test_the_folder_is_a_corpus_with_provenance(tmp_path, corpus, toy_ct2_dir):
    teacher = CTranslate2Translator(toy_ct2_dir, beam_size=2)
    report = forward_translate(teacher, corpus, tmp_path / "out", Policy(), PROVENANCE, shard_rows=50)
    loaded = load_parallel(CorpusSource(str(tmp_path / "out")))
    assert loaded["en"] == corpus["en"]
    assert set(loaded["source"]) == {"forward:toy"}  # not `toy`: a weight of the corpus is not one of these
    taught = dict(PAIRS)
    same = sum(taught[en] == zh for en, zh in zip(loaded["en"], loaded["zh"], strict=True))
    assert same > 0.9 * len(corpus)  # the teacher's Chinese, not the corpus's, which ends in ！
    assert sum(report["origins"].values()) == len(corpus)
    assert read_json(tmp_path / "out" / "forward_translation.json") == {**report, "policy": report["policy"]}


def test_finished_shards_are_not_translated_again(tmp_path):
    corpus = corpus_of(10)

    class Breaks(ParrotTeacher):
        def translate_n_best(self, texts, count, *, finished=False):
            if len(self.asked) >= 6:
                raise KeyboardInterrupt
            return super().translate_n_best(texts, count, finished=finished)

    with pytest.raises(KeyboardInterrupt):
        forward_translate(Breaks(("猫", -1.0)), corpus, tmp_path / "out", Policy(), PROVENANCE, shard_rows=3)
    assert not (tmp_path / "out").exists()
    teacher = ParrotTeacher(("猫", -1.0))
    forward_translate(teacher, corpus, tmp_path / "out", Policy(), PROVENANCE, shard_rows=3)
    assert teacher.asked == corpus["en"][6:]
    assert load_parallel(CorpusSource(str(tmp_path / "out"))).num_rows == 10


def test_processes_share_the_shards_without_overlap_or_loss(tmp_path):
    corpus, teachers = corpus_of(23), [ParrotTeacher(("猫", -1.0)) for _ in range(3)]
    done = []
    for rank in (2, 0, 1):
        report = forward_translate(
            teachers[rank], corpus, tmp_path / "out", Policy(), PROVENANCE, shard_rows=2, rank=rank, processes=3
        )
        done.append(report is not None)
    assert done == [False, False, True]
    asked = [text for teacher in teachers for text in teacher.asked]
    assert sorted(asked) == sorted(corpus["en"])
    assert load_parallel(CorpusSource(str(tmp_path / "out")))["en"] == corpus["en"]


def test_of_two_processes_that_end_at_once_one_puts_the_folder_in_place(tmp_path, monkeypatch):
    corpus, finish, reports = corpus_of(4), sequence._finish, []

    def translate() -> None:
        teacher = ParrotTeacher(("猫", -1.0))
        reports.append(forward_translate(teacher, corpus, tmp_path / "out", Policy(), PROVENANCE, shard_rows=2))

    def finish_after_the_other(*arguments):
        monkeypatch.setattr(sequence, "_finish", finish)
        translate()  # the other process, all of it, between this one's last shard and its report
        return finish(*arguments)

    monkeypatch.setattr(sequence, "_finish", finish_after_the_other)
    translate()
    assert [report is None for report in reports] == [False, True]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert load_parallel(CorpusSource(str(tmp_path / "out"))).num_rows == 4


def test_a_stop_keeps_what_was_translated_of_a_shard(tmp_path):
    corpus, policy = corpus_of(9), Policy(keep_numbers=False)

    class Breaks(ParrotTeacher):
        def translate_n_best(self, texts, count, *, finished=False):
            if len(self.asked) >= 6:
                raise KeyboardInterrupt
            return super().translate_n_best(texts, count, finished=finished)

    with pytest.raises(KeyboardInterrupt):
        forward_translate(Breaks(("猫", -1.0)), corpus, tmp_path / "out", policy, PROVENANCE, chunk_rows=2)
    (part,) = (tmp_path / "out.unfinished").glob("*.part.jsonl")
    with part.open("a", encoding="utf-8") as stream:
        stream.write('{"translation": {"en"')  # a kill in the middle of a line
    teacher = ParrotTeacher(("猫", -1.0))
    report = forward_translate(teacher, corpus, tmp_path / "out", policy, PROVENANCE, chunk_rows=2)
    assert teacher.asked == corpus["en"][6:]
    assert report["origins"] == {"teacher": 9}
    assert load_parallel(CorpusSource(str(tmp_path / "out")))["en"] == corpus["en"]
    assert not list((tmp_path / "out").glob("*.part.jsonl"))


def test_a_kill_before_the_last_rename_is_gone_on_from(tmp_path, monkeypatch):
    def killed(self, target):
        raise SystemExit(137)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Path, "rename", killed)
        forward_translate(ParrotTeacher(("猫", -1.0)), corpus_of(4), tmp_path / "out", Policy(), PROVENANCE)
    assert not (tmp_path / "out").exists()
    assert forward_translate(ParrotTeacher(("猫", -1.0)), corpus_of(4), tmp_path / "out", Policy(), PROVENANCE)


def test_dropped_rows_are_counted(tmp_path):
    teacher = ParrotTeacher(("我有0只猫。", -0.5))
    report = forward_translate(teacher, corpus_of(4), tmp_path / "out", Policy(rejected="drop"), PROVENANCE)
    assert (report["origins"], report["rejected"]) == ({"teacher": 1, "dropped": 3}, {"number_lost": 3})
    assert load_parallel(CorpusSource(str(tmp_path / "out"))).num_rows == 1


def test_what_met_the_output_bound_is_rejected_and_counted(tmp_path, toy_ct2_dir):
    long = {"en": "The latte is $1,234.56.", "zh": "拿铁是$1,234.56。", "source": "toy"}
    corpus = datasets.Dataset.from_list([long, {"en": "I want tea.", "zh": "我想要茶。", "source": "toy"}])
    teacher = CTranslate2Translator(toy_ct2_dir, beam_size=2)
    teacher.max_decoding_length = 8  # enough for the tea
    report = forward_translate(teacher, corpus, tmp_path / "out", Policy(), PROVENANCE)
    assert (report["origins"], report["rejected"]) == ({"reference": 1, "teacher": 1}, {"cut": 1})
    assert load_parallel(CorpusSource(str(tmp_path / "out")))["zh"][0] == long["zh"]


def test_other_options_do_not_go_on_with_a_folder(tmp_path):
    corpus, output = corpus_of(4), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        forward_translate(_interrupted(), corpus, output, Policy(), PROVENANCE)
    with pytest.raises(UserError, match="made with other options"):
        forward_translate(ParrotTeacher(("猫", -1.0)), corpus, output, Policy(max_repeats=5), PROVENANCE)
    output.mkdir()
    with pytest.raises(UserError, match="exists"):
        forward_translate(ParrotTeacher(("猫", -1.0)), corpus, output, Policy(), PROVENANCE)


def _interrupted() -> ParrotTeacher:
    class Breaks(ParrotTeacher):
        def translate_n_best(self, texts, count, *, finished=False):
            raise KeyboardInterrupt

    return Breaks()


def test_n_best_of_the_engine(toy_ct2_dir: Path):
    translator = CTranslate2Translator(toy_ct2_dir, beam_size=4)
    text = "I like tea."
    (best,) = translator.translate_n_best([text], 3)
    assert len(best) == 3
    assert best[0][0] == translator.translate([text])[0]
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
    (long,) = translator.translate_n_best([f"{text} {text}\n{text}"], 3)
    assert long[0][0] == translator.translate([f"{text} {text}\n{text}"])[0]
    with pytest.raises(UserError, match="5 best translations: expected 1 to the beam size, 4"):
        translator.translate_n_best([text], 5)
