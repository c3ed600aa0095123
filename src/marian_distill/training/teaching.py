"""Options of the ways of teaching beyond labels and the teacher's softened distributions; each is off by default."""

from dataclasses import dataclass
from typing import Literal

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

    def check_teaching(self) -> None:
        """Refuse what no run can have."""
        check_at_least(self, 0, "teacher_top_k")
