"""A language model exported: it says what it said, refuses what it must, and appears whole or not at all."""

import shutil

import pytest

from marian_distill.errors import UserError
from marian_distill.export.language_model import MODEL_FILES, export_language_model
from marian_distill.files import read_json, write_json
from marian_distill.runtime.ct2_generator import CTranslate2Generator
from toy_language_model import TEXTS


def test_int8_is_as_good_as_the_trained_model(toy_writer_dir, tmp_path):
    export = export_language_model(toy_writer_dir, tmp_path / "ct2", "int8", TEXTS[:20])
    assert {*MODEL_FILES, "export.json", "README.md"} <= {path.name for path in (tmp_path / "ct2").iterdir()}
    assert export["effective_compute_type"].startswith("int8")
    # A model this narrow feels the rounding of a processor without VNNI; one of 4 M parameters does not (0.01 %).
    assert export["exported_bits_per_byte"] == pytest.approx(export["trained_bits_per_byte"], rel=0.15)
    assert export["equal_continuations"] >= 0.8 * export["texts"]
    assert read_json(tmp_path / "ct2" / "export.json") == export
    config = read_json(tmp_path / "ct2" / "config.json")
    assert (config["kind"], config["max_position_embeddings"]) == ("language model", 64)


def test_float32_is_the_trained_model(toy_writer_dir, tmp_path):
    export = export_language_model(toy_writer_dir, tmp_path / "ct2", "float32", TEXTS[:20], min_parity=1.0)
    assert export["exported_bits_per_byte"] == pytest.approx(export["trained_bits_per_byte"], rel=1e-5)
    with pytest.raises(UserError, match="Add --overwrite"):
        export_language_model(toy_writer_dir, tmp_path / "ct2", "float32", TEXTS[:2])


def test_more_rows_than_tokens_as_qwens_own_models_have(toy_writer_dir, toy_tokenizer, tmp_path):
    from marian_distill.students.loading import load_student

    model = load_student(toy_writer_dir)
    model.resize_token_embeddings(330)
    model.save_pretrained(tmp_path / "model")
    toy_tokenizer.save(tmp_path / "model")
    export_language_model(tmp_path / "model", tmp_path / "ct2", "float32", TEXTS[:4])
    assert CTranslate2Generator(tmp_path / "ct2", threads=1).tokenizer.size == 320


def test_a_tokenizer_with_more_tokens_than_the_model_has_rows(toy_writer_dir, tmp_path):
    shutil.copytree(toy_writer_dir, tmp_path / "model")
    config = read_json(tmp_path / "model" / "config.json")
    write_json(tmp_path / "model" / "config.json", {**config, "vocab_size": 300})
    with pytest.raises(UserError, match=r"vocab_size 300, but the tokenizer in .* has 320 tokens"):
        export_language_model(tmp_path / "model", tmp_path / "ct2", "int8", TEXTS[:2])
    assert not (tmp_path / "ct2").exists()


def test_int4_by_torchao(toy_writer_dir):
    pytest.importorskip("torchao")
    from marian_distill.evaluation.hf_generator import HFGenerator
    from marian_distill.evaluation.int4 import stored_megabytes
    from marian_distill.evaluation.language_model import bits_per_byte

    plain, quantised = HFGenerator(toy_writer_dir), HFGenerator(toy_writer_dir, int4=True)
    assert quantised.compute_type == "int4_bfloat16"
    assert stored_megabytes(quantised.model) < 0.7 * stored_megabytes(plain.model)
    assert bits_per_byte(quantised, TEXTS[:20]) < 1.3 * bits_per_byte(plain, TEXTS[:20])
