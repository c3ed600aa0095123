"""A tiny language model for tests: a byte-level BPE of the toy sentences, Qwen3 of two layers, trained for seconds."""

from pathlib import Path

import pytest

from marian_distill.files import write_json
from marian_distill.text.byte_bpe import train_byte_bpe
from marian_distill.tokenizer_file import TokenizerFile
from toy_model import PAIRS

TEXTS = [text for pair in PAIRS for text in pair]
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
}
VOCAB_SIZE = 320


def write_toy_tokenizer(folder: Path) -> TokenizerFile:
    folder.mkdir(parents=True, exist_ok=True)
    return train_byte_bpe(TEXTS, folder, VOCAB_SIZE)


def write_toy_config(path: Path, **changes) -> Path:
    """A Qwen3Config JSON; `changes` are its fields."""
    values = {"model_type": "qwen3", "vocab_size": VOCAB_SIZE, "tie_word_embeddings": True, **SIZES, **changes}
    write_json(path, values)
    return path


def write_toy_text(path: Path) -> Path:
    path.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    return path


def new_toy_model(tokenizer: TokenizerFile, seed: int = 0, **changes):
    """A model with random weights; `changes` are fields of its config."""
    import torch

    from marian_distill.students.causal.config import read_config
    from marian_distill.students.causal.model import new_model
    from marian_distill.students.rows import fit_tokenizer

    torch.manual_seed(seed)
    config = read_config({"vocab_size": VOCAB_SIZE, "tie_word_embeddings": True, **SIZES, **changes}, "toy")
    fit_tokenizer(config, tokenizer, "toy")
    return new_model(config).eval()


def learn(model, rows, steps: int) -> None:
    """Train on all rows at once."""
    import torch

    from marian_distill.students.rows import stack
    from marian_distill.training.losses import DistillationLoss, projection_loss

    batch = stack([rows[index] for index in range(len(rows))])
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-2)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * min(1.0, 2 * (steps - step) / steps)  # as `train_model` of toy_model
        sums = model(**batch, objective=lambda *parts: projection_loss(DistillationLoss(), *parts))
        (sums.loss / len(batch["scored"])).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


@pytest.fixture(scope="session")
def toy_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TokenizerFile:
    """The tokenizer, in a folder of its own."""
    return write_toy_tokenizer(tmp_path_factory.mktemp("bpe") / "tokenizer")


@pytest.fixture(scope="session")
def toy_writer_dir(tmp_path_factory: pytest.TempPathFactory, toy_tokenizer: TokenizerFile) -> Path:
    """A Hugging Face folder of a model that knows the toy sentences."""
    from marian_distill.students.rows import PackedRows, text_samples

    folder = tmp_path_factory.mktemp("writer") / "model"
    model = new_toy_model(toy_tokenizer)
    learn(model, PackedRows(text_samples(TEXTS, toy_tokenizer, 64), toy_tokenizer, 64, seed=0), steps=60)
    model.save_pretrained(folder)
    toy_tokenizer.save(folder)
    return folder


@pytest.fixture(scope="session")
def toy_writer_ct2_dir(tmp_path_factory: pytest.TempPathFactory, toy_writer_dir: Path) -> Path:
    """The same for CTranslate2, in float32."""
    from marian_distill.export.language_model import export_language_model

    folder = tmp_path_factory.mktemp("writer-ct2") / "ct2"
    export_language_model(toy_writer_dir, folder, "float32", TEXTS[:4])
    return folder


@pytest.fixture(scope="session")
def toy_prompted_dir(tmp_path_factory: pytest.TempPathFactory, toy_tokenizer: TokenizerFile) -> Path:
    """A CTranslate2 folder, float32, of a language model that translates toy sentences in both directions."""
    from marian_distill.export.language_model import export_language_model
    from marian_distill.languages import DIRECTIONS
    from marian_distill.students.rows import PackedRows, prompted_samples
    from marian_distill.tokenizer_file import translation_prompts

    folder = tmp_path_factory.mktemp("prompted")
    english, chinese = map(list, zip(*PAIRS, strict=True))
    pairs = [
        *zip(translation_prompts(toy_tokenizer, english, "en-zh"), chinese, strict=True),
        *zip(translation_prompts(toy_tokenizer, chinese, "zh-en"), english, strict=True),
    ]
    model = new_toy_model(toy_tokenizer, hidden_size=64, intermediate_size=128, head_dim=16)
    model.config.directions = list(DIRECTIONS)
    learn(model, PackedRows(prompted_samples(pairs, toy_tokenizer, 64), toy_tokenizer, 64, seed=0), steps=80)
    model.save_pretrained(folder / "model")
    toy_tokenizer.save(folder / "model")
    export_language_model(folder / "model", folder / "ct2", "float32", TEXTS[:4])
    return folder / "ct2"
