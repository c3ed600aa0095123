import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.export.ctranslate2 import check_model, convert
from toy_model import write_model

SCRIPT = Path(__file__).parents[2] / "scripts" / "translate_ct2.py"


def translate(*options, stdin=b"", **environment):
    command = [sys.executable, str(SCRIPT), *map(str, options)]
    return subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, **environment}, timeout=60)


def in_process(model_dir, afterwards):
    """Code that runs the script as its command line would, then one statement in the same process."""
    return f"""
import runpy, sys
sys.argv = ["translate_ct2.py", "--model-dir", {str(model_dir)!r}, "--text", "We like tea."]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
{afterwards}
"""


def test_text_gives_the_translation_alone_on_stdout(toy_ct2_dir):
    result = translate("--model-dir", toy_ct2_dir, "--text", "We like tea.")
    assert (result.returncode, result.stdout.decode(), result.stderr) == (0, "我们喜欢茶。\n", b"")


def test_text_imports_neither_torch_nor_transformers(toy_ct2_dir):
    check = "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    code = in_process(toy_ct2_dir, check)
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_pipe_gives_a_line_for_a_line(toy_ct2_dir):
    result = translate("--model-dir", toy_ct2_dir, stdin=b"We like tea.\n\nI want water.\r\n")
    assert result.stdout.decode() == "我们喜欢茶。\n\n我想要水。\n"
    assert result.stderr == b""


def test_a_page_keeps_its_tags_and_a_glossary_its_terms(toy_ct2_dir, tmp_path):
    (tmp_path / "en.html").write_text("<p class=x>We like tea.</p>\n<!-- {0} -->\n", encoding="utf-8")
    (tmp_path / "terms.tsv").write_text("tea\t普洱\n\nmilk\t奶\n", encoding="utf-8")
    (tmp_path / "terms.json").write_text('{"tea": "普洱"}', encoding="utf-8")
    files = ("--input-file", tmp_path / "en.html", "--output-file", tmp_path / "zh.html", "--format", "html")
    for glossary in ("terms.tsv", "terms.json"):
        result = translate("--model-dir", toy_ct2_dir, *files, "--glossary", tmp_path / glossary)
        assert (result.returncode, result.stderr) == (0, b"")
        page = (tmp_path / "zh.html").read_text(encoding="utf-8")
        assert page.startswith("<p class=x>") and page.endswith("</p>\n<!-- {0} -->\n")
        assert "普洱" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "html"), "--format html goes with --text or --input-file, and without --n-best"),
        (("--text", "x", "--glossary", "terms.tsv"), "terms.tsv, line 2: expected a term, a tab and its translation"),
        (("--text", "x", "--glossary", "list.json"), "list.json: expected an object, term to translation"),
        (("--text", "x", "--glossary", "absent.tsv"), "absent.tsv: No such file or directory"),
    ],
)
def test_a_glossary_or_format_that_does_not_do_is_one_line(toy_ct2_dir, tmp_path, options, message):
    (tmp_path / "terms.tsv").write_text("a\tb\nc d\n", encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    options = [tmp_path / option if "." in option else option for option in options]
    result = translate("--model-dir", toy_ct2_dir, *options)
    assert result.returncode == 2
    assert message in result.stderr.decode()
    assert len(result.stderr.decode().splitlines()) == 1


def test_a_reader_that_leaves_ends_it_without_a_word(toy_ct2_dir):
    command = [sys.executable, str(SCRIPT), "--model-dir", str(toy_ct2_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.communicate(b"We like tea.\n" * 3, timeout=60)[1] == b""
    assert process.returncode == 141


def test_a_file_gives_a_file(toy_ct2_dir, tmp_path):
    (tmp_path / "en.txt").write_text("We like tea.\n\nI want water.", encoding="utf-8")
    files = ("--input-file", tmp_path / "en.txt", "--output-file", tmp_path / "zh.txt")
    result = translate("--model-dir", toy_ct2_dir, *files)
    assert result.returncode == 0
    assert (tmp_path / "zh.txt").read_text(encoding="utf-8") == "我们喜欢茶。\n\n我想要水。\n"
    assert result.stdout == b""
    assert b"3/3" in result.stderr  # the progress


def read_until(terminal, prompt):
    screen = b""
    while prompt not in screen:
        screen += os.read(terminal, 1000)
    return screen


def test_a_terminal_prompts_with_the_direction_until_ctrl_d(toy_ct2_dir, tmp_path):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--model-dir", str(toy_ct2_dir)],
        stdin=follower,
        stdout=follower,  # readline needs both to be a terminal
        stderr=subprocess.PIPE,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TERM": "dumb"},
    )
    os.close(follower)
    screens = []
    for typed in (b"We like tea.\n", b":zh-en\n", b"\x04"):
        screens.append(read_until(leader, b"en-zh> "))
        os.write(leader, typed)
    _, stderr = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0
    assert "我们喜欢茶。" in screens[1].decode()
    assert "'zh-en': this model translates en-zh" in stderr.decode()
    assert "We like tea." in (tmp_path / "distill-zh-en" / "history").read_text()


def test_n_best_gives_so_many_lines_with_their_scores(toy_ct2_dir):
    result = translate("--model-dir", toy_ct2_dir, "--text", "We like tea.", "--n-best", "2")
    first, second = result.stdout.decode().splitlines()
    assert first.split()[1] == "我们喜欢茶。"
    assert float(first.split()[0]) >= float(second.split()[0])


def test_a_fresh_clone_is_told_how_to_make_a_model(tmp_path):
    command = [sys.executable, str(SCRIPT), "--text", "x"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2
    assert "uv run snakemake -s recipes/quickstart/Snakefile --cores all" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_it_runs_on_what_is_as_narrow_as_windows(toy_ct2_dir, tmp_path):
    (tmp_path / "en.txt").write_text("We like tea.\n", encoding="utf-8")
    options = ["--model-dir", toy_ct2_dir, "--input-file", tmp_path / "en.txt", "--output-file", tmp_path / "zh.txt"]
    code = f"""
import runpy, sys
sys.path.append({str(Path(__file__).parents[1])!r})
import as_on_windows
as_on_windows.pretend()
sys.argv = ["translate_ct2.py", *{list(map(str, options))!r}]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    for _ in range(2):  # the second time in the place of the first
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert (tmp_path / "zh.txt").read_text(encoding="utf-8") == "我们喜欢茶。\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["en.txt", "zh.txt"]


def test_a_pipe_gets_utf_8_whatever_the_system_prefers(toy_ct2_dir):
    result = translate("--model-dir", toy_ct2_dir, "--text", "We like tea.", PYTHONIOENCODING="cp1252")
    assert (result.stdout.decode(), result.stderr) == ("我们喜欢茶。\n", b"")


@pytest.mark.parametrize(
    ("options", "stdin", "message"),
    [
        (("--model-dir", "absent", "--text", "x"), b"", "absent: no model.bin here"),
        (("--direction", "zh-en", "--text", "x"), b"", "this model translates en-zh"),
        (("--max-decoding-length", "9999", "--text", "x"), b"", "this model takes 12 to 512 tokens"),
        (("--beam-size", "100000", "--text", "x"), b"", "100000: expected a whole number, 1 to 64"),
        (("--threads", "100000", "--text", "x"), b"", "--threads: 100000: expected a whole number, 0 to 256"),
        (("--n-best", "5", "--text", "x"), b"", "5 best translations: expected 1 to the beam size, 4"),
        (("--n-best", "2"), b"We like tea.\n", "--n-best goes with --text or the prompt"),
        (("--input-file", "absent.txt", "--output-file", "out.txt"), b"", "absent.txt: no such file"),
        (("--input-file", "absent.txt"), b"", "go together"),
        (
            ("--input-file", __file__, "--output-file", f"{__file__}/zh.txt"),
            b"",
            "test_translate_ct2.py/zh.txt: Not a directory",
        ),
        (("--threads", "-2"), b"", "--threads: -2: expected a whole number, 0 to 256"),
        (("--nonsense",), b"", "unrecognized arguments: --nonsense"),
        ((), b"We like tea.\n\xff\n", "stdin, line 2: not valid UTF-8"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(toy_ct2_dir, options, stdin, message):
    result = translate("--model-dir", toy_ct2_dir, *options, stdin=stdin)
    assert result.returncode == 2
    [line] = result.stderr.decode().splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_a_bad_line_leaves_no_half_written_file(toy_ct2_dir, tmp_path):
    (tmp_path / "en.txt").write_bytes(b"We like tea.\n\xff\n")
    files = ("--input-file", tmp_path / "en.txt", "--output-file", tmp_path / "zh.txt")
    result = translate("--model-dir", toy_ct2_dir, *files)
    assert result.returncode == 2
    assert "en.txt, line 2: not valid UTF-8" in result.stderr.decode()
    assert [path.name for path in tmp_path.iterdir()] == ["en.txt"]


def processor_seconds() -> float:
    """Of all processes started and ended so far: a busy machine does not add to it."""
    times = os.times()
    return times.children_user + times.children_system


@pytest.mark.slow
def test_a_20_million_parameter_model_starts_in_a_second_within_120_megabytes(tmp_path):
    layers = {"encoder_layers": 5, "decoder_layers": 2, "encoder_attention_heads": 8, "decoder_attention_heads": 8}
    widths = {"d_model": 320, "encoder_ffn_dim": 1280, "decoder_ffn_dim": 1280}
    model_dir = write_model(tmp_path / "model", rows=32_001, **layers, **widths)
    check_model(model_dir)
    convert(model_dir, tmp_path / "int8", "int8", ["en-zh"])

    code = in_process(tmp_path / "int8", "print(open('/proc/self/status').read(), file=sys.stderr)")
    seconds, megabytes = [], []
    for _ in range(3):
        start = processor_seconds()
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds.append(processor_seconds() - start)
        megabytes.append(int(re.search(r"VmHWM:\s+(\d+) kB", result.stderr)[1]) / 1024)  # peak resident memory
    assert min(seconds) <= 1.0
    assert max(megabytes) <= 120
