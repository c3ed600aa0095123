import json

from marian_distill.augment import AMOUNT_CLASSES, SLICES
from toy_model import PAIRS


def write_pairs(path):
    path.write_text("en\tzh\n" + "".join(f"{en}\t{zh}\n" for en, zh in PAIRS[:40]), encoding="utf-8")
    return path


def test_from_a_trained_model_to_its_scores(run_script, toy_model_dir, tmp_path):
    test_file = write_pairs(tmp_path / "test.tsv")
    exported = run_script(
        "export_ct2",
        toy_model_dir,
        "--output-dir",
        tmp_path / "int8",
        "--parity-file",
        test_file,
        "--min-parity",
        0.9,
    )
    assert exported.returncode == 0, exported.stderr
    assert "parity en-zh: " in exported.stdout
    assert "effective compute type on this machine: int8" in exported.stdout
    assert " MB, int8 on disk" in exported.stdout

    scored = run_script(
        "evaluate_model", "--model-dir", tmp_path / "int8", "--test-file", test_file, "--direction", "en-zh",
        "--json", tmp_path / "scores.json", "--output-file", tmp_path / "hypotheses.txt", "--max-examples", 20,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stderr
    report = json.loads((tmp_path / "scores.json").read_text())
    assert report["direction"] == "en-zh"
    assert report["test_file"] == str(test_file)
    assert report["sentences"] == 20
    assert report["bleu"]["score"] > 90
    assert "tok:zh" in report["bleu"]["signature"]
    assert set(report["chrf++"]) == set(report["chrf"]) == {"score", "signature", "interval"}
    assert report["sentences_per_second"] > 0
    assert f"{report['chrf']['score']:.2f}" in scored.stdout
    assert len((tmp_path / "hypotheses.txt").read_text().splitlines()) == 20


def test_bad_input_is_one_line_and_exit_code_2(run_script, toy_model_dir, toy_ct2_dir, tmp_path):
    (tmp_path / "wrong.tsv").write_text("source\ttarget\na\tb\n")
    options = ("--direction", "en-zh", "--json", tmp_path / "out.json")
    for result, message in (
        (
            run_script("export_ct2", tmp_path / "absent", "--output-dir", tmp_path / "out"),
            "absent: neither a folder here",
        ),
        (run_script("export_ct2", toy_model_dir, "--output-dir", toy_ct2_dir), "Add --overwrite"),
        (run_script("export_ct2", toy_model_dir, "--output-dir", tmp_path / "o", "--direction", "en-de"), "'en-de'"),
        (
            run_script("evaluate_model", "--model-dir", toy_ct2_dir, "--test-file", tmp_path / "wrong.tsv", *options),
            "wrong.tsv, line 1: header",
        ),
    ):
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"wrong.tsv"}


def test_slices_are_measured_by_domain_and_split(run_script, toy_ct2_dir, tmp_path):
    json_file = tmp_path / "slices.json"
    result = run_script(
        "evaluate_slices", "--model-dir", toy_ct2_dir, "--direction", "en-zh", "--json", json_file, "--examples", 2
    )
    assert result.returncode == 0, result.stderr
    slices = json.loads(json_file.read_text())["slices"]
    assert {name.split("/")[0] for name in slices} == {*SLICES, *AMOUNT_CLASSES}
    assert {name.split("/")[1] for name in slices if name.split("/")[0] in AMOUNT_CLASSES} == {"unseen_patterns"}
    assert {name.split("/")[1] for name in slices} == {"train", "unseen_values", "unseen_patterns"}
    for name, report in slices.items():
        assert report["sentences"] == 2
        assert name in result.stdout
