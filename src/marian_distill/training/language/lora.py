"""Low-rank adapters by `peft`, put around a trained model and merged into its weights when they are trained.

Hu et al. 2021, "LoRA", https://arxiv.org/abs/2106.09685.
"""

from typing import TYPE_CHECKING, Any

from marian_distill.errors import UserError
from marian_distill.students.student import Student

if TYPE_CHECKING:
    from peft import PeftModel


def with_adapters(model: Student, rank: int, alpha: float, dropout: float) -> "PeftModel":
    """The model with adapters in every linear layer but the output projection; its own weights are frozen."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UserError("--lora-rank needs the package peft: uv sync --extra lora") from error
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM"  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    return get_peft_model(model, config)  # pyright: ignore[reportReturnType]


def merged(model: Any) -> Student:
    """The plain model whose weights hold what the adapters learnt."""
    return model.merge_and_unload(safe_merge=True)
