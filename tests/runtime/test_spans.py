import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.errors import UserError
from marian_distill.runtime.segmentation import MASK
from marian_distill.runtime.spans import Glossary, Masked, Span, parse_text, sentences_of

KEPT = [
    *(
        "{0}",
        "{name}",
        "{{x}}",
        "{{ user.name }}",
        "{}",
        "${x}",
        "#{x}",
        "%{count}",
        "{% if x %}",
        "｛名｝",
        "[[link]]",
    ),
    *("%s", "%d", "%1$s", "%.2f", "%5d", "%(name)s", "%@", "%lld", "$HOME", "@anna", "#menu_1", ":smile:"),
    *(
        "https://example.com/a_b?c=d&e=%20#f",
        "http://localhost:8080",
        "www.example.cn",
        "mailto:a@b.io",
        "example.com/x",
    ),
    *("li.wei+x@mail.example.com.cn", "a@b-c.io", "`git push --force`", "``a ` b``", "print_menu()", "std::sort()"),
    *("order.total_price", "--dry-run", "/usr/local/bin", "~/x/y.csv", "C:\\Users\\x.txt", "getElementById", "v1.2.3"),
    *("config.yaml", "123e4567-e89b-12d3-a456-426614174000", "&nbsp;", "&#8212;", "<b0></b0>", "<br/>", "<!-- x -->"),
    *("👍", "☕️", "👩‍👩‍👧", "🇨🇳", "👋🏽", "1️⃣", "🏳️‍🌈", "©️", "\ud83d", "\0", MASK),
]
PLAIN = [
    "The price is $19.99 (20 % off), Mr. Smith.",
    "It's 100%sure, and/or 5% down; a < b and c > d.",
    "At 3:45 p.m. in the U.S., e.g. room #12, 24/7.",
    "My iPhone costs US$1,234.56 on 12/25/2026 (see below).",
    "Well-known facts - or not... Is it 5-6 or -7? Both & more.",
    "酒店一晚1,234元，约20%。",
    "时间：8:45，温度20°C",
    "他说：“你好！”（真的）",
]


def spans_of(text):
    return [span for part in parse_text(text) if isinstance(part, Masked) for span in part.spans]


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("around", ["Please look at {}, or not.", "请看{}。", "“{}” is it.", "这是{}，对吗？", "{}"])
def test_what_must_come_back_is_found_whole(kept, around):
    assert [span.target for span in spans_of(around.replace("{}", kept))] == [kept]


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_is_left_to_the_model(text):
    assert parse_text(text) == [Masked(text)]


def test_a_numbered_placeholder_after_a_number_is_no_percentage():
    assert [span.target for span in spans_of("Room 4 %1$s, 5%2$d of 20 %3$s")] == ["%1$s", "%2$d", "%3$s"]


@given(st.text() | st.text(alphabet="<>/ab {}%$#@.:`&;-_\n 中。👍\ufe0f\u200d"))
def test_no_character_of_a_text_is_lost(text):
    def written(part):
        return part.filled(written_span) if isinstance(part, Masked) else part

    def written_span(span):
        return span.target or span.opening + written(span.inside) + span.closing

    lines = [line.strip() for line in text.split("\n")]
    parsed = "".join(map(written, parse_text(text)))
    assert [line.strip() for line in parsed.split("\n")] == lines


def test_a_fenced_block_of_code_is_no_text():
    assert parse_text("Run:\n```\nx = 1\n```\nDone.")[2] == "```\nx = 1\n```"


def test_sentences_are_cut_between_what_must_come_back():
    text = "See https://a.io/?x. Why! {a. B} is it.\n```\nOne. Two.\n```\n好。`x! Y`？"
    assert sentences_of(text) == [
        ["See https://a.io/?x.", "Why!", "{a. B} is it."],
        ["```\nOne. Two.\n```"],
        ["好。", "`x! Y`？"],
    ]


def test_an_element_holds_what_is_between_its_tags():
    [element] = spans_of("I <b0>really {0}</b0> like tea.")
    assert (element.opening, element.inside.text, element.closing) == ("<b0>", f"really {MASK}", "</b0>")
    assert [span.target for span in spans_of("a <b>b <i>c</b> d </u>")] == ["", "</u>"]


def test_neighbours_are_one():
    assert [span.target for span in spans_of("{0}{1} costs %s%s.")] == ["{0}{1}", "%s%s"]


@pytest.mark.parametrize("unit", ["a.", "::a", "<!--", "a-", "a@", '<a "', "`", "{{", "/a", "1️⃣", "a_", "😀a", "<b>x"])
def test_a_text_made_to_be_slow_is_not(unit):
    start = time.process_time()
    parse_text(unit * (20_000 // len(unit)))
    assert time.process_time() - start < 3  # a quadratic pattern takes half a minute


@pytest.mark.parametrize(
    ("language", "terms", "text", "found"),
    [
        ("en", {"ice": "冰", "ice tea": "冰红茶"}, "Ice Tea with ice, not rice.", ["冰红茶", "冰"]),
        ("en", {"C++": "C++", "latte": "拿铁"}, "lattes in C++", ["C++"]),
        ("en", {"latte": "拿铁"}, "https://latte.com `latte` latte", ["https://latte.com", "`latte`", "拿铁"]),
        ("zh", {"拿铁": "latte", "大拿铁": "large latte"}, "一杯大拿铁和拿铁", ["large latte", "latte"]),
    ],
)
def test_a_glossary_finds_its_terms(language, terms, text, found):
    [masked] = parse_text(text, Glossary(terms, language))
    assert [span.target for span in masked.spans] == found


def test_a_glossary_refuses_an_empty_term():
    with pytest.raises(UserError, match="the term 'tea' or its translation is empty"):
        Glossary({"tea": " "}, "en")


def test_an_address_is_kept_apart_from_chinese():
    masked = Masked(f"请看{MASK}吧{MASK}号", (Span("https://example.com"), Span("{0}")))
    assert masked.written(str) == "请看 https://example.com 吧{0}号"
