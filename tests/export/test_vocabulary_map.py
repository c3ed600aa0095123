from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from marian_distill.export.vocabulary_map import candidates, covered_share, lexical_probabilities, map_lines
from marian_distill.languages import TAGS
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.ctranslate2 import VOCABULARY_MAP, CTranslate2Translator
from toy_model import PAIRS

ENGLISH, CHINESE = map(list, zip(*PAIRS, strict=True))


@pytest.fixture(scope="module")
def pieces(toy_ct2_dir: Path) -> SentencePieceTokenizer:
    return SentencePieceTokenizer(toy_ct2_dir)


@pytest.fixture(scope="module")
def sentences(pieces: SentencePieceTokenizer) -> tuple[list[list[int]], list[list[int]]]:
    sources = [pieces.ids(row) for row in pieces.source_pieces(ENGLISH, TAGS["zh"])]
    return sources, [pieces.ids(row) for row in pieces.target_pieces(CHINESE)]


def test_probabilities_by_hand():
    # "1 0" ↔ "5 0" and "2 0" ↔ "6 0": each word meets its own translation and what is common to both.
    source, target, probability = lexical_probabilities([[1, 0], [2, 0]], [[5, 0], [6, 0]], 10)
    table = {(s, t): p for s, t, p in zip(source, target, probability, strict=True)}
    assert table.keys() == {(0, 0), (0, 5), (0, 6), (1, 0), (1, 5), (2, 0), (2, 6)}
    assert table[1, 5] > 2 * table[1, 0]  # started at 1 : 1
    assert table[0, 0] == max(table[0, t] for t in (0, 5, 6))
    for word in (0, 1, 2):
        assert np.isclose(probability[source == word].sum(), 1.0)


def test_a_word_s_first_candidate_is_its_translation(pieces, sentences):
    by_source, _ = candidates(pieces, *sentences, most=2, always=3)
    names = pieces.pieces
    (latte,) = pieces.ids(["▁latte"])
    assert "拿铁" in names[by_source[latte][0]]
    assert latte in by_source[latte]  # a name may be copied
    assert max(map(len, by_source.values())) <= 3


def test_what_is_always_possible(pieces, sentences):
    _, always = candidates(pieces, *sentences, most=2, always=3)
    found = {pieces.pieces[index] for index in always}
    assert {"</s>", "<0x0A>", "。", "$", "9", "."} <= found
    assert "<pad>" not in found


def test_coverage_counts_target_tokens(pieces, sentences):
    by_source, always = candidates(pieces, *sentences, most=400, always=0)
    assert covered_share(by_source, always, *sentences) == 1.0
    assert covered_share({}, always, *sentences) < 1.0
    assert covered_share({}, [], *sentences) == 0.0


def test_the_engine_translates_the_same_with_the_map(pieces, sentences, toy_ct2_dir, tmp_path):
    folder = Path(copytree(toy_ct2_dir, tmp_path / "mapped"))
    lines = map_lines(pieces, *candidates(pieces, *sentences, most=20, always=20))
    (folder / VOCABULARY_MAP).write_text("\n".join(lines) + "\n", encoding="utf-8")
    mapped, whole = CTranslate2Translator(folder), CTranslate2Translator(toy_ct2_dir)
    assert mapped.use_vmap and not whole.use_vmap
    assert mapped.translate(ENGLISH) == whole.translate(ENGLISH)


def test_the_engine_says_nothing_but_candidates(pieces, toy_ct2_dir, tmp_path):
    folder = Path(copytree(toy_ct2_dir, tmp_path / "mapped"))
    (folder / VOCABULARY_MAP).write_text("\t</s> 咖啡 。\n", encoding="utf-8")
    translation = CTranslate2Translator(folder, max_decoding_length=20).translate(["I want latte."])[0]
    assert set(translation) <= set("咖啡。")
