import json
import shutil
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def run(run_script, folder, *options):
    return run_script(
        "results_page", "--results", folder / "results", "--output", folder / "results.md", *options
    )  # fmt: skip


def test_the_results_page_and_its_pictures_are_what_their_figures_give(run_script):
    done = run(run_script, DOCS, "--check")
    assert (done.returncode, done.stdout) == (0, ""), "uv run -s scripts/results_page.py"


def test_what_is_stale_is_told_and_written_anew(run_script, tmp_path):
    shutil.copytree(DOCS / "results", tmp_path / "results")
    figures = tmp_path / "results" / "peers-zh-en.json"
    kept = json.loads(figures.read_text(encoding="utf-8"))
    kept["title"] = "Another title"
    figures.write_text(json.dumps(kept), encoding="utf-8")
    (tmp_path / "results" / "gone.test.svg").write_text("<svg/>")
    done = run(run_script, tmp_path, "--check")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"stale: {tmp_path / 'results.md'}", f"stale: {tmp_path / 'results' / 'gone.test.svg'}",
    ]  # fmt: skip
    assert not (tmp_path / "results.md").exists()
    assert run(run_script, tmp_path).returncode == 0
    assert "## Another title" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert not (tmp_path / "results" / "gone.test.svg").exists()
    assert run(run_script, tmp_path, "--check").returncode == 0


def test_a_comparison_is_kept_without_its_sentences(run_script, toy_ct2_dir, tmp_path):
    (tmp_path / "test.tsv").write_text("en\tzh\nI want coffee.\t我要咖啡。\n", encoding="utf-8")
    done = run_script(
        "compare_models", toy_ct2_dir, "--test-file", tmp_path / "test.tsv", "--direction", "en-zh",
        "--output", tmp_path / "c.md", "--report", tmp_path / "c.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "我要咖啡" in (tmp_path / "c.html").read_text(encoding="utf-8")
    named = ("--name", "toy", "--title", "Toy", "--about", "A toy.")
    assert run(run_script, tmp_path, "--take", tmp_path / "c.md.json", *named).returncode == 0
    kept = (tmp_path / "results" / "toy.json").read_text(encoding="utf-8")
    assert "worst" not in kept and '"test_file": "test.tsv"' in kept
    assert "| 1 | " in (tmp_path / "results.md").read_text(encoding="utf-8")
    for options, message in (
        (("--take", tmp_path / "c.md.json"), "give --name"),
        (("--take", tmp_path / "results" / "toy.json.none", *named), "no such file"),
        (("--take", DOCS / "results" / "none.json", *named), "no such file"),
    ):
        done = run(run_script, tmp_path, *options)
        assert done.returncode == 2 and message in done.stderr
