"""Options of a language model's training stage, beside those of every stage (`training.arguments`)."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from marian_distill.errors import UserError


def _option(help: str, default: Any = None) -> Any:
    return field(default=default, metadata={"help": help})


def _many(help: str) -> dict[str, str]:
    return {"help": help, "action": "extend"}


@dataclass
class CausalModelArguments:
    """The model, its tokenizer, adapters."""

    student_config: str | None = _option("Config of a new model: a JSON file, see student_configs/.")
    student_model: str | None = _option("Go on from this model's folder.")
    teacher_model: str | None = _option("Teacher with the same tokens, for --alpha-ce below 1: a folder.")
    tokenizer_dir: str | None = _option(
        "Folder with tokenizer.json (this project's, Qwen's, …) or BERT's vocab.txt; default: the student's model's."
    )
    vocab_size: int | None = _option("Rows of a new model's embedding table; default: as its config says.")
    lora_rank: int = _option("Train adapters of this rank in place of the weights, merged at the end; 0: none.", 0)
    lora_alpha: float = _option("What the adapters' product is scaled by, divided by the rank.", 32.0)
    lora_dropout: float = _option("Dropout before the adapters.", 0.0)

    def __post_init__(self) -> None:
        """Check what can be checked without reading a file."""
        if (self.student_config is None) == (self.student_model is None):
            raise UserError("give either --student-config (a new model) or --student-model (go on from a model)")
        if self.student_config and not self.tokenizer_dir:
            raise UserError(
                "--tokenizer-dir is missing: train one with scripts/train_bpe_tokenizer.py, or give another"
            )
        if self.lora_rank < 0:
            raise UserError(f"--lora-rank {self.lora_rank}: expected 0 or more")
        if self.lora_rank and not self.student_model:
            raise UserError("--lora-rank adapts a trained model: give --student-model")
        if not 0.0 < self.lora_alpha < math.inf:
            raise UserError(f"--lora-alpha {self.lora_alpha}: expected a number above 0")
        if not 0.0 <= self.lora_dropout < 1.0:
            raise UserError(f"--lora-dropout {self.lora_dropout}: expected a share in [0, 1)")
        if self.vocab_size is not None and (self.vocab_size < 1 or self.student_model):
            raise UserError(f"--vocab-size {self.vocab_size}: expected 1 or more, for a new model (--student-config)")


@dataclass
class TextArguments:
    """Text for training and evaluation."""

    text: list[str] = field(
        default_factory=list,
        metadata=_many("Training text: plain files, JSONL with `text`, parallel files; also .gz and .xz."),
    )
    samples: Literal["lines", "documents"] = _option(
        "Of plain text: a sample is a line, or what lies between blank lines.", "lines"
    )
    sides: Literal["both", "en", "zh"] = _option("Of parallel files: the language whose sentences are read.", "both")
    direction: Literal["none", "en-zh", "zh-en", "both"] = _option(
        "Learn to translate: of parallel files the source is the prompt, the target is learnt.", "none"
    )
    eval_text: list[str] = field(
        default_factory=list,
        metadata=_many("Evaluation text; default: a share of the training text, which is held out."),
    )
    holdout_share: float = _option("Share of the training text that is held out where there is no --eval-text.", 0.01)
    max_train_samples: int | None = _option("At most this many samples, the first ones.")
    max_eval_samples: int | None = _option("At most this many samples for evaluation, the first ones.", 2000)
    packed_length: int | None = _option(
        "Tokens of a row that samples are packed into; default: 512, or the model's context where that is shorter."
    )
    prompts: list[str] = field(
        default_factory=list,
        metadata=_many("What the model goes on from in the log, at each evaluation; default: nothing at all."),
    )
    continuation_tokens: int = _option("Length of these continuations; 0: none are written.", 40)

    def __post_init__(self) -> None:
        """Check counts and shares."""
        if not self.text:
            raise UserError("--text is missing: name the text to train on")
        for name in ("max_train_samples", "max_eval_samples", "packed_length"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise UserError(f"--{name.replace('_', '-')} {getattr(self, name)}: expected 1 or more")
        if self.continuation_tokens < 0:
            raise UserError(f"--continuation-tokens {self.continuation_tokens}: expected 0 or more")
        if not 0.0 <= self.holdout_share <= 0.5:
            raise UserError(f"--holdout-share {self.holdout_share}: expected a share from 0 to 0.5")
        if self.direction != "none" and self.sides != "both":
            raise UserError(f"--sides {self.sides}: translating takes both sides; leave it out")
