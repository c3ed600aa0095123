"""Options of the ways of teaching beyond labels and the teacher's softened distributions; each is off by default."""

from dataclasses import dataclass
from typing import Literal

from marian_distill.errors import UserError
from marian_distill.training.options import check_at_least, option


@dataclass
class TeachingArguments:
    """More ways to teach, with their sources."""

    divergence: Literal["forward", "reverse", "symmetric"] = option(
        "How the teacher's share compares: forward, KL(teacher‖student); reverse, KL(student‖teacher), which keeps to "
        "what the teacher says most (Gu et al. 2023); symmetric, the mean of both (Wen et al. 2023).",
        "forward",
    )
    teacher_top_k: int = option(
        "Compare this many of the teacher's likeliest pieces, all others together as one; 0: every piece.", 0
    )
    temperature_end: float | None = option(
        "Temperature of the last step: from --temperature it goes there evenly, step by step (Jafari et al. 2021); "
        "default: it stays."
    )
    layer_learning_rate_decay: float = option(
        "Learning rate of a layer as a share of that of the layer above it, embeddings lowest (Howard & Ruder 2018: "
        "0.38); 1: one rate for all.",
        1.0,
    )
    ema_decay: float = option(
        "Evaluate and publish an exponential moving average of the weights (Polyak & Juditsky 1992), which keeps this "
        "share of itself at each step: 0.999 spans some thousand steps; 0: none.",
        0.0,
    )
    average_checkpoints: int = option(
        "Publish the mean of the weights at the last so many of every --average-every steps (Izmailov et al. 2018); "
        "0: the last weights.",
        0,
    )
    average_every: int = option("Steps between the weights that --average-checkpoints takes.", 500)

    @property
    def averages_weights(self) -> bool:
        """Whether another model is evaluated and published than the one that steps are made with."""
        return self.ema_decay > 0.0 or self.average_checkpoints > 0

    def check_teaching(self) -> None:
        """Refuse what no run can have."""
        check_at_least(self, 0, "teacher_top_k", "average_checkpoints")
        check_at_least(self, 1, "average_every")
        if not 0.0 <= self.ema_decay < 1.0:
            raise UserError(f"--ema-decay {self.ema_decay}: expected a share in [0, 1)")
        if self.ema_decay and self.average_checkpoints:
            raise UserError("--ema-decay and --average-checkpoints are two means of the weights; give one")
        if self.temperature_end is not None and self.temperature_end <= 0.0:
            raise UserError(f"--temperature-end {self.temperature_end}: expected a number above 0")
        if not 0.0 < self.layer_learning_rate_decay <= 1.0:
            raise UserError(
                f"--layer-learning-rate-decay {self.layer_learning_rate_decay}: expected a share above 0, at most 1"
            )
