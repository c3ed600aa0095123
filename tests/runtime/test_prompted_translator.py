"""A language model that translates: greedy and beam, alone and in a batch, long lines, both directions."""

from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.evaluate import evaluate, load_translator
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.runtime.prompted_translator import PromptedTranslator
from toy_model import PAIRS

ENGLISH, CHINESE = map(list, zip(*PAIRS, strict=True))


@pytest.fixture(scope="module")
def translator(toy_prompted_dir):
    return PromptedTranslator(toy_prompted_dir, max_decoding_length=32, intra_threads=1)


def test_it_has_learnt_to_translate_in_both_directions(toy_prompted_dir):
    test = EvaluationSet(Path("pairs.tsv"), [((english,), (chinese,)) for english, chinese in PAIRS])
    for direction in ("en-zh", "zh-en"):
        translator = load_translator(toy_prompted_dir, direction, max_decoding_length=32)
        assert isinstance(translator, PromptedTranslator)
        scored, _ = evaluate(translator, test, direction)
        assert scored.report["chrf++"]["score"] > 60


def test_the_direction_is_an_argument_of_each_call(translator, toy_prompted_dir):
    chinese = PromptedTranslator(toy_prompted_dir, "zh-en", max_decoding_length=32, intra_threads=1)
    assert translator.translate(CHINESE[:3], direction="zh-en") == chinese.translate(CHINESE[:3])
    assert translator.translate(ENGLISH[:3]) == chinese.translate(ENGLISH[:3], direction="en-zh")


def test_a_sentence_is_translated_alone_as_in_a_batch_of_other_lengths(translator):
    texts = ENGLISH[::5]
    assert translator.translate(texts) == [translator.translate([text])[0] for text in texts]


def test_beams_and_their_scores(toy_prompted_dir):
    translator = PromptedTranslator(toy_prompted_dir, beam_size=4, max_decoding_length=32, intra_threads=1)
    (best,) = translator.translate_n_best(ENGLISH[:1], 3)
    assert best[0][0] == translator.translate(ENGLISH[:1])[0]
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)


def test_line_breaks_blank_lines_and_long_lines_stay(translator):
    translated = translator.translate([f"{ENGLISH[0]}\n\n{' '.join(ENGLISH[:6])}", ""])
    assert translated[0].count("\n") == 2
    assert len(translated[0].split("\n")[2]) > len(translated[0].split("\n")[0])
    assert translated[1] == ""


def test_folders_of_another_kind(toy_writer_dir, toy_writer_ct2_dir, toy_prompted_dir):
    with pytest.raises(UserError, match="this model writes and does not translate"):
        load_translator(toy_writer_ct2_dir)
    with pytest.raises(UserError, match="a language model translates when it is exported"):
        load_translator(toy_writer_dir)
    with pytest.raises(UserError, match="maximum decoding length 96: this model takes 12 to 64 tokens"):
        load_translator(toy_prompted_dir)
