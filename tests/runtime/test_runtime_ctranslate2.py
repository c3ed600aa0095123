import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from marian_distill.errors import UserError
from marian_distill.evaluation.hf_translator import HFTranslator
from marian_distill.export.ctranslate2 import convert
from marian_distill.files import read_json, write_json
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from toy_model import PAIRS, write_model, write_tokenizer


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
    with_end = translator.pieces.source_pieces(["We like tea."], translator.source_tags[translator.direction])
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
    with pytest.raises(UserError, match="100000 × 1 threads: expected 1 to 256 together"):
        CTranslate2Translator(toy_ct2_dir, inter_threads=100_000, intra_threads=1)
    with pytest.raises(UserError, match=r"beam size 100000: expected 1 \(greedy\) to 64"):
        CTranslate2Translator(toy_ct2_dir, beam_size=100_000)


def zero_some_bytes(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    path.write_bytes(content)


def permute(path):
    first, *rest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps([first, *reversed(rest)]), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.bin", zero_some_bytes),
        ("shared_vocabulary.json", permute),
        ("source.spm", lambda path: shutil.copy(write_other_tokenizer(path.parent / "other"), path)),
        ("target.spm", lambda path: path.write_bytes(path.read_bytes()[:-1])),
        ("source.spm", lambda path: path.unlink()),
    ],
)
def test_a_folder_whose_files_are_not_those_that_were_exported_together_is_refused(
    name, damage, toy_ct2_dir, tmp_path
):
    folder = Path(shutil.copytree(toy_ct2_dir, tmp_path / "model"))
    damage(folder / name)
    with pytest.raises(UserError, match=f"{name}: .*Copy the whole folder again"):
        CTranslate2Translator(folder)


def write_other_tokenizer(directory):
    write_tokenizer(directory, vocab_size=340)
    return directory / "source.spm"


def test_a_folder_that_gives_no_hashes_is_taken_as_it_is(toy_ct2_dir, tmp_path):
    folder = Path(shutil.copytree(toy_ct2_dir, tmp_path / "model"))
    config = read_json(folder / "config.json")
    assert config.pop("sha256").keys() == {"model.bin", "shared_vocabulary.json", "source.spm", "target.spm"}
    write_json(folder / "config.json", config)
    assert CTranslate2Translator(folder).translate(["We like tea."]) == ["我们喜欢茶。"]
    (folder / "model.bin").write_bytes(b"half a model")
    with pytest.raises(UserError, match="cannot load this model"):
        CTranslate2Translator(folder)
    write_json(folder / "config.json", ["no", "config"])
    with pytest.raises(UserError, match=r"config\.json: it is .*, expected an object"):
        CTranslate2Translator(folder)


@pytest.mark.parametrize("content", ["", "\n", "tea\t茶\n", "\t茶 咖啡\n"])
def test_a_vocabulary_map_that_the_engine_would_crash_on_is_refused(content, toy_ct2_dir, tmp_path):
    folder = Path(shutil.copytree(toy_ct2_dir, tmp_path / "model"))
    (folder / "vmap.txt").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"vmap\.txt: its first line .* Delete the file"):
        CTranslate2Translator(folder)


def test_beam_search_waits_for_more_than_the_first_finished_hypotheses(tmp_path):
    model_dir = write_model(tmp_path / "model", init_std=0.3)  # random, and inclined to end at any length
    weights = load_file(model_dir / "model.safetensors")
    weights["final_logits_bias"][0, 0] += 6
    save_file(weights, model_dir / "model.safetensors", {"format": "pt"})
    convert(model_dir, tmp_path / "out", "float32", ["en-zh"])
    most = 20
    translator = CTranslate2Translator(tmp_path / "out", beam_size=4, max_decoding_length=most)
    sources = translator.pieces.source_pieces(
        [english for english, _ in PAIRS[::3]], translator.source_tags[translator.direction]
    )
    expected = HFTranslator(model_dir, beam_size=4, max_decoding_length=most).decode_pieces(sources)

    def equal(found):
        return sum(left == right for left, right in zip(found, expected, strict=True))

    engine = translator.engine.translate_batch(
        sources, beam_size=4, max_decoding_length=most, max_input_length=0, return_end_token=True
    )
    assert equal(translator.decode_pieces(sources)) > equal([one.hypotheses[0] for one in engine])


def test_n_best_holds_no_text_twice(toy_ct2_dir):
    wide = CTranslate2Translator(toy_ct2_dir, beam_size=16)
    for found in wide.translate_n_best([english for english, _ in PAIRS[::9]], 16):
        texts, scores = zip(*found, strict=True)
        assert len(set(texts)) == len(texts)
        assert list(scores) == sorted(scores, reverse=True)
    with pytest.raises(UserError, match="17 best translations: expected 1 to the beam size, 16"):
        wide.translate_n_best(["We like tea."], 17)


# Other processors' ways through the engine: AVX2 alone, without MKL as on AMD's, with it as on Intel's.
@pytest.mark.parametrize("setting", [{"CT2_FORCE_CPU_ISA": "AVX2"}, {"CT2_USE_MKL": "0"}, {"CT2_USE_MKL": "1"}])
@pytest.mark.parametrize("beam_size", [1, 4])
def test_int8_says_the_same_on_other_processors(setting, beam_size, toy_model_dir, tmp_path):
    convert(toy_model_dir, tmp_path / "int8", "int8", ["en-zh"])
    code = (
        "import json, sys; from marian_distill.runtime.ctranslate2 import CTranslate2Translator as T;"
        f"t = T({str(tmp_path / 'int8')!r}, beam_size={beam_size}, intra_threads=1);"
        "assert t.compute_type.startswith('int8');"
        "print(json.dumps(t.translate(json.load(sys.stdin))))"
    )
    english, chinese = zip(*PAIRS, strict=True)
    result = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(english),
        env={**os.environ, **setting},
        capture_output=True,
        text=True,
        check=True,
    )
    native = CTranslate2Translator(tmp_path / "int8", beam_size=beam_size).translate(english)
    assert json.loads(result.stdout) == native
    assert sum(left == right for left, right in zip(native, chinese, strict=True)) >= 0.95 * len(PAIRS)


def test_one_model_serves_callers_of_both_directions_at_once(toy_ct2_dir, tmp_path):
    folder = Path(shutil.copytree(toy_ct2_dir, tmp_path / "both"))
    config = {**read_json(folder / "config.json"), "directions": ["en-zh", "zh-en"]}
    write_json(folder / "config.json", {**config, "source_tags": {"en-zh": ">>cmn_Hans<<", "zh-en": ">>eng<<"}})
    texts = [text for pair in PAIRS[::9] for text in pair]
    alone = {way: CTranslate2Translator(folder, way).translate(texts) for way in ("en-zh", "zh-en")}
    assert alone["en-zh"] != alone["zh-en"]
    shared = CTranslate2Translator(folder)
    calls = [(way, number) for number in range(len(texts)) for way in alone]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda call: shared.translate([texts[call[1]]], direction=call[0])[0], calls))
    assert found == [alone[way][number] for way, number in calls]
