"""Marian as a kind of student."""

from marian_distill.students.kind import Export
from marian_distill.students.marian.config import check_config, read_config
from marian_distill.students.marian.convertible import check_convertible
from marian_distill.students.marian.graphs import static_graphs
from marian_distill.students.marian.initialisation import initialise
from marian_distill.students.marian.model import MarianStudent, new_student
from marian_distill.students.pairs import PairKind


class Marian(PairKind):
    """The `StudentKind` of `MarianMTModel`, encoder and decoder."""

    name = "Marian"
    student = MarianStudent
    exports: frozenset[Export] = frozenset({"ct2", "onnx", "rknn"})

    read_config = staticmethod(read_config)
    check_config = staticmethod(check_config)
    build = staticmethod(new_student)
    initialise = staticmethod(initialise)
    check_convertible = staticmethod(check_convertible)
    static_graphs = staticmethod(static_graphs)

    def usage(self, name: str, sentence: str) -> str:
        """With the classes of transformers."""
        return f"""from transformers import MarianMTModel, MarianTokenizer

tokenizer, model = MarianTokenizer.from_pretrained("{name}"), MarianMTModel.from_pretrained("{name}")
inputs = tokenizer(["{sentence}"], return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs)[0], skip_special_tokens=True))"""
