import pytest

from marian_distill.augment.grammar import Example
from marian_distill.evaluation.slices import evaluate_slices, numbers_kept_share
from marian_distill.text.numbers import numbers_kept


@pytest.mark.parametrize(
    ("source", "hypothesis", "kept"),
    [
        ("The total is $1,234.56.", "总额为1,234.56美元。", True),
        ("The total is $1,234.56.", "总额为1234.56美元。", True),
        ("The total is $1,234.56.", "总额为1243.56美元。", False),
        ("It is 9.99.", "是19.99。", False),
        ("Tom goes on 2026-04-20 at 8:45.", "汤姆2026-04-20，8:45走。", True),
        ("Tom goes on 2026-04-20.", "汤姆2026-04-2走。", False),
        ("No number here.", "没有数字", True),
    ],
)
def test_numbers_are_kept_by_value(source, hypothesis, kept):
    assert numbers_kept(source, hypothesis) is kept


def test_the_share_is_over_sentences_with_numbers():
    assert numbers_kept_share(["a", "1", "22"], ["甲", "1", "2"]) == 0.5
    assert numbers_kept_share(["a"], ["甲"]) is None


class Dictionary:
    direction = "en-zh"
    compute_type = "none"

    def translate(self, texts, first_line=1):
        return [{"Pay $5.": "付5美元。", "Pay $7.": "付8美元。", "Hello.": "你好。"}[text] for text in texts]


def example(en, zh, keep=()):
    return Example(en, zh, "money", "a pattern", values=(), keep_in_en=keep, keep_in_zh=keep)


def test_each_slice_has_its_chrf_and_its_share_of_kept_amounts():
    reports = evaluate_slices(
        Dictionary(),
        {
            "money/train": [example("Pay $5.", "付5美元。", ("5",)), example("Pay $7.", "付7美元。", ("7",))],
            "travel/train": [example("Hello.", "你好。")],
        },
    )
    assert reports["money/train"]["kept"] == 0.5
    assert reports["money/train"]["to_keep"] == reports["money/train"]["sentences"] == 2
    assert reports["travel/train"]["score"]["score"] == pytest.approx(100)
    assert {report["metric"] for report in reports.values()} == {"chrF"}  # into Chinese
    assert reports["travel/train"]["kept"] is None
