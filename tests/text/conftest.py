"""A small parallel corpus made by rule, a tokenizer trained on it, and a datasets cache of the tests' own."""

from itertools import product
from pathlib import Path

import datasets
import pytest

from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.text.tokenization import train_joint_tokenizer

THINGS = {"key": "钥匙", "ticket": "票", "map": "地图", "umbrella": "雨伞", "receipt": "收据", "towel": "毛巾"}
PLACES = {"station": "车站", "hotel": "酒店", "museum": "博物馆", "airport": "机场", "market": "市场"}
PRICES = ("19.99", "3.50", "1,234.56", "8", "760")
PAIRS = [
    *((f"I left my {t} at the {p}.", f"我把{THINGS[t]}忘在{PLACES[p]}了。") for t, p in product(THINGS, PLACES)),
    *((f"Is the {t} ${c}?", f"{THINGS[t]}是${c}吗？") for t, c in product(THINGS, PRICES)),
    *((f"Where is the {p}, please?", f"请问，{PLACES[p]}在哪里？") for p in PLACES),
    *((f"Open until {h}:30", f"营业到{h}:30") for h in range(10, 24)),
]


@pytest.fixture(autouse=True)
def datasets_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets-cache")
    return tmp_path / "datasets-cache"


@pytest.fixture
def pairs() -> list[tuple[str, str]]:
    return list(PAIRS)


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer") / "joint"
    train_joint_tokenizer([text for pair in PAIRS for text in pair], folder, vocab_size=380)
    return folder


@pytest.fixture(scope="session")
def pieces(tokenizer_folder: Path) -> SentencePieceTokenizer:
    return SentencePieceTokenizer(tokenizer_folder)


def parallel(rows: list[tuple[str, str]], source: str = "toy") -> datasets.Dataset:
    english, chinese = map(list, zip(*rows, strict=True))
    return datasets.Dataset.from_dict({"en": english, "zh": chinese, "source": [source] * len(rows)})


@pytest.fixture
def make_parallel():
    """Rows as a dataset in memory with the columns that `load_parallel` gives."""
    return parallel
