import pytest

from marian_distill.teachers.llm.answers import clean_answer
from marian_distill.teachers.llm.prompt import Prompt
from marian_distill.teachers.llm.teacher import Answer, TextTeacher, distinct_translations


@pytest.mark.parametrize(
    ("answer", "source", "translation"),
    [
        ("我想要茶。", "I want tea.", "我想要茶。"),
        ("  我想要茶。\n", "I want tea.", "我想要茶。"),
        ("<think>\nThe user wants…\n</think>\n\n我想要茶。", "I want tea.", "我想要茶。"),
        ("```\n我想要茶。\n```", "I want tea.", "我想要茶。"),
        ("```text\n我想要茶。\n```", "I want tea.", "我想要茶。"),
        ("Translation: 我想要茶。", "I want tea.", "我想要茶。"),
        ("译文：我想要茶。", "I want tea.", "我想要茶。"),
        ("中文翻译：我想要茶。", "I want tea.", "我想要茶。"),
        ("Sure! Here is the translation:\n\n我想要茶。", "I want tea.", "我想要茶。"),
        ("以下是翻译：\n我想要茶。", "I want tea.", "我想要茶。"),
        ("我想要茶。\n\nNote: 茶 can also be…", "I want tea.", "我想要茶。"),
        ("我想要茶。\n（注：这里的茶是……）", "I want tea.", "我想要茶。"),
        ("我想要茶。（注：也可以说喝茶）", "I want tea.", "我想要茶。"),
        ("I want tea. (Literally: I think want tea)", "我想要茶。", "I want tea."),
        ("**我想要茶。**", "I want tea.", "我想要茶。"),
        ("“我想要茶。”", "I want tea.", "我想要茶。"),
        ('"I want tea."', "我想要茶。", "I want tea."),
        # What the source has stays.
        ("“我想要茶。”", "“I want tea.”", "“我想要茶。”"),
        ("“茶”和“咖啡”", "Tea and coffee", "“茶”和“咖啡”"),
        ("翻译：张三", "Translation: Zhang San", "翻译：张三"),
        ("注：含税。", "Note: tax included.", "注：含税。"),
        ("一行\n两行", "One line\nTwo lines", "一行\n两行"),
        ("5 ** 2", "5 ** 2", "5 ** 2"),
        ("<think>还没想完", "I want tea.", "<think>还没想完"),
        ("", "I want tea.", ""),
    ],
)
def test_what_comes_off(answer, source, translation):
    assert clean_answer(answer, source) == translation


def test_distinct_translations_best_first():
    answers = [
        Answer("“茶”", -0.9, True),
        Answer("茶", -0.5, True),
        Answer("茶叶", -0.7, True),
        Answer("水", None, True),
    ]
    assert distinct_translations("tea", answers) == [("茶", -0.5), ("茶叶", -0.7), ("水", None)]


def test_half_an_answer_is_no_translation():
    class Backend:
        def __init__(self):
            self.provenance = {}

        def answer(self, conversations, count, sampling, limits):
            assert (len(conversations), count, sampling.temperature, limits) == (2, 2, 0.7, [24, 16])
            return [[Answer("我想要", -0.1, False), Answer("我要茶。", -0.4, True)], [Answer("我", -0.1, False)]]

    teacher = TextTeacher(Backend(), Prompt(user="{source}"), "en-zh", 50)
    assert teacher.translate_n_best(["I want tea.", "I"], 2, finished=True) == [[("我要茶。", -0.4)], []]
    assert teacher.translate_n_best(["I want tea.", "I"], 2)[1] == [("我", -0.1)]
