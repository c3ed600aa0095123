import json
import re

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.report import page
from marian_distill.evaluation.report.curves import curves_of, read_log, run_of
from marian_distill.evaluation.report.data import Names, gather_tasks
from marian_distill.evaluation.report.figures import Line, Point, lines, scatter
from marian_distill.evaluation.report.history import history_in
from marian_distill.evaluation.report.verdict import verdict
from marian_distill.files import write_json
from toy_report import ATTACK, CLOSE, PAIRS, RIGHT, compared, write_report


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def test_the_page_holds_everything_and_asks_for_nothing(tmp_path):
    size = write_report(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert size == len(text.encode()) < 200_000
    # Nothing is loaded from anywhere: the only addresses are the name of the language of pictures.
    assert set(re.findall(r"https?://[^\s\"')]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link[^>]*stylesheet|<script[^>]*src|@import|url\(", text)
    data = data_of(text)
    assert [task["name"] for task in data["tasks"]] == ["notices", "short"]
    assert data["tasks"][0]["rows"]["5"]["source"] == PAIRS[5][0]
    assert data["origin"]["git"]


def test_texts_end_no_script_and_become_no_marks(tmp_path):
    write_report(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ATTACK not in text
    assert text.count("</script>") == 2  # the page's own: the data and the script
    assert "<i>expert</i>" not in text
    assert "&lt;i&gt;expert" in text  # in a picture


def test_a_page_that_grows_too_large_lists_fewer_sentences(tmp_path, monkeypatch):
    whole = write_report(tmp_path / "whole.html")
    monkeypatch.setattr(page, "LISTED", 8)
    monkeypatch.setattr(page, "MOST_BYTES", whole - 1)
    assert write_report(tmp_path / "small.html") < whole


def test_what_a_task_holds():
    task = gather_tasks(compared())[0]
    ours, expert = task["systems"]["ours"], task["systems"]["<i>expert</i>"]
    assert (task["metric"], task["sentences"]) == ("chrF", len(PAIRS))
    assert ours["against"]["theirs"]["chrf"]["difference"] > 0
    assert ours["against"]["<i>expert</i>"]["chrf"] == {
        **ours["against"]["<i>expert</i>"]["chrf"],
        "difference": pytest.approx(-expert["against"]["ours"]["chrf"]["difference"]),
    }
    changed = {row for row, (one, other) in enumerate(zip(CLOSE, RIGHT, strict=True)) if one != other}
    assert set(ours["different"]["<i>expert</i>"]) == changed
    assert ours["worst"][0] in changed
    assert len(task["rows"]) == len(PAIRS)


def test_the_verdict_says_which_against_what_by_how_much_and_how_sure():
    task = gather_tasks(compared())[0]
    said = verdict(task)
    assert said.english.startswith("ours translates notices from English into Chinese with chrF ")
    assert "number 2 of 3 systems" in said.english
    assert "behind <i>expert</i>" in said.english
    assert re.search(r"\(p [=<] [\d.]+, 8 sentences\)\.$", said.english)
    assert "3 个系统中第 2，落后于 <i>expert</i>" in said.chinese
    alone = verdict(gather_tasks(compared("<i>expert</i>"))[0])
    assert re.fullmatch(
        r"<i>expert</i> translates .* with chrF 100\.0 \(95 % interval 100\.0 to 100\.0\)\.", alone.english
    )
    ahead = verdict(gather_tasks(compared("<i>expert</i>", "theirs"))[0])
    assert "points (" in ahead.english and "ahead of theirs" in ahead.english


def test_earlier_results_beside_a_report(tmp_path):
    report = compared("ours")["ours"][0].report
    write_json(tmp_path / "old.json", report | {"origin": {"made_at": "2026-01-02T03:04:05+00:00"}})
    write_json(tmp_path / "new.json", {"systems": {"ours": [report]}, "baseline": "ours"})
    write_json(tmp_path / "now.json", report)
    write_json(tmp_path / "other.json", {"direction": "en-zh", "test_file": 3, "chrf": {"score": 1}})
    (tmp_path / "broken.json").write_text("{")
    found = history_in(tmp_path, [tmp_path / "now.json"])
    assert [one["file"] for one in found["notices.tsv en-zh"]] == ["old.json", "new.json"]
    assert found["notices.tsv en-zh"][0]["score"] == report["chrf"]["score"]
    write_report(tmp_path / "report.html", beside=[tmp_path / "now.json"])
    assert "Earlier results" in (tmp_path / "report.html").read_text()


def test_curves_of_a_run(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(UserError, match=r"log\.json: no such file"):
        read_log(run)
    entries = [
        {"step": 10, "loss": 5.0, "training_seconds": 3.0, "divergence": 2.0},
        {"step": 20, "loss": 4.0, "training_seconds": 6.0},
        {"step": 20, "eval_loss": 4.5},
        {"step": 20, "eval_loss": 4.5},  # once more at the end of a run
    ]
    write_json(run / "log.json", entries)
    curves = curves_of(read_log(run))
    assert set(curves) == {"loss", "divergence", "eval_loss"}
    assert curves["eval_loss"] == [(20, 6.0, 4.5)]
    exported = tmp_path / "int8"
    exported.mkdir()
    assert run_of(exported) is None
    write_json(exported / "export.json", {"model_dir": str(run)})
    assert run_of(exported) == run_of(run) == run
    write_report(tmp_path / "report.html", runs=[run])
    text = (tmp_path / "report.html").read_text()
    assert "Training loss" in text and "Divergence from the teacher" in text


def test_pictures_place_what_is_known_and_keep_names_apart():
    label = Names("x", "x")
    drawn = scatter([Point("a & b", 10, 30, 29, 31), Point("c", None, 30, 29, 31)], label, label)
    assert drawn.count("<circle") == 1 and "a &amp; b" in drawn
    heights = [float(y) for y in re.findall(r'x="611\.0" y="([\d.]+)"', drawn)]
    assert len(heights) == 2 and abs(heights[0] - heights[1]) >= 13
    assert "<style>" in scatter([Point("a", 1, 1, 0, 2)], label, label, standalone=True)
    curve = lines([Line("one", [(0, 1.0, 0.5, 1.5), (1, 2.0, 1.5, 2.5)])], label, label, ["1", "2+"])
    assert ">2+<" in curve and curve.count("<circle") == 2
