"""The language model's tokenizer: round trips, streams of whole characters, other people's folders."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from marian_distill.errors import UserError
from marian_distill.tokenizer_file import TextStream, TokenizerFile, translation_prompts
from toy_language_model import TEXTS, VOCAB_SIZE, write_toy_tokenizer
from toy_model import write_tokenizer

BERT = ["[PAD]", *(f"[unused{index}]" for index in range(3)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BERT += ["we", "like", "tea", "##s", ".", "我", "们"]


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_comes_back(toy_tokenizer, text):
    ids = toy_tokenizer.encode([text])[0]
    if "<|" not in text and ">>" not in text:
        assert toy_tokenizer.decode(ids) == text
    stream = TextStream(toy_tokenizer)
    assert "".join([*(stream.add(index) for index in ids), stream.end()]) == toy_tokenizer.decode(ids)


def test_a_stream_gives_no_half_characters(toy_tokenizer):
    ids = toy_tokenizer.encode(["😀茶"])[0]
    stream = TextStream(toy_tokenizer)
    pieces = [stream.add(index) for index in ids]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) == "😀茶"
    assert pieces[0] == ""
    half = TextStream(toy_tokenizer)
    assert half.add(ids[0]) == ""
    assert half.end() == "\ufffd"


def test_digits_stand_alone_and_special_tokens_are_left_out(toy_tokenizer):
    ids = toy_tokenizer.encode(["1,234.56"])[0]
    assert toy_tokenizer.tokens(ids) == list("1,234.56")
    assert toy_tokenizer.decode([toy_tokenizer.start_id, *ids, toy_tokenizer.end_id]) == "1,234.56"
    (prompt,) = translation_prompts(toy_tokenizer, ["tea"], "en-zh")
    assert toy_tokenizer.tokens(prompt[-1:]) == [">>cmn_Hans<<"]
    assert prompt[0] == toy_tokenizer.start_id


def test_saved_and_loaded(toy_tokenizer, tmp_path):
    from transformers import AutoTokenizer

    toy_tokenizer.save(tmp_path)
    again, theirs = TokenizerFile(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert (again.size, again.start_id, again.end_id) == (VOCAB_SIZE, toy_tokenizer.start_id, toy_tokenizer.end_id)
    assert again.encode(TEXTS) == toy_tokenizer.encode(TEXTS)
    assert theirs(TEXTS[0], add_special_tokens=False)["input_ids"] == again.encode(TEXTS[:1])[0]
    assert theirs.eos_token_id == again.end_id


def test_the_vocabulary_of_a_bert_model(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(BERT), encoding="utf-8")
    bert = TokenizerFile(tmp_path)
    assert (bert.size, bert.start_id, bert.end_id) == (len(BERT), BERT.index("[CLS]"), BERT.index("[SEP]"))
    ids = bert.encode(["We like teas. 我们"])[0]
    assert bert.tokens(ids) == ["we", "like", "tea", "##s", ".", "我", "们"]
    stream = TextStream(bert)
    assert [stream.add(index) for index in ids][:4] == ["we", " like", " tea", "s"]
    bert.save(tmp_path / "saved")
    assert TokenizerFile(tmp_path / "saved").encode(["We like teas."]) == bert.encode(["We like teas."])


def test_a_tokenizer_as_qwen_has_it(tmp_path):
    """`<|im_end|>` ends a text by its tokenizer_config.json, and there is no start token."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = {"eos_token": "<|im_end|>", "bos_token": None, "pad_token": "<|endoftext|>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    qwen = TokenizerFile(tmp_path)
    assert qwen.tokens([qwen.start_id, qwen.end_id]) == ["<|im_end|>", "<|im_end|>"]
    assert qwen.decode(qwen.encode(["茶 tea"])[0]) == "茶 tea"


def test_folders_that_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no such file\. Build a tokenizer with scripts/train_bpe_tokenizer\.py"):
        TokenizerFile(tmp_path)
    write_tokenizer(tmp_path / "spm")
    with pytest.raises(UserError, match="holds the SentencePiece tokenizer of a Marian or a liquid model"):
        TokenizerFile(tmp_path / "spm")
    path = tmp_path / "tokenizer.json"
    for content, message in (
        ("{", "not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"model": 3}', "not a tokenizer"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=message):
            TokenizerFile(tmp_path)
    Tokenizer(models.BPE({"a": 0}, [])).save(str(path))
    with pytest.raises(UserError, match="no token ends a text"):
        TokenizerFile(tmp_path)


def test_a_trained_tokenizer_is_the_same_again(tmp_path, toy_tokenizer):
    again = write_toy_tokenizer(tmp_path / "again")
    assert again.library.to_str() == toy_tokenizer.library.to_str()
