import pytest
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.runtime.segmentation import join_segments, one_line, segment_line, split_clauses, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is late. We go home.", ["It is late.", "We go home."]),
        ("Stop! Who is there? Nobody…  Really.", ["Stop!", "Who is there?", "Nobody…", "Really."]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("(It rained.) We stayed.", ["(It rained.)", "We stayed."]),
        ("天黑了。我们回家吧！好吗？", ["天黑了。", "我们回家吧！", "好吗？"]),
        ("他说：“走吧。”然后他走了。", ["他说：“走吧。”", "然后他走了。"]),
        ("你好!我是小王。", ["你好!", "我是小王。"]),
        ("Hello. 你好。", ["Hello.", "你好。"]),
        ("Subtotal: $1,234.56. Tax: $1.60. Total: $19.99.", ["Subtotal: $1,234.56.", "Tax: $1.60.", "Total: $19.99."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.5 dollars.",
        "Mr. Smith met Dr. Jones in the U.S. Senate.",
        "Bring fruit, e.g. Apples or pears.",
        "J. R. Smith wrote it.",
        "See you at 5 p.m. Monday.",
        "3. Turn left at the bank.",
        "He waited... and waited.",
        "价格是3.5元，很便宜。",
        "Visit example.com today.",
    ],
)
def test_full_stops_inside_a_sentence_do_not_end_it(text):
    assert split_sentences(text) == [text]


def test_a_short_line_stays_whole_and_a_longer_one_is_split_into_sentences():
    line = "One two. Three four. Five six."
    assert segment_line(line, len, max_length=len(line)) == [line]
    assert segment_line(line, len, max_length=len(line) - 1) == ["One two.", "Three four.", "Five six."]
    assert segment_line("  ", len, max_length=10) == []


def test_a_long_sentence_is_cut_at_its_clauses_first():
    assert segment_line("we came late, we saw little, we left", len, 28) == ["we came late, we saw little,", "we left"]
    assert segment_line("我们来得很晚，看见的不多，就走了", len, 13) == ["我们来得很晚，看见的不多，", "就走了"]


def test_a_number_is_not_cut_while_anything_else_can_be():
    segments = segment_line("总共是1,234.56元人民币不找零钱谢谢", len, 10)
    assert any("1,234.56" in segment for segment in segments)


@given(
    st.text(st.sampled_from("ab Z.,;:!?…\"'()“”。，！？：；、中文茶1 3.5\t$-"), max_size=120),
    st.integers(min_value=3, max_value=40),
)
def test_segments_are_within_the_bound_and_lose_nothing_but_spaces(line, max_length):
    segments = segment_line(line, len, max_length)
    assert all(0 < len(segment) <= max_length for segment in segments)
    assert "".join("".join(segments).split()) == "".join(line.split())


def test_segments_are_joined_as_each_language_is_written():
    assert join_segments(["It is late.", " We go. "], "en") == "It is late. We go."
    assert join_segments(["天黑了。", "我们走。"], "zh") == "天黑了。我们走。"
    assert join_segments(["共19.99", "20杯"], "zh") == "共19.99 20杯"  # or 19.99 would become 19.9920
    assert join_segments(["一`a  b`行 ", ""], "zh") == "一`a  b`行"
    assert one_line(" 一\n 行") == "一 行"


def test_clauses_end_at_commas_that_are_none_of_a_number():
    assert split_clauses("For 1,234 cups, at 8:45: yes; no") == ["For 1,234 cups,", "at 8:45:", "yes;", "no"]
    assert split_clauses("如果，请问：好；") == ["如果，", "请问：", "好；"]
