"""The language model as a kind of student."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from torch import Tensor
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, TrainerCallback

from marian_distill.errors import UserError
from marian_distill.files import read_json_object
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.causal.config import check_config, new_config, read_config
from marian_distill.students.causal.model import CausalStudent, generation_config, new_model
from marian_distill.students.kind import Collator, Export, InitPlan, InitReport
from marian_distill.students.rows import fit_tokenizer, stack
from marian_distill.students.student import Student
from marian_distill.tokenizer_file import TokenizerFile

OWN_COMMAND = "a Qwen3 student is a language model: scripts/train_causal_lm.py trains it (--direction to translate)"


class Causal:
    """The `StudentKind` of `Qwen3ForCausalLM`, a decoder alone."""

    name = "Qwen3"
    student = CausalStudent
    exports: frozenset[Export] = frozenset({"ct2"})
    starts_from: frozenset[str] = frozenset({"qwen3"})
    sizes: Mapping[str, str] = MappingProxyType(
        {
            "d_model": "hidden_size",
            "decoder_layers": "num_hidden_layers",
            "attention_heads": "num_attention_heads",
            "ffn_dim": "intermediate_size",
            "vocab_size": "vocab_size",
            "key_value_heads": "num_key_value_heads",
        }
    )

    read_config = staticmethod(read_config)
    check_config = staticmethod(check_config)
    build = staticmethod(new_model)

    def collator(self, pieces: SentencePieceTokenizer | TokenizerFile) -> Collator:
        """Rows come packed; `UserError` for a tokenizer of another kind."""
        if isinstance(pieces, SentencePieceTokenizer):
            raise UserError(OWN_COMMAND)
        return stack

    def initialise(self, student: CausalStudent, teacher: CausalStudent, plan: InitPlan) -> InitReport:
        """Refused: there is a command of its own."""
        raise UserError(OWN_COMMAND)

    def generation_config(self, config: Qwen3Config) -> GenerationConfig:
        """Where texts begin and end."""
        return generation_config(config)

    def tokenizer(self, folder: Path) -> PreTrainedTokenizerFast:
        """The same tokens as transformers loads them."""
        return PreTrainedTokenizerFast.from_pretrained(folder)

    def callbacks(self) -> list[TrainerCallback]:
        """None is needed."""
        return []

    def check_weights(self, student: CausalStudent, weights: Mapping[str, Tensor] | None) -> None:
        """Any weights will do."""

    def usage(self, name: str, sentence: str) -> str:
        """With the classes of transformers."""
        return f"""from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer, model = AutoTokenizer.from_pretrained("{name}"), AutoModelForCausalLM.from_pretrained("{name}")
inputs = tokenizer(tokenizer.bos_token + "{sentence}", return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs, do_sample=True, max_new_tokens=50)[0], skip_special_tokens=True))"""

    def check_convertible(self, model_dir: Path, load: Callable[[Path], Student]) -> None:
        """Refuse a folder whose tokenizer has more tokens than the model has rows."""
        path = model_dir / "config.json"
        fit_tokenizer(read_config(read_json_object(path), str(path)), TokenizerFile(model_dir), str(path))

    def new_config(self, sizes: Mapping[str, Any], like: Qwen3Config | None = None) -> Qwen3Config:
        """There is nothing else to take over from `like`."""
        return new_config(**sizes)

    def static_graphs(self, *_: Any, **__: Any) -> NoReturn:
        """It has none."""
        raise UserError("a language model has no static graphs: export it with scripts/export_ct2.py")

    graph_products = static_graphs
