import shutil

import pytest

from marian_distill.errors import UserError
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from toy_model import PAIRS


@pytest.fixture(scope="module")
def translator(toy_ct2_dir):
    return CTranslate2Translator(toy_ct2_dir)


def test_it_translates_what_the_model_has_learnt(translator):
    english, chinese = zip(*PAIRS, strict=True)
    assert translator.translate(english) == list(chinese)


def test_results_come_in_the_order_of_the_texts_whatever_their_length(translator):
    texts = ["We like tea.", "", "The coffee is $1,234.56. The tea is $3.5.", "I want water."]
    assert translator.translate(texts) == [translator.translate([text])[0] for text in texts]
    assert translator.translate(texts)[1] == ""


def test_long_input_is_split_into_sentences_and_nothing_is_lost(translator, caplog):
    english, chinese = zip(*PAIRS, strict=True)
    assert translator.translate([" ".join(english)]) == ["".join(chinese)]
    assert translator.translate(["\n\n".join(english[:3])]) == ["\n\n".join(chinese[:3])]
    assert not caplog.records


def test_input_beyond_the_position_table_does_not_stop_the_engine(translator):
    [translation] = translator.translate(["tea" * 3000])
    assert translation


def test_sources_end_in_end_of_sentence_and_start_with_the_tag(translator):
    with_end = translator.pieces.source_pieces(["We like tea."], translator.tag)
    assert with_end[0][0] == ">>cmn_Hans<<"
    assert with_end[0][-1] == "</s>"
    assert translator.pieces.decode(translator.decode_pieces(with_end)[0]) == "我们喜欢茶。"
    without_end = [with_end[0][:-1]]
    scored = translator.engine.translate_batch(with_end + without_end, return_scores=True)
    assert scored[0].scores != scored[1].scores  # the engine adds none itself


def test_a_translation_that_meets_the_bound_is_told(toy_ct2_dir, caplog):
    short = CTranslate2Translator(toy_ct2_dir, max_decoding_length=12)
    short.pieces.source_pieces(["The juice is $1,234.56."])
    short.max_decoding_length = 5
    short.translate(["We like tea.", "The juice is $1,234.56."], first_line=7)
    assert "line 8" in caplog.text


def test_beam_search_finds_the_same_in_a_model_that_is_sure(toy_ct2_dir, translator):
    beam = CTranslate2Translator(toy_ct2_dir, beam_size=4)
    texts = [english for english, _ in PAIRS[:20]]
    assert beam.translate(texts) == translator.translate(texts)


def test_the_effective_compute_type_is_the_engines(toy_ct2_dir):
    assert CTranslate2Translator(toy_ct2_dir, compute_type="int8").compute_type.startswith("int8")
    assert CTranslate2Translator(toy_ct2_dir).compute_type == "float32"


def test_bad_folders_and_options_are_told_in_one_line(toy_ct2_dir, tmp_path):
    with pytest.raises(UserError, match=r"no model\.bin here"):
        CTranslate2Translator(tmp_path)
    with pytest.raises(UserError, match="'zh-en': this model translates en-zh"):
        CTranslate2Translator(toy_ct2_dir, "zh-en")
    with pytest.raises(UserError, match="cannot load this model"):
        CTranslate2Translator(toy_ct2_dir, compute_type="int3")
    with pytest.raises(UserError, match="this model takes 12 to 512 tokens"):
        CTranslate2Translator(toy_ct2_dir, max_decoding_length=600)
    broken = shutil.copytree(toy_ct2_dir, tmp_path / "broken")
    (broken / "model.bin").write_bytes(b"half a model")
    with pytest.raises(UserError, match="cannot load this model"):
        CTranslate2Translator(broken)
