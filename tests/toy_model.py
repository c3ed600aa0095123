"""A whole tiny model for tests: own sentences, a joint tokenizer, Marian weights, random or trained for some seconds.

The fixtures are imported by the conftest.py of each wing that translates; all share one trained model a session.
"""

import json
from itertools import product
from pathlib import Path

import pytest
import sentencepiece

from marian_distill.languages import TAGS
from marian_distill.pieces import SentencePieceTokenizer

_DRINKS = {"coffee": "咖啡", "tea": "茶", "milk": "牛奶", "juice": "果汁", "latte": "拿铁", "water": "水"}
_PEOPLE = {"I": "我", "We": "我们", "They": "他们", "You": "你们"}
_WISHES = {"want": "想要", "like": "喜欢", "need": "需要"}
_PRICES = ("19.99", "3.5", "1,234.56", "8")

PAIRS = [
    *((f"{p} {w} {d}.", f"{_PEOPLE[p]}{_WISHES[w]}{_DRINKS[d]}。") for p, w, d in product(_PEOPLE, _WISHES, _DRINKS)),
    *((f"The {d} is ${price}.", f"{_DRINKS[d]}是${price}。") for d, price in product(_DRINKS, _PRICES)),
    *((f"How much is the {d}?", f"请问{_DRINKS[d]}多少钱？") for d in _DRINKS),
    *((f"Where is the {d}, please?", f"请问，{_DRINKS[d]}在哪里？") for d in _DRINKS),
]


def write_tokenizer(directory: Path, vocab_size: int = 600, rows: int = 0) -> int:
    """Write source.spm, target.spm, vocab.json, tokenizer_config.json; return the size with `<pad>`.

    `rows` fills vocab.json up to that size with pieces that no text has.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for pair in PAIRS for text in pair]),
        model_prefix=str(directory / "joint"),
        vocab_size=vocab_size,
        hard_vocab_limit=False,
        byte_fallback=True,
        split_digits=True,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        user_defined_symbols=list(TAGS.values()),
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    model = (directory / "joint.model").read_bytes()
    (directory / "source.spm").write_bytes(model)
    (directory / "target.spm").write_bytes(model)
    (directory / "joint.model").unlink()
    (directory / "joint.vocab").unlink()
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    pieces += [*(f"filler{index}" for index in range(len(pieces) + 1, rows)), "<pad>"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    (directory / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (directory / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "zh"}), encoding="utf-8"
    )
    return len(pieces)


def write_model(directory: Path, seed: int = 0, rows: int = 0, **changes) -> Path:
    """Write a random Marian model with `<pad>` last and its row zero; `changes` are MarianConfig fields."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    size = write_tokenizer(directory, rows=rows)
    fields = {
        "vocab_size": size,
        "pad_token_id": size - 1,
        "decoder_start_token_id": size - 1,
        "eos_token_id": 0,
        "forced_eos_token_id": None,
        "max_position_embeddings": 512,
        "d_model": 48,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 96,
        "decoder_ffn_dim": 96,
        "activation_function": "swish",
        "scale_embedding": True,
        "init_std": 0.05,
        "dropout": 0.0,
    }
    torch.manual_seed(seed)
    model = MarianMTModel(MarianConfig(**{**fields, **changes}))
    with torch.no_grad():
        model.get_input_embeddings().weight[-1] = 0.0
    model.save_pretrained(directory)
    return directory


def train_model(directory: Path, steps: int = 100) -> Path:
    """Write a model that has learnt `PAIRS` by heart, English to Chinese, with and without the tag."""
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from transformers import MarianMTModel

    torch.set_num_threads(1)  # matrices this small are many times slower on two threads of a busy machine
    model = MarianMTModel.from_pretrained(write_model(directory, directions=["en-zh"])).train()
    pieces = SentencePieceTokenizer(directory)
    english, chinese = zip(*PAIRS, strict=True)
    halves = pieces.source_pieces(english[::2], TAGS["zh"]) + pieces.source_pieces(english[1::2])
    sources = [torch.tensor(pieces.ids(source)) for source in halves]
    targets = [torch.tensor(pieces.ids(target)) for target in pieces.target_pieces(chinese[::2] + chinese[1::2])]
    input_ids = pad_sequence(sources, batch_first=True, padding_value=pieces.pad_id)
    labels = pad_sequence(targets, batch_first=True, padding_value=-100)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps):
        # Falling at the end: whatever the processor's rounding, the model then knows all of it.
        optimizer.param_groups[0]["lr"] = 1e-2 * min(1.0, 2 * (steps - step) / steps)
        model(input_ids=input_ids, attention_mask=(input_ids != pieces.pad_id).long(), labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            model.get_input_embeddings().weight[-1] = 0.0
    model.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def toy_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained Hugging Face folder that declares `en-zh`."""
    directory = tmp_path_factory.getbasetemp() / "toy-model"
    return directory if directory.exists() else train_model(directory)


@pytest.fixture(scope="session")
def toy_ct2_dir(tmp_path_factory: pytest.TempPathFactory, toy_model_dir: Path) -> Path:
    """Its float32 CTranslate2 folder."""
    from marian_distill.export.ctranslate2 import export_model

    directory = tmp_path_factory.getbasetemp() / "toy-ct2"
    if not directory.exists():
        export_model(toy_model_dir, directory, "float32", PAIRS[::7])
    return directory


@pytest.fixture(scope="session")
def toy_bundle_dir(tmp_path_factory: pytest.TempPathFactory, toy_model_dir: Path) -> Path:
    """Its float32 bundle for ONNX Runtime, stateless, 32 source and 32 target tokens."""
    from marian_distill.export.onnx import export_onnx

    directory = tmp_path_factory.getbasetemp() / "toy-bundle"
    if not directory.exists():
        export_onnx(toy_model_dir, directory, source_length=32, target_length=32, pairs=PAIRS[::7])
    return directory
