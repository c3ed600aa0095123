import pytest

from marian_distill.text.numbers import survives


@pytest.mark.parametrize(
    ("kept", "hypothesis", "verdict"),
    [
        ("$19.99", "总额为$19.99。", True),
        ("19.99", "总额为19.99美元。", True),
        ("9.99", "总额为19.99美元。", False),
        ("19.9", "总额为19.99美元。", False),
        ("234.56", "总额为1,234.56美元。", False),
        ("$1,234.56", "总额为$1234.56。", False),
        ("9:30", "上午9:30开始。", True),
        ("9:30", "晚上19:30开始。", False),
        ("B12", "请到B12登机口。", True),
        ("B1", "请到B12登机口。", False),
        ("12", "It costs 12.", True),
        ("12", "It costs 12.5.", False),
        ("美元", "19.99美元", True),
        ("2026-04-20", "将于2026-04-20去北京", True),
    ],
)
def test_survives_means_to_the_character(kept, hypothesis, verdict):
    assert survives(kept, hypothesis) is verdict
