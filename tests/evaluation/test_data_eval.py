"""The test sets of data/eval/: sound, without doubles, and unseen by anything that this repository trains on."""

import re
from pathlib import Path

import pytest

from marian_distill.augment import DOMAINS, examples
from marian_distill.augment.grammar import SPLITS
from marian_distill.evaluation.evaluation_sets import read_evaluation_set
from marian_distill.languages import DIRECTIONS, is_han
from marian_distill.text.formats import read_rows
from marian_distill.text.numbers import numbers_kept
from marian_distill.text.overlap import find_overlaps, normalised

DATA = Path(__file__).parents[2] / "data"
SETS = {path.name: read_evaluation_set(path) for path in sorted((DATA / "eval").glob("*.tsv"))}
CLEAN = ("coffee.tsv", "money.tsv", "travel.tsv")
NEVER_IN_CHINESE = re.compile(r"[一-鿿][,?!:;]|[,?!:;][一-鿿]| [，。！？]")


def test_there_are_enough_sentences_each_way_and_words():
    for direction in DIRECTIONS:
        serving = [test for name, test in SETS.items() if name != "words.tsv" and test.direction in (None, direction)]
        assert sum(len(test.rows) for test in serving) >= 400
    assert len(SETS["words.tsv"].rows) >= 300


def test_the_readme_counts_right():
    readme = (DATA / "eval/README.md").read_text(encoding="utf-8")
    counts = dict(re.findall(r"\| `([\w.-]+\.tsv)` \| (\d+) \|", readme))
    assert counts == {name: str(len(test.rows)) for name, test in SETS.items()}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_sentences_have_their_languages_punctuation(name):
    for english, chinese in SETS[name].pairs:
        assert english == english.strip()
        assert chinese == chinese.strip()
        assert not any(map(is_han, english)), english
        assert any(map(is_han, chinese)), chinese
        assert english[0].isupper() or english[0].isdigit() or english[0] == "¥", english
        assert english[-1] in ".?!", english
        assert chinese[-1] in "。？！", chinese
        assert not NEVER_IN_CHINESE.search(chinese), chinese


@pytest.mark.parametrize("name", CLEAN)
def test_figures_are_the_same_on_both_sides(name):
    """Nearly all: a per cent off is the rest in Chinese, a clock or a word may take the place of digits."""
    wrong = [(english, chinese) for english, chinese in SETS[name].pairs if not numbers_kept(english, chinese)]
    assert len(wrong) <= 0.05 * len(SETS[name].rows), wrong


def test_no_text_stands_twice():
    """In its own column: `safe` and `red envelope` are words of a sentence too."""
    for column in (0, 1):
        seen = {}
        for name, test in SETS.items():
            for row in test.rows:
                key = normalised(row[column][0])
                assert key not in seen, (row[column][0], name, seen[key])
                seen[key] = name


@pytest.mark.parametrize("name", SETS)
def test_no_row_is_near_another(name):
    others = {other: test.pairs for other, test in SETS.items() if other != name}
    rows = [(*pair, other) for other, pairs in others.items() for pair in pairs]
    pairs = SETS[name].pairs
    assert find_overlaps({name: pairs}, rows)[1][name]["examples"] == []
    for number, pair in enumerate(pairs):  # and within the file
        rest = [(*other, name) for other in pairs[:number]]
        assert find_overlaps({name: [pair]}, rest)[1][name]["examples"] == []


def test_nothing_of_it_is_trained_on():
    rows = [
        (one.en, one.zh, domain) for domain in DOMAINS for split in SPLITS for one in examples(domain, split, 1500, 7)
    ]
    rows += [row for path in DATA.glob("*.csv") for row in read_rows(path)]
    rows += [(line, "", "sentences") for line in (DATA / "sentences.en.txt").read_text(encoding="utf-8").splitlines()]
    count, reports = find_overlaps({name: test.pairs for name, test in SETS.items()}, rows)
    assert count > 15_000
    for name, report in reports.items():
        assert report["examples"] == [], name
