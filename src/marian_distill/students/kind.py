"""The seam between a kind of student and the rest of the house."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from torch import Tensor
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedTokenizerBase, TrainerCallback

from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.products import GraphProducts
from marian_distill.students.static import StaticGraphs
from marian_distill.students.student import Student

Export = Literal["ct2", "onnx", "rknn"]
Collator = Callable[[Sequence[dict[str, Any]]], dict[str, Tensor]]
Config = TypeVar("Config", bound=PreTrainedConfig)
Model = TypeVar("Model", bound=Student)


@dataclass(frozen=True)
class InitPlan:
    """What was asked for of a teacher's weights.

    Attributes:
        pieces, teacher_pieces: the tokenizers.
        encoder_layer_map, decoder_layer_map: teacher layer of each student layer, as an option gives it.
        shrink: let a narrower student take some of the teacher's dimensions.
        transfer_pieces: where the vocabularies differ, start a piece as the mean of the teacher's rows for its text.
    """

    pieces: SentencePieceTokenizer
    teacher_pieces: SentencePieceTokenizer
    encoder_layer_map: str | None = None
    decoder_layer_map: str | None = None
    shrink: bool = False
    transfer_pieces: bool = False

    @property
    def same_vocabulary(self) -> bool:
        """Whether both give the same id to every piece."""
        return self.pieces.vocabulary == self.teacher_pieces.vocabulary


@dataclass
class InitReport:
    """Names of the student's tensors by where they came from; `pieces` counts rows of a transferred vocabulary."""

    copied: list[str] = field(default_factory=list)
    mapped: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    shrunk: list[str] = field(default_factory=list)
    transferred: list[str] = field(default_factory=list)
    pieces: dict[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for the log."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(self.skipped.values()).items())
        skipped = f"{len(self.skipped)} skipped" + f" ({reasons})" * bool(reasons)
        parts = [f"{len(self.copied)} tensors copied", f"{len(self.mapped)} mapped", skipped]
        if self.shrunk:
            parts.append(f"{len(self.shrunk)} shrunk")
        if self.transferred:
            parts.append(f"{len(self.transferred)} by piece ({self.pieces})")
        return ", ".join(parts)

    def as_dict(self) -> dict[str, object]:
        """For JSON: counts and names."""
        names = ("copied", "mapped", "skipped", "shrunk", "transferred")
        counts = {name: len(getattr(self, name)) for name in names if getattr(self, name) or name in names[:3]}
        return {"counts": counts, **asdict(self)}


class StudentKind(Protocol[Config, Model]):
    """What the rest of the house asks of a kind of student.

    Attributes:
        name: for people: "Marian".
        student: the class that is trained, loaded and saved.
        exports: the exporters that it has.
        starts_from: `model_type`s of the models whose weights such a student can start from.
        sizes: what a new config of it is made of, by the names that all kinds share, and the field that has it.
    """

    name: str
    student: type[Model]
    exports: frozenset[Export]
    starts_from: frozenset[str]
    sizes: Mapping[str, str]

    def new_config(self, sizes: Mapping[str, Any], like: Config | None = None) -> Config:
        """A checked config of these sizes; what they do not say is as in `like`, a config of the same kind."""
        ...

    def read_config(self, values: Mapping[str, Any], where: str) -> Config:
        """A checked config from what a JSON file holds; a `UserError` that begins with `where` when it cannot be."""
        ...

    def check_config(self, config: Config, where: str) -> None:
        """Refuse a config that cannot be built or exported."""
        ...

    def build(self, config: Config) -> Model:
        """A student with random weights."""
        ...

    def initialise(self, student: Model, teacher: Any, plan: InitPlan) -> InitReport:
        """Copy what fits from a teacher of `starts_from`, in place; what fits is found before anything is copied."""
        ...

    def collator(self, pieces: SentencePieceTokenizer) -> Collator:
        """What makes a batch of tokenised rows, packing included: nothing is looked up on the device."""
        ...

    def generation_config(self, config: Config) -> GenerationConfig:
        """Greedy output by the rules of the exported engines."""
        ...

    def tokenizer(self, folder: Path) -> PreTrainedTokenizerBase:
        """What transformers loads beside the model, from a folder with the tokenizer's files."""
        ...

    def callbacks(self) -> list[TrainerCallback]:
        """What has to happen around the steps of any run."""
        ...

    def check_weights(self, student: Model, weights: Mapping[str, Tensor] | None) -> None:
        """Fail where a student, or its whole `weights`, may not be saved."""
        ...

    def usage(self, name: str, sentence: str) -> str:
        """Python for the model card: load the model `name` and translate a sentence."""
        ...

    def check_convertible(self, model_dir: Path, load: Callable[[Path], Student]) -> None:
        """Refuse a folder, which `load` loads, that CTranslate2's converter would change; say what to mend."""
        ...

    def static_graphs(
        self, student: Model, source_length: int, target_length: int, *, cached: bool, projection_apart: bool
    ) -> StaticGraphs:
        """Graphs of fixed shapes for ONNX and RKNN."""
        ...

    def graph_products(self, config: Config, source_length: int, target_length: int, *, cached: bool) -> GraphProducts:
        """What the static graphs of a model with this config compute."""
        ...


AnyKind = StudentKind[Any, Any]
