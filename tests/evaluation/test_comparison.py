from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.comparison import aligned, compare, markdown, parse_systems, rows_of
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.runs import ModelOptions

PAIRS = [("Cash only.", "只收现金。"), ("Sold out.", "卖完了。"), ("Mind the step.", "小心台阶。")]
SET = EvaluationSet(Path("notices.tsv"), [((english,), (chinese,)) for english, chinese in PAIRS])


def translations(folder, **files):
    folder.mkdir()
    for name, lines in files.items():
        (folder / f"notices.{name.replace('_', '-')}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_systems_are_held_against_the_first_in_the_directions_that_they_have(tmp_path):
    english, chinese = map(list, zip(*PAIRS, strict=True))
    translations(tmp_path / "right", en_zh=chinese, zh_en=english)
    translations(tmp_path / "wrong", en_zh=["是。"] * 3)
    systems = parse_systems([str(tmp_path / "right"), f"other={tmp_path / 'wrong'}"])
    assert [system.name for system in systems] == ["right", "other"]
    compared = compare(systems, [SET], None, ModelOptions())
    assert [result.report["direction"] for result in compared["right"]] == ["en-zh", "zh-en"]
    assert "against_baseline" not in compared["right"][0].report
    assert compared["other"][0].report["against_baseline"]["chrf"]["difference"] < -50
    rows = rows_of(compared, "en-zh")
    assert rows[0] == ["en-zh: chrF / BLEU", "notices"]
    assert rows[1] == ["right", "100.0 ±0.0 / 100.0"]
    assert rows[2][0] == "other"
    assert rows_of(compared, "zh-en")[0] == ["zh-en: chrF++ / BLEU", "notices"]
    assert rows_of({"other": compared["other"]}, "zh-en") == []
    assert [
        result.report["direction"] for result in compare(systems[:1], [SET], "zh-en", ModelOptions())["right"]
    ] == ["zh-en"]


def test_translations_must_match_the_test_file(tmp_path):
    translations(tmp_path / "short", en_zh=["是。"])
    with pytest.raises(UserError, match="has 1 lines"):
        compare(parse_systems([str(tmp_path / "short")]), [SET], "en-zh", ModelOptions())


def test_a_table_on_a_page_and_in_a_terminal():
    rows = [["system", "a"], ["ours", "31.5"]]
    assert markdown(rows) == "| system | a |\n|---|---|\n| ours | 31.5 |\n"
    assert aligned(rows) == "system     a\nours    31.5"
