"""Patterns from outside: the rules, the file that a person corrects, what a language model proposes."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from marian_distill.augment import patterns_of
from marian_distill.augment.proposals import (
    fault_of_pattern,
    pairs_of,
    plain,
    read_pattern_file,
    read_pattern_prompt,
    slots_of,
    write_proposals,
)
from marian_distill.errors import UserError
from marian_distill.files import read_json
from marian_distill.teachers.llm.endpoint import Endpoint
from toy_chat import completion, serving

REPOSITORY = Path(__file__).parents[2]
PROMPT = REPOSITORY / "prompts" / "patterns.yaml"
GOOD = [
    ("My wallet only has {amount} left.", "我的钱包里只剩{amount}了。"),
    ("Did you already pay the {fee}?", "{fee}你已经付了吗？"),
    ("Let me lend you {amount1}, and give me back {amount2}.", "我借你{amount1}，你还我{amount2}。"),
]


def fault(en, zh, domain="money", known=()):
    return fault_of_pattern(en, zh, slots_of(domain), known)


@pytest.mark.parametrize(("en", "zh"), GOOD)
def test_good_patterns_pass(en, zh):
    assert fault(en, zh) == ""


@pytest.mark.parametrize(
    ("en", "zh", "reason"),
    [
        ("My wallet has {amount} left.", "我的钱包里有钱。", "not the same on both sides"),
        ("My wallet has {amount} left.", "我的钱包里有{amount}和{amount}。", "not the same on both sides"),
        ("My wallet has {cash} left.", "我的钱包里有{cash}。", "no slot {cash}"),
        ("My wallet has {amount} left.", "我的錢包裡有{amount}。", "not simplified Chinese"),
        ("My wallet has {amount} left.", "我的wallet里有{amount}。", "not simplified Chinese"),
        ("我的钱包里有{amount}.", "我的钱包里有{amount}。", "not English"),
        ("My wallet has {amount} left.", "我的钱包里有{amount}？", "ends with another"),
        ("My wallet has {amount} left", "我的钱包里有{amount}", "ends with another"),
        ("Well, my wallet has {amount} left.", "嗯,我的钱包里有{amount}。", "English punctuation"),
        ("My wallet has {amount} left | ok.", "我的钱包里有{amount}。", "bars"),
        ("My wallet has {amount} left.", "有{amount}。", "too long or too short"),
        ("So {amount}.", "所以说现在我的钱包里面一共还剩下的钱就是{amount}。", "too long or too short"),
        ("My wallet has {amount.many} left.", "我的钱包里有{amount.many}。", "no form 'many'"),
        ("My wallet has 1{amount} left.", "我的钱包里有1{amount}。", "runs into"),
    ],
)
def test_what_breaks_a_rule(en, zh, reason):
    assert reason in fault(en, zh)


def test_what_is_there_already():
    known = {plain(pattern.en) for pattern in patterns_of("money")}
    assert fault("the total is {amount}", "总额为{amount}。", known=known) == "is there already"
    assert plain("I'd like {drink.a}, please.") == plain("i'd like {drink} please")
    assert plain("{amount1} or {amount2}?") != plain("{amount2} or {amount1}?")


@pytest.mark.parametrize("domain", ["money", "coffee", "travel"])
def test_the_rules_would_let_the_domains_own_patterns_pass(domain):
    own = [pattern for pattern in patterns_of(domain) if len(pattern.en.split()) > 1]
    broken = [reason for pattern in own if (reason := fault(pattern.en, pattern.zh, domain))]
    assert len(broken) <= 0.1 * len(own), broken  # "Total: {amount}." has one word


def write_csv(path, rows, header=("en", "zh")):
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def test_a_file_is_read_and_a_bad_row_is_named(tmp_path):
    path = write_csv(tmp_path / "patterns.csv", GOOD)
    assert [(pattern.en, pattern.zh, pattern.domain) for pattern in read_pattern_file(path, "money")] == [
        (en, zh, "money") for en, zh in GOOD
    ]
    write_csv(path, [GOOD[0], GOOD[0]])
    with pytest.raises(UserError, match=r"row 3, 'My wallet only has .*': is there already"):
        read_pattern_file(path, "money")
    write_csv(path, [(*GOOD[0], "x")])
    with pytest.raises(UserError, match="row 2 has 3 columns"):
        read_pattern_file(path, "money")
    write_csv(path, GOOD, header=("source", "target"))
    with pytest.raises(UserError, match="its header is 'source,target', expected en,zh"):
        read_pattern_file(path, "money")
    path.write_bytes(b"")
    with pytest.raises(UserError, match="not a CSV"):
        read_pattern_file(path, "money")
    with pytest.raises(UserError, match="no such file"):
        read_pattern_file(tmp_path / "none.csv", "money")


def test_lines_of_an_answer():
    answer = "Here are some:\n1. Yes. | 是。\n- No. | 不。\nA | B | C\n | 是\n**Fine**"
    assert pairs_of(answer) == [("Yes.", "是。"), ("No.", "不。")]


def test_proposals_are_kept_until_there_are_enough(tmp_path):
    lines = "\n".join(f"{en} | {zh}" for en, zh in [*GOOD[:2], GOOD[0], ("Bad {cash}.", "坏的{cash}。")])
    answers = iter([lines, lines, f"{GOOD[2][0]} | {GOOD[2][1]}"])
    path = tmp_path / "patterns.csv"
    with serving(lambda request: completion(next(answers))) as server:
        write_proposals(path, "money", 3, Endpoint(server.url), read_pattern_prompt(PROMPT), 42)
        said = [request["messages"][-1]["content"] for request in server.requests]
    assert len(read_pattern_file(path, "money")) == 3
    assert read_json(tmp_path / "patterns.csv.report.json")["rejected"] == {
        "is there already": 4,
        "no slot in this domain": 2,
    }
    assert said[0] != said[1]  # other examples
    assert "{amount}: " in said[0]


def test_a_model_that_proposes_nothing_usable(tmp_path):
    with serving(lambda request: completion("I'd rather not.")) as server:
        with pytest.raises(UserError, match="nothing that the model proposed passes the rules: no line was a pattern"):
            write_proposals(tmp_path / "p.csv", "money", 3, Endpoint(server.url), read_pattern_prompt(PROMPT), 42)
        assert len(server.requests) == 3
    assert list(tmp_path.iterdir()) == []


def make(*options):
    command = [
        sys.executable,
        REPOSITORY / "scripts" / "make_extra_money_data.py",
        "--patterns-prompt",
        PROMPT,
        *options,
    ]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_the_generators_fill_what_a_model_proposed(tmp_path):
    output = ["--output-csv", tmp_path / "money.csv", "--num-examples", 400, "--repeat", 1]
    patterns = ["--patterns", tmp_path / "patterns.csv"]
    lines = "\n".join(f"{en} | {zh}" for en, zh in GOOD)
    with serving(lambda request: completion(lines)) as server:
        asked = ["--patterns-from-llm", 3, "--teacher-endpoint", server.url]
        done = make(*output, *patterns, *asked)
        assert done.returncode == 0, done.stderr
        again = make(*output, *patterns, *asked)
        assert (again.returncode, len(server.requests)) == (2, 1)
        assert "is there already; leave out --patterns-from-llm" in again.stderr
    assert "3 patterns of 3" in done.stdout
    report = read_json(tmp_path / "money.csv.report.json")
    assert all(report["examples_by_pattern"].get(en) for en, _ in GOOD)
    before = (tmp_path / "money.csv").read_bytes()
    assert make(*output, *patterns).returncode == 0
    assert (tmp_path / "money.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--patterns-from-llm", 5, "--teacher-endpoint", "http://127.0.0.1:9/v1"], "needs --patterns FILE.csv"),
        (["--patterns", "x.csv", "--patterns-from-llm", 5], "needs --teacher-llm or --teacher-endpoint"),
        (["--patterns", "/nowhere/x.csv"], "no such file"),
    ],
)
def test_mistakes_are_one_line(tmp_path, options, message):
    done = make("--output-csv", tmp_path / "money.csv", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
