from functools import partial

import pytest

from marian_distill.errors import UserError
from marian_distill.teachers.judges import judge_of
from marian_distill.teachers.sequence import Policy, translate_rows


def best(judge, source, *translations):
    (scores,) = judge([source], [translations])
    return translations[scores.index(max(scores))]


def test_meaning_prefers_what_means_the_same():
    judge = judge_of("meaning", "en-zh", None)
    assert (
        best(judge, "I want a cup of tea.", "今天天气很好。", "我想要一杯茶。", "他昨天去了学校。") == "我想要一杯茶。"
    )
    back = judge_of("meaning", "zh-en", None)
    assert best(back, "火车几点开？", "What time does the train leave?", "Where is my coat?").startswith("What time")
    assert judge([], []) == []
    assert judge(["tea", "water"], [[], ["水"]])[0] == []


def test_reverse_prefers_what_leads_back(toy_ct2_dir):
    judge = judge_of("reverse", "zh-en", toy_ct2_dir)  # the toy translates en-zh
    assert best(judge, "我想要茶。", "They need water.", "I want tea.", "I want milk.") == "I want tea."
    scores = judge(["我想要茶。", "他们喜欢水。"], [["I want tea."], []])
    assert [len(row) for row in scores] == [1, 0]
    assert -0.5 < scores[0][0] < 0


def test_reverse_takes_long_text_and_needs_its_model(toy_ct2_dir):
    judge = judge_of("reverse", "zh-en", toy_ct2_dir)
    ((score,),) = judge(["我想要茶。" * 200], [["I want tea. " * 200]])
    assert score < 0
    with pytest.raises(UserError, match="needs --reverse-ct2-dir"):
        judge_of("reverse", "zh-en", None)
    with pytest.raises(UserError, match="zh-en"):
        judge_of("reverse", "en-zh", toy_ct2_dir)


def test_length_prefers_what_is_as_long_as_expected():
    judge = judge_of("length", "en-zh", None)
    assert (
        best(judge, "I want a cup of tea now.", "茶。", "我现在想要一杯茶。", "我现在想要一杯茶" * 4)
        == "我现在想要一杯茶。"
    )


def test_the_judges_word_decides_and_is_kept(toy_ct2_dir):
    class Two:
        direction = "en-zh"

        def translate_n_best(self, texts, count, *, finished=False):
            return [[("今天天气很好。", -0.1), ("我想要一杯茶。", -0.9)] for _ in texts]

    rows = [{"en": "I want a cup of tea.", "zh": "来杯茶。", "source": "toy"}]
    translate = partial(translate_rows, Two(), rows, judge=judge_of("meaning", "en-zh", None))
    (row,) = translate(policy=Policy(n_best=2, choose="meaning"))
    assert (row.translation["zh"], row.score, row.rejected) == ("我想要一杯茶。", -0.9, "")
    assert 0.3 < row.quality <= 1
    (row,) = translate(policy=Policy(n_best=2, choose="meaning", min_quality=0.999))
    assert (row.origin, row.rejected) == ("reference", "low_quality")
