from pathlib import Path
from shutil import copytree

import pytest

from marian_distill.export.ctranslate2 import check_output
from marian_distill.files import read_json, sha256
from toy_model import PAIRS


@pytest.mark.parametrize(("speedup", "kept"), [("0", True), ("100", False)])
def test_the_map_is_kept_only_where_it_pays(speedup, kept, toy_ct2_dir, tmp_path, run_script):
    folder = Path(copytree(toy_ct2_dir, tmp_path / "model"))
    rows = "\n".join("\t".join(pair) for pair in PAIRS)
    (tmp_path / "corpus.tsv").write_text(f"en\tzh\n{rows}\n", encoding="utf-8")
    options = ["--dataset", tmp_path / "corpus.tsv", "--test-file", tmp_path / "corpus.tsv", "--rounds", "1"]
    options += ["--min-speedup", speedup, "--json", tmp_path / "report.json"]
    done = run_script("make_vocabulary_map", folder, *options)
    assert done.returncode == 0, done.stderr
    report = read_json(tmp_path / "report.json")
    assert report["kept"] is kept is (folder / "vmap.txt").is_file()
    assert ("vmap.txt" in read_json(folder / "config.json")["sha256"]) is kept
    assert report["covered_share"] == 1.0
    assert report["metric"] == "chrF"  # Chinese
    assert report["scores"]["map"] == pytest.approx(report["scores"]["whole"])


def test_an_earlier_map_stays_when_there_is_nothing_to_make_another_from(toy_ct2_dir, tmp_path, run_script):
    folder = Path(copytree(toy_ct2_dir, tmp_path / "model"))
    (folder / "vmap.txt").write_text("an earlier map\n")
    rows = "\n".join("\t".join(pair) for pair in PAIRS)
    (tmp_path / "dev.tsv").write_text(f"en\tzh\n{rows}\n", encoding="utf-8")
    options = ["--dataset", tmp_path / "absent.tsv", "--test-file", tmp_path / "dev.tsv"]
    done = run_script("make_vocabulary_map", folder, *options)
    assert done.returncode == 2
    assert "absent.tsv: no such file" in done.stderr
    assert (folder / "vmap.txt").read_text() == "an earlier map\n"


def test_another_map_takes_the_place_of_an_earlier_one(toy_ct2_dir, tmp_path, run_script):
    folder = Path(copytree(toy_ct2_dir, tmp_path / "model"))
    rows = "\n".join("\t".join(pair) for pair in PAIRS)
    (tmp_path / "corpus.tsv").write_text(f"en\tzh\n{rows}\n", encoding="utf-8")
    options = ["--dataset", tmp_path / "corpus.tsv", "--test-file", tmp_path / "corpus.tsv", "--rounds", "1"]
    maps = []
    for always in ("200", "20"):
        done = run_script("make_vocabulary_map", folder, *options, "--min-speedup", "0", "--always", always)
        assert done.returncode == 0, done.stderr
        maps.append((folder / "vmap.txt").read_text(encoding="utf-8"))
        assert read_json(folder / "config.json")["sha256"]["vmap.txt"] == sha256(folder / "vmap.txt")
    assert maps[0] != maps[1]
    check_output(folder, overwrite=True)  # it may still be replaced by another export
