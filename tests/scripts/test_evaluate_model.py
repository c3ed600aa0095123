import json

import pytest

from toy_model import PAIRS

ENGLISH, CHINESE = map(list, zip(*PAIRS, strict=True))


def write_pairs(path, pairs):
    path.write_text("en\tzh\n" + "".join(f"{en}\t{zh}\n" for en, zh in pairs), encoding="utf-8")
    return path


def write_lines(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def tests(tmp_path):
    return write_pairs(tmp_path / "drinks.tsv", PAIRS[:20]), write_pairs(tmp_path / "prices.en-zh.tsv", PAIRS[-20:])


def test_many_files_their_cost_and_translations(run_script, toy_ct2_dir, tests, tmp_path):
    done = run_script(
        "evaluate_model", "--model-dir", toy_ct2_dir, "--test-file", *tests, "--direction", "en-zh", "--cost",
        "--json", tmp_path / "scores.json", "--output-dir", tmp_path / "out",
        "--target", "bleu=50,memory_mb=4000", "exact=0.5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "scores.json").read_text())["results"]
    assert [report["test_file"] for report in results] == [str(test) for test in tests]
    assert results[0]["cost"] == results[1]["cost"]
    assert results[0]["cost"]["latency_ms"]["p99"] > 0
    for name, pairs in (("drinks.en-zh.txt", PAIRS[:20]), ("prices.en-zh.txt", PAIRS[-20:])):
        assert (tmp_path / "out" / name).read_text().splitlines() == [chinese for _, chinese in pairs]
    assert "ms a sentence (p50 / p95 / p99)" in done.stdout


def test_a_missed_target_is_exit_code_1_and_the_report_is_there(run_script, toy_ct2_dir, tests, tmp_path):
    done = run_script(
        "evaluate_model", "--model-dir", toy_ct2_dir, "--test-file", tests[0], "--direction", "en-zh",
        "--json", tmp_path / "scores.json", "--target", "bleu=101,chrf=1",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"missed: {tests[0]} en-zh: bleu is 100, wanted at least 101\n"
    assert (tmp_path / "scores.json").is_file()


def test_somebodys_translations_are_scored_and_compared(run_script, tests, tmp_path):
    good, bad = CHINESE[:20], [text.replace("咖啡", "茶").replace("我", "") for text in CHINESE[:20]]
    done = run_script(
        "evaluate_model", "--hypotheses", write_lines(tmp_path / "a.txt", good), "--direction", "en-zh",
        "--test-file", tests[0], "--baseline", write_lines(tmp_path / "b.txt", bad), "--json", tmp_path / "a.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["exact"] == 1
    assert report["against_baseline"]["bleu"]["difference"] > 0
    assert report["against_baseline"]["bleu"]["p_value"] < 0.05
    assert "bleu change" in done.stdout
    assert "model_dir" not in report


def test_test_sentences_in_the_training_text_are_told(run_script, toy_ct2_dir, tests, tmp_path, caplog):
    write_pairs(tmp_path / "train.tsv", PAIRS[:3])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "options.json").write_text(json.dumps({"dataset": [str(tmp_path / "train.tsv")]}))
    folder = tmp_path / "int8"
    folder.mkdir()
    for file in toy_ct2_dir.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "export.json").write_text(json.dumps({"model_dir": str(tmp_path / "run")}))
    options = ("--model-dir", folder, "--test-file", tests[0], "--direction", "en-zh", "--json", tmp_path / "s.json")
    done = run_script("evaluate_model", *options)
    assert done.returncode == 0
    assert f"{tests[0]}: TRAINED ON." in caplog.text
    report = json.loads((tmp_path / "s.json").read_text())["training_overlap"]
    assert (report["pairs"], report["training_rows"]) == (3, 3)
    assert "3 pairs" in done.stdout
    caplog.clear()
    run_script("evaluate_model", *options, "--no-training-check")
    assert caplog.text == ""


def test_bad_input_is_one_line_and_exit_code_2(run_script, toy_ct2_dir, tests, tmp_path):
    short, empty = write_lines(tmp_path / "short.txt", CHINESE[:3]), write_lines(tmp_path / "empty.txt", [])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.bin").write_bytes(b"no model")
    score = ("--json", tmp_path / "out.json", "--test-file", tests[0])
    for options, message in (
        (("--hypotheses", short, "--direction", "en-zh", *score), "short.txt: has 3 lines"),
        (("--hypotheses", empty, "--direction", "en-zh", *score), "empty.txt: is empty"),
        (("--hypotheses", short, *score), "--hypotheses: give --direction"),
        (("--hypotheses", short, short, "--direction", "en-zh", *score), "2 files for 1 test files"),
        (("--model-dir", tmp_path / "broken", "--direction", "en-zh", *score), "broken"),
        (("--model-dir", toy_ct2_dir, "--direction", "zh-en", *score), "this model translates en-zh"),
        (("--model-dir", toy_ct2_dir, *score, tests[1], "--direction", "en-zh", "--baseline", short), "1 files for 2"),
        (("--model-dir", toy_ct2_dir, *score, "--direction", "en-zh", "--target", "speed=1"), "--target 'speed'"),
        (("--hypotheses", short, "--direction", "zh-en", "--json", tmp_path / "out.json", "--test-file", tests[1]),
         "is for en-zh alone"),
    ):  # fmt: skip
        done = run_script("evaluate_model", *options)
        assert done.returncode == 2, options
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.json").exists()


def test_systems_side_by_side(run_script, toy_ct2_dir, tests, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    write_lines(theirs / "drinks.en-zh.txt", [text.replace("咖啡", "茶") for text in CHINESE[:20]])
    write_lines(theirs / "drinks.zh-en.txt", ENGLISH[:20])
    done = run_script(
        "compare_models", f"ours={toy_ct2_dir}", theirs, "--test-file", *tests, "--direction", "en-zh", "--cost",
        "--output", tmp_path / "table.md",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:5] == ["en-zh:", "chrF", "/", "BLEU", "drinks"]
    assert lines[1].startswith("ours") and "100.0 ±0.0" in lines[1]
    assert lines[2].startswith("theirs") and "* ±" in lines[2]
    table = (tmp_path / "table.md").read_text()
    assert table.startswith("| en-zh: chrF / BLEU | drinks | prices | MB | peak MB | ms p50 | sentences/s |\n|---|")
    assert "*: differs from ours, p < 0.05" in table
    assert "tok:zh" in table
    systems = json.loads((tmp_path / "table.md.json").read_text())["systems"]
    assert "against_baseline" not in systems["ours"][0]
    assert systems["theirs"][0]["against_baseline"]["chrf"]["difference"] < 0


def test_what_cannot_be_compared_is_told(run_script, toy_ct2_dir, tests, tmp_path):
    (tmp_path / "nothing").mkdir()
    for systems, message in (
        ((tmp_path / "nothing",), "neither a model nor translations"),
        ((tmp_path / "absent",), "no such folder"),
        ((toy_ct2_dir, toy_ct2_dir), "is another system's name"),
    ):
        done = run_script(
            "compare_models", *systems, "--test-file", tests[0], "--direction", "en-zh", "--output", tmp_path / "t.md"
        )
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
