"""Options of the ways of teaching beyond labels and the teacher's softened distributions; each is off by default."""

from dataclasses import dataclass, field
from typing import Any, Literal

from marian_distill.errors import UserError
from marian_distill.training.options import check_at_least, flag, option


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
    teacher_cache: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Learn the teacher's share from what scripts/cache_teacher_logits.py wrote, in place of a teacher "
            "that runs: folders.",
            "action": "extend",
        },
    )
    teacher_cache_share: float = option(
        "Least share of the training examples that the cache must have; the others learn from labels alone.", 1.0
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
    hidden_matching: float = option(
        "Weight of the squared error between the student's hidden states, projected to the teacher's width, and the "
        "teacher's (TinyBERT, Jiao et al. 2019); 0: none.",
        0.0,
    )
    attention_matching: float = option(
        "Weight of KL(teacher‖student) of the attention distributions (MiniLM, Wang et al. 2020); 0: none.", 0.0
    )
    match_encoder_layers: str | None = option(
        "Teacher layer that each encoder layer is matched with, such as 2,5; - for none, as in =-,5; default: spread."
    )
    match_decoder_layers: str | None = option("The same of the decoder.")
    hard_example_share: float = option(
        "Share of the examples of each epoch but the first that is drawn by the loss they last had, in place of "
        "others (Katharopoulos & Fleuret 2018).",
        0.0,
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
    def needs_teacher(self) -> bool:
        """Whether the loss asks a teacher that runs for its distributions or its layers."""
        return self.matches_layers or (self.alpha_ce < 1.0 and not self.teacher_cache)  # pyright: ignore

    @property
    def matches_layers(self) -> bool:
        """Whether the loss compares layers with the teacher's."""
        return self.hidden_matching > 0.0 or self.attention_matching > 0.0

    @property
    def averages_weights(self) -> bool:
        """Whether another model is evaluated and published than the one that steps are made with."""
        return self.ema_decay > 0.0 or self.average_checkpoints > 0


def check_teaching(options: Any) -> None:
    """Refuse what no run can have; attention that is matched is computed where its distributions are seen.

    Args:
        options: all training options, these among them.
    """
    check_at_least(options, 0, "teacher_top_k", "average_checkpoints", "hidden_matching", "attention_matching")
    for name in ("match_encoder_layers", "match_decoder_layers"):
        if getattr(options, name) is not None and not options.matches_layers:
            raise UserError(f"{flag(name)} needs --hidden-matching or --attention-matching")
    check_at_least(options, 1, "average_every")
    if not 0.0 <= options.teacher_cache_share <= 1.0:
        raise UserError(f"--teacher-cache-share {options.teacher_cache_share}: expected a share from 0 to 1")
    if options.teacher_cache and options.alpha_ce == 1.0:
        raise UserError("--teacher-cache teaches nothing with --alpha-ce 1: give the labels a smaller share")
    if options.teacher_cache and options.matches_layers:
        raise UserError("--teacher-cache has no layers to match: leave --hidden-matching and --attention-matching out")
    if not 0.0 <= options.hard_example_share <= 1.0:
        raise UserError(f"--hard-example-share {options.hard_example_share}: expected a share from 0 to 1")
    if not 0.0 <= options.ema_decay < 1.0:
        raise UserError(f"--ema-decay {options.ema_decay}: expected a share in [0, 1)")
    if options.ema_decay and options.average_checkpoints:
        raise UserError("--ema-decay and --average-checkpoints are two means of the weights; give one")
    if options.temperature_end is not None and options.temperature_end <= 0.0:
        raise UserError(f"--temperature-end {options.temperature_end}: expected a number above 0")
    if not 0.0 < options.layer_learning_rate_decay <= 1.0:
        raise UserError(
            f"--layer-learning-rate-decay {options.layer_learning_rate_decay}: expected a share above 0, at most 1"
        )
    if options.average_checkpoints and (options.early_stopping_patience or options.load_best_model_at_end):
        raise UserError(
            "--average-checkpoints takes the last weights of a run that goes to its end: leave out "
            "--early-stopping-patience and --load-best-model-at-end, or give --ema-decay instead"
        )
    if options.attention_matching:
        if options.attention == "sdpa":
            raise UserError("--attention-matching needs --attention eager: a fused kernel gives no distributions")
        options.attention = "eager"
