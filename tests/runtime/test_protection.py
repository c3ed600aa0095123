import logging
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marian_distill.errors import UserError
from marian_distill.export.ctranslate2 import convert
from marian_distill.runtime.attempts import RETRY_BEAM_SIZE
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.protection import Protected, ProtectedTranslator
from marian_distill.text.numbers import numbers_kept
from toy_model import write_model


@pytest.fixture(scope="module")
def translator(toy_ct2_dir):
    return CTranslate2Translator(toy_ct2_dir, beam_size=4)


@pytest.fixture(scope="module")
def protected(translator):
    return ProtectedTranslator(translator)


PLAIN = [
    "We like tea.",
    "",
    "The juice is $19.99.\n\nHow much is the tea?",
    "Something that it has never seen, at 8:45!",
]


def test_plain_text_is_translated_as_if_nothing_were_there(translator, protected):
    assert protected.translate(PLAIN) == translator.translate(PLAIN)
    assert protected.translate_n_best(PLAIN, 3) == translator.translate_n_best(PLAIN, 3)
    assert [one.way for one in protected.check(PLAIN)] == ["plain"] * len(PLAIN)


def test_what_is_at_the_edge_leaves_the_sentence_as_it_is(protected):
    assert protected.translate(["👍 We like tea. 😀", "We like tea 👍."]) == ["👍 我们喜欢茶。 😀", "我们喜欢茶。 👍"]


# The model has learnt some sentences by heart and knows no placeholder, no city and no clause: parts alone help.
KEPT = ["{0}", "%1$s", "https://example.com/a?b=1", "me@example.org", "`x  = y`", "👍", "<b0></b0>", "${x}", "\ud83d"]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from([*KEPT, "We like", "tea", "the juice is", ",", ".", "!", "喝茶", "\n"]), max_size=12))
def test_what_must_come_back_does_whatever_the_model(protected, words):
    text = " ".join(words)
    [translation] = protected.translate([text])
    assert [translation.count(kept) for kept in KEPT] == [text.count(kept) for kept in KEPT]
    assert translation.count("\n") == text.count("\n")


def test_a_bundle_keeps_it_too(toy_bundle_dir):
    protected = ProtectedTranslator(BundleTranslator(toy_bundle_dir))
    [one] = protected.check(["Hello {name}, the tea from https://example.com is $8, or ask me@example.org: " * 3])
    assert [one.text.count(kept) for kept in ("{name}", "https://example.com", "me@example.org")] == [3, 3, 3]
    assert one.way == "split"


@pytest.fixture(scope="module")
def babbler(tmp_path_factory):
    """A model from Chinese with random weights: it goes on and on, and nothing that it is shown comes back."""
    folder = tmp_path_factory.mktemp("babbler")
    convert(write_model(folder / "model", directions=["zh-en"]), folder / "ct2", "float32", ["zh-en"])
    return CTranslate2Translator(folder / "ct2", max_decoding_length=24)


def test_a_model_that_only_babbles_keeps_it_too(babbler):
    kept = {
        "请在星期五之前把{0}发给me@example.org，谢谢！👍": ("{0}", "me@example.org", "👍"),
        "访问https://example.com。": ("https://example.com",),
        "一杯拿铁和<b>茶</b>，％s": ("caffè latte", "<b>", "</b>"),
    }
    results = ProtectedTranslator(babbler).check(list(kept), glossary={"拿铁": "caffè latte"})
    for one, parts in zip(results, kept.values(), strict=True):
        assert [one.text.count(part) for part in parts] == [1] * len(parts)
        assert one.way == "split"


def test_a_number_that_the_model_copies_stands_in(translator):
    [one] = ProtectedTranslator(translator, numbers_kept).check(["The juice is ${price}. The tea is $8."])
    assert "${price}" in one.text and "8" in one.text


def test_a_term_is_in_the_translation(protected):
    glossary = {"tea": "普洱", "juice": "果汁"}
    [tea, juice, other] = protected.check(["We like Tea.", "We like juice.", "We like milk."], glossary=glossary)
    assert "普洱" in tea.text
    assert juice == Protected("我们喜欢果汁。", (), "stand-in")  # the model says it by itself
    assert other == Protected("我们喜欢牛奶。", (), "plain")
    assert ProtectedTranslator(protected.translator, glossary=glossary).translate(["We like Tea."]) == [tea.text]


def test_an_empty_term_is_the_users_mistake(protected):
    with pytest.raises(UserError, match="glossary: the term '' or its translation is empty"):
        protected.translate(["x"], glossary={"": "y"})


def test_html_keeps_its_tags_where_the_words_are(protected):
    page = '<!-- x --><p class="a">We like <b title="t > u">tea</b>.</p>\n<ul><li>I want water.<li>{0} &copy;</ul>'
    [translated] = protected.translate([page], format="html")
    before, _, inside, after = re.fullmatch(r"(.*?)(<b [^<]*>)(.*?)(</b>.*)", translated, re.DOTALL).groups()
    assert before == '<!-- x --><p class="a">我们喜欢'
    assert inside.startswith("茶")
    assert after == "</b>。</p>\n<ul><li>我想要水。<li>{0} &copy;</ul>"


def test_html_of_every_kind_is_one_batch_and_well_formed(protected):
    pages = ["<p>We <i>like <b>tea</b></i> a &lt; b &amp; c.</p>", "", "plain", "<script>a < b</script>"]
    translated = protected.translate(pages, format="html")
    assert [translated[0].count(tag) for tag in ("<p>", "<i>", "<b>", "</b>", "</i>", "</p>", "&lt;")] == [1] * 7
    assert translated[3] == pages[3]


def test_all_of_n_best_hold_what_they_must(protected):
    [found] = protected.translate_n_best(["We like {0}."], 3)
    assert 1 <= len(found) <= 3
    assert all(text.count("{0}") == 1 for text, _ in found)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


class Careless(CTranslate2Translator):
    """Its first word is its fourth best one."""

    def translate(self, texts, first_line=1, *, direction=None):
        found = (self.decode_n_best([pieces], RETRY_BEAM_SIZE)[0] for pieces in self.pieces.source_pieces(texts))
        return [self.pieces.decode(hypotheses[3][0]) for hypotheses in found]


def test_numbers_that_are_lost_are_found_in_a_beam(toy_ct2_dir, caplog):
    texts = ["The juice is $1,234.56.", "The tea is $19.99."]
    careless = Careless(toy_ct2_dir)
    assert not all(map(numbers_kept, texts, careless.translate(texts)))
    checked = ProtectedTranslator(careless, numbers_kept)
    assert checked.translate(texts) == ["果汁是$1,234.56。", "茶是$19.99。"]
    assert not any(one.warnings for one in checked.check(texts))
    assert not caplog.records


def test_numbers_that_no_beam_has_come_back_all_the_same(protected):
    text = "We like tea since 1987."
    assert not numbers_kept(text, protected.translate([text])[0])
    [one] = ProtectedTranslator(protected.translator, numbers_kept).check([text])
    assert (one.warnings, numbers_kept(text, one.text)) == ((), True)


def test_what_cannot_be_mended_is_told_by_its_line(translator, caplog):
    checked = ProtectedTranslator(translator, lambda source, hypothesis: "tea" not in source)
    with caplog.at_level(logging.WARNING):
        assert checked.translate(["I want water.", "We like tea."], first_line=7) == ["我想要水。", "我们喜欢茶。"]
    assert [record.getMessage() for record in caplog.records] == [
        "line 8: the numbers of the translation differ from the source's"
    ]


def test_a_cut_is_told_by_its_line_among_others(babbler, caplog):
    ProtectedTranslator(babbler).translate(["{0}", "喝茶", "👍"], first_line=5)
    assert {record.getMessage()[:7] for record in caplog.records} == {"line 6:"}


def test_a_direction_that_the_model_lacks_is_refused(protected):
    with pytest.raises(UserError, match="direction 'zh-en'"):
        protected.translate(["{0}"], direction="zh-en")
