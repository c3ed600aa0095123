"""The liquid student as a kind."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from marian_distill.errors import UserError
from marian_distill.students.kind import Export
from marian_distill.students.liquid.configuration import LiquidConfig, check_config, new_config, read_config
from marian_distill.students.liquid.graphs import graph_products, static_graphs
from marian_distill.students.liquid.initialisation import initialise
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.students.pairs import PairKind
from marian_distill.students.student import Student

SIZES = (
    *("d_model", "encoder_layers", "decoder_layers", "attention_heads", "ffn_dim", "vocab_size", "dropout"),
    *("cell", "units", "motor_units"),
)


class Liquid(PairKind):
    """The `StudentKind` of `LiquidModel`: a Transformer encoder and a liquid decoder."""

    name = "liquid"
    student = LiquidStudent
    exports: frozenset[Export] = frozenset({"onnx", "rknn"})
    starts_from: frozenset[str] = frozenset({"liquid", "marian"})
    sizes: Mapping[str, str] = MappingProxyType({name: name for name in SIZES})

    read_config = staticmethod(read_config)
    check_config = staticmethod(check_config)
    initialise = staticmethod(initialise)
    static_graphs = staticmethod(static_graphs)
    graph_products = staticmethod(graph_products)

    def new_config(self, sizes: Mapping[str, Any], like: LiquidConfig | None = None) -> LiquidConfig:
        """With the activation function of `like`."""
        taken: dict[str, Any] = {} if like is None else {"activation_function": like.activation_function}
        return new_config(**sizes, **taken)

    def build(self, config: LiquidConfig) -> LiquidStudent:
        """A student with random weights."""
        return LiquidStudent(config)

    def check_convertible(self, model_dir: Path, load: Callable[[Path], Student]) -> None:
        """CTranslate2 has no recurrent decoder."""
        raise UserError(f"{model_dir}: CTranslate2 has no liquid decoder; scripts/export_onnx.py exports it")

    def usage(self, name: str, sentence: str) -> str:
        """With this package's class."""
        return f"""from transformers import MarianTokenizer

from marian_distill.students.liquid.modeling import LiquidModel

tokenizer, model = MarianTokenizer.from_pretrained("{name}"), LiquidModel.from_pretrained("{name}")
inputs = tokenizer(["{sentence}"], return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs)[0], skip_special_tokens=True))"""
