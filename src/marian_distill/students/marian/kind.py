"""Marian as a kind of student."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from transformers import MarianConfig

from marian_distill.students.kind import Export
from marian_distill.students.marian.config import check_config, read_config, student_config
from marian_distill.students.marian.convertible import check_convertible
from marian_distill.students.marian.graphs import graph_products, static_graphs
from marian_distill.students.marian.initialisation import initialise
from marian_distill.students.marian.model import MarianStudent, new_student
from marian_distill.students.pairs import PairKind


class Marian(PairKind):
    """The `StudentKind` of `MarianMTModel`, encoder and decoder."""

    name = "Marian"
    student = MarianStudent
    exports: frozenset[Export] = frozenset({"ct2", "onnx", "rknn"})
    sizes: Mapping[str, str] = MappingProxyType(
        {
            "d_model": "d_model",
            "encoder_layers": "encoder_layers",
            "decoder_layers": "decoder_layers",
            "attention_heads": "encoder_attention_heads",
            "ffn_dim": "encoder_ffn_dim",
            "vocab_size": "vocab_size",
            "dropout": "dropout",
        }
    )

    read_config = staticmethod(read_config)
    check_config = staticmethod(check_config)
    build = staticmethod(new_student)
    initialise = staticmethod(initialise)
    check_convertible = staticmethod(check_convertible)
    static_graphs = staticmethod(static_graphs)
    graph_products = staticmethod(graph_products)

    def new_config(self, sizes: Mapping[str, Any], like: MarianConfig | None = None) -> MarianConfig:
        """Post-norm with tied embeddings; activation and embedding scale are those of `like`."""
        return student_config(**sizes, like=like)

    def usage(self, name: str, sentence: str) -> str:
        """With the classes of transformers."""
        return f"""from transformers import MarianMTModel, MarianTokenizer

tokenizer, model = MarianTokenizer.from_pretrained("{name}"), MarianMTModel.from_pretrained("{name}")
inputs = tokenizer(["{sentence}"], return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs)[0], skip_special_tokens=True))"""
