import json
import shutil

import numpy as np
import pytest

from marian_distill.errors import UserError
from marian_distill.files import sha256
from marian_distill.runtime.benchmark import benchmark
from marian_distill.runtime.bundle import read_bundle
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from toy_model import PAIRS


@pytest.fixture
def bundle_dir(toy_bundle_dir, tmp_path):
    return shutil.copytree(toy_bundle_dir, tmp_path / "bundle")


def test_it_says_what_the_phone_says(toy_bundle_dir, toy_ct2_dir):
    texts = [english for english, _ in PAIRS[::3]]
    phone = CTranslate2Translator(toy_ct2_dir, max_decoding_length=32)
    assert BundleTranslator(toy_bundle_dir).translate(texts) == phone.translate(texts)


def test_long_text_line_breaks_and_blank_lines(toy_bundle_dir):
    translator = BundleTranslator(toy_bundle_dir)
    assert translator.max_segment_length == 21  # of 32, so that the translation fits
    text = "We like tea. I want water. They need juice. You like milk.\n\nWhere is the coffee, please?"
    assert translator.translate([text]) == ["我们喜欢茶。我想要水。他们需要果汁。你们喜欢牛奶。\n\n请问，咖啡在哪里？"]


def test_a_translation_that_met_its_bound_has_no_end(toy_bundle_dir):
    translator = BundleTranslator(toy_bundle_dir, max_decoding_length=12)
    [cut] = translator.decode_pieces(
        translator.pieces.source_pieces(["The water is $1,234.56."], translator.source_tags[translator.direction])
    )
    assert (len(cut), "</s>" in cut) == (12, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "zh-en"}, "this model translates en-zh"),
        ({"beam_size": 0}, "beam size 0"),
        ({"max_decoding_length": 33}, "33: this model takes 12 to 32 tokens"),
    ],
)
def test_options_that_do_not_fit(toy_bundle_dir, options, message):
    with pytest.raises(UserError, match=message):
        BundleTranslator(toy_bundle_dir, **options)


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(UserError, match=r"no bundle\.json here. Make a bundle with"):
        read_bundle(tmp_path)


def test_a_bundle_of_another_schema(bundle_dir):
    config = json.loads((bundle_dir / "bundle.json").read_text())
    (bundle_dir / "bundle.json").write_text(json.dumps({**config, "schema": 2}))
    with pytest.raises(UserError, match="schema 2, expected 1"):
        read_bundle(bundle_dir)


def test_a_file_that_is_missing_or_damaged_is_named(bundle_dir):
    path = bundle_dir / "decoder.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"decoder\.onnx: not the file that bundle\.json describes"):
        read_bundle(bundle_dir)
    path.unlink()
    with pytest.raises(UserError, match=r"decoder\.onnx: no such file"):
        read_bundle(bundle_dir)


def test_a_table_of_another_shape_is_refused(bundle_dir):
    config = json.loads((bundle_dir / "bundle.json").read_text())
    table = bundle_dir / "positions.npy"
    np.save(table, np.zeros((3, 48), np.float32))
    config["files"]["positions.npy"] = {"bytes": table.stat().st_size, "sha256": sha256(table)}
    (bundle_dir / "bundle.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"positions\.npy: float32 \(3, 48\), expected float32 \(32, 48\)"):
        BundleTranslator(bundle_dir)


def test_too_long_a_source_is_refused_not_cut(toy_bundle_dir):
    translator = BundleTranslator(toy_bundle_dir)
    with pytest.raises(UserError, match="33 source tokens: this bundle takes 1 to 32"):
        translator.decode_pieces([["▁tea"] * 33])


def test_the_benchmark_times_every_part(toy_bundle_dir):
    report = benchmark(toy_bundle_dir, ["We like tea.", "I want water."], repeats=3)
    assert (report["target"], report["dtype"], report["sentences"]) == ("cpu", "fp32", 6)
    assert 4 <= report["decoder_calls_a_sentence"] < 12
    for part in ("encoder_ms", "decoder_ms", "sentence_ms"):
        assert 0 < report[part]["p50"] <= report[part]["p95"]
    assert report["sentence_ms"]["mean"] > report["encoder_ms"]["mean"] + 4 * report["decoder_ms"]["mean"]
    assert report["peak_memory_mb"] > 10
