import json

import pytest
from transformers import PreTrainedTokenizerFast

from marian_distill.errors import UserError
from marian_distill.files import read_json
from marian_distill.text.byte_bpe import SMALLEST, train_byte_bpe
from marian_distill.text.trimming import KEPT_FILE, trim_byte_bpe
from marian_distill.tokenizer_file import FILE, TokenizerFile
from toy_model import PAIRS

ENGLISH, CHINESE = map(list, zip(*PAIRS, strict=True))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> TokenizerFile:
    folder = tmp_path_factory.mktemp("whole")
    return train_byte_bpe(ENGLISH + CHINESE, folder, 420)


def test_text_whose_tokens_are_kept_is_cut_as_before(whole, tmp_path):
    trimmed = trim_byte_bpe(whole, ENGLISH, tmp_path)
    small = TokenizerFile(tmp_path)
    assert SMALLEST < small.size == len(trimmed.kept) < whole.size
    assert trimmed.tokens_before == trimmed.tokens_after
    for old, new in zip(whole.encode(ENGLISH), small.encode(ENGLISH), strict=True):
        assert [trimmed.kept[index] for index in new] == old
        assert small.tokens(new) == whole.tokens(old)
    assert read_json(tmp_path / KEPT_FILE) == trimmed.kept


def test_any_other_text_can_be_written_too(whole, tmp_path):
    trim_byte_bpe(whole, ENGLISH, tmp_path)
    small = TokenizerFile(tmp_path)
    texts = [*CHINESE, "Ünïcödé 🙂 ½", ">>cmn_Hans<<naïve"]
    assert sum(map(len, small.encode(CHINESE))) > sum(map(len, whole.encode(CHINESE)))
    for text in texts[:-1]:
        (ids,) = small.encode([text])
        assert small.decode(ids) == text
    assert small.encode([texts[-1]])[0][0] == small.library.token_to_id(">>cmn_Hans<<")
    assert small.tokens([small.end_id]) == whole.tokens([whole.end_id])


def test_transformers_loads_the_same_tokens(whole, tmp_path):
    trim_byte_bpe(whole, ENGLISH + CHINESE, tmp_path, vocab_size=350)
    small, theirs = TokenizerFile(tmp_path), PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert small.size == len(theirs) <= 350
    assert theirs(CHINESE[:9], add_special_tokens=False)["input_ids"] == small.encode(CHINESE[:9])
    assert theirs.eos_token_id == small.end_id


@pytest.mark.parametrize("vocab_size", [SMALLEST, 300, 380])
def test_every_token_can_still_be_made(whole, tmp_path, vocab_size):
    trim_byte_bpe(whole, ENGLISH + CHINESE, tmp_path, vocab_size)
    model = read_json(tmp_path / FILE)["model"]
    assert len(model["vocab"]) <= vocab_size
    made = {one + other for one, other in model["merges"]}
    alone = {token for token in model["vocab"] if len(token) > 1} - made
    assert alone <= {token["content"] for token in read_json(tmp_path / FILE)["added_tokens"]}
    assert all({*merge, "".join(merge)} <= model["vocab"].keys() for merge in model["merges"])


def test_a_rare_token_is_left_out(whole, tmp_path):
    often = trim_byte_bpe(whole, ENGLISH, tmp_path, min_count=10)
    (tmp_path / "all").mkdir()
    assert len(often.kept) < len(trim_byte_bpe(whole, ENGLISH, tmp_path / "all").kept)
    assert often.tokens_after > often.tokens_before


def test_ids_of_a_post_processor_follow(whole, tmp_path):
    values = read_json(whole.directory / FILE)
    end = whole.tokens([whole.end_id])[0]
    old = values["added_tokens"][-1]["id"] + 300  # a token that moves
    values["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {end: {"id": end, "ids": [old], "tokens": [end]}},
    }
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / FILE).write_text(json.dumps(values), encoding="utf-8")
    (tmp_path / "out").mkdir()
    given = TokenizerFile(tmp_path / "given")
    kept = trim_byte_bpe(given, [given.library.decode([old])] * 3 + CHINESE, tmp_path / "out").kept
    processor = read_json(tmp_path / "out" / FILE)["post_processor"]
    assert processor["special_tokens"][end]["ids"] == [kept.index(old)] != [old]


def test_too_few_tokens_and_other_tokenizers_are_one_line(whole, tmp_path):
    with pytest.raises(UserError, match=f"has {SMALLEST} bytes and special tokens alone"):
        trim_byte_bpe(whole, ENGLISH, tmp_path, vocab_size=257)
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\ntea\n", encoding="utf-8")
    TokenizerFile(tmp_path / "bert").save(tmp_path / "bert")
    with pytest.raises(UserError, match="not byte-level BPE"):
        trim_byte_bpe(TokenizerFile(tmp_path / "bert"), ENGLISH, tmp_path)
