from pathlib import Path

import pytest

from marian_distill.errors import UserError
from marian_distill.evaluation.evaluate import evaluate, load_translator
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.evaluation.hf_translator import HFTranslator
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from toy_model import PAIRS


def test_every_kind_of_folder_gives_the_same_figures(toy_model_dir, toy_ct2_dir, toy_bundle_dir):
    test = EvaluationSet(Path("pairs.tsv"), [((english,), (chinese,)) for english, chinese in PAIRS])
    reports = []
    for folder, kind, compute_type in (
        (toy_model_dir, HFTranslator, "float32"),
        (toy_ct2_dir, CTranslate2Translator, "float32"),
        (toy_bundle_dir, BundleTranslator, "cpu fp32"),
    ):
        translator = load_translator(folder, "en-zh")
        assert isinstance(translator, kind)
        assert translator.compute_type == compute_type
        scored, hypotheses = evaluate(translator, test, "en-zh")
        assert scored.report.pop("sentences_per_second") > 0
        reports.append((scored.report, hypotheses))
    assert reports[0] == reports[1] == reports[2]
    report, hypotheses = reports[0]
    assert hypotheses == [chinese for _, chinese in PAIRS]
    assert report["sentences"] == len(PAIRS)
    assert report["bleu"]["score"] == pytest.approx(100)
    assert report["numbers_kept"] == 1.0


def test_beam_search_in_a_hugging_face_folder(toy_model_dir):
    translator = HFTranslator(toy_model_dir, beam_size=4)
    assert translator.translate(["We like tea.", ""]) == ["我们喜欢茶。", ""]


def test_a_hugging_face_folder_splits_long_text_like_an_exported_one(toy_model_dir):
    english, chinese = zip(*PAIRS, strict=True)
    assert HFTranslator(toy_model_dir).translate([" ".join(english)]) == ["".join(chinese)]


def test_what_cannot_be_loaded_is_told(toy_model_dir, toy_bundle_dir, tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        load_translator(tmp_path / "absent")
    with pytest.raises(UserError, match=r"config\.json: no such file"):
        load_translator(tmp_path)
    with pytest.raises(UserError, match="takes float32 only"):
        load_translator(toy_model_dir, compute_type="int8")
    with pytest.raises(UserError, match="is a bundle, which computes as exported"):
        load_translator(toy_bundle_dir, compute_type="int8")
    with pytest.raises(UserError, match="this model translates en-zh"):
        load_translator(toy_model_dir, "zh-en")
