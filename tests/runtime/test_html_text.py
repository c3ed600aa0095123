import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marian_distill.runtime.html_text import escaped, parse_html
from marian_distill.runtime.spans import Masked, Span


def written(page):
    """The page with its own text in place of translations."""

    def span_of(span):
        return span.target or span.opening + masked(span.inside) + span.closing

    def masked(part):
        return Masked(part.text, tuple(Span(span_of(span)) for span in part.spans)).written(escaped)

    return "".join(masked(part) if isinstance(part, Masked) else part for part in page)


def texts(page):
    return [part.text.replace("\U000f0000", "_") for part in page if isinstance(part, Masked)]


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        ("<p>One <b>two</b> three.</p>\n <p>Four</p>", ["One _ three.", "Four"]),
        ("a<br>b<img src=x>c", ["a", "b_c"]),
        ("<ul>\n <li>Tea</li><!-- c --><li>Milk\n  now</li></ul>", ["Tea", "_", "Milk now"]),
        ("<p>Fish &amp; chips &copy; caf&eacute;</p>", ["Fish & chips _ café"]),
        ("<script>if (a < b) {}</script>x<style>p > a {}</style>", ["x"]),
        ("Type <code>a <b>b</b></code> now<pre>x\n  y</pre>", ["Type _ now"]),
        ('See <span translate="no">A <span>B</span> C</span> and <i class="x notranslate">D</i>.', ["See _ and _."]),
        ("1 < 2, <3 and a<b", ["1 < 2, <3 and a_b"]),
        ("Hi {name}, see https://example.com.", ["Hi _, see _."]),
        ("<a title=\"a > b\" href='x'>Here</a>", ["_"]),
    ],
)
def test_what_is_translated(source, sentences):
    assert texts(parse_html(source)) == sentences


@pytest.mark.parametrize(
    "source",
    [
        '<!DOCTYPE html><html lang=en><head><title>T</title><meta x="1 > 0"></head><BODY  class=a >x</BODY ></html>',
        "<p>a<b>b<i>c</i></b>d</p><!-- x > y --><?php 1 ?><![CDATA[z]]>",
        "<p>&lt;b&gt; &#8594; &copy; &amp; 5 &lt; 6</p>",
        "<b>unclosed <i>crossed</b> over</i> </u>",
        "<script>'</scrip'+'t>'</script><textarea><b></textarea>",
        '<a href="x>y</a> never closed',
        "<p>https://example.com/?a=1&amp;b=2 and `x &amp; y`</p>",
        "<b>" * 3000 + "deep" + "</b>" * 3000,
    ],
)
def test_a_page_comes_back_as_it_was_around_its_text(source):
    assert written(parse_html(source)) == source


TOKENS = [
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<i class='x'>",
    "</i>",
    "<br>",
    "<!-- ",
    "-->",
    "<code>",
    "</code>",
    "<",
    ">",
    '"',
]


@given(st.lists(st.sampled_from([*TOKENS, "word", " ", "中", "&amp;", "&copy;", "{0}"])))
def test_no_tag_and_no_word_of_any_page_is_lost(tokens):
    source = "".join(tokens)
    back = written(parse_html(source))
    assert "".join(re.sub(r"[<>]", "", html.unescape(back)).split()) == "".join(
        re.sub(r"[<>]", "", html.unescape(source)).split()
    )
