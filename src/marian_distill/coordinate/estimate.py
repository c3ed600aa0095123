"""What a whole run would take: worked out from a sample on this machine; for one GPU, from arithmetic.

Operations of a language model: two a parameter and token, Kaplan et al. 2020, "Scaling Laws for Neural Language
Models", https://arxiv.org/abs/2001.08361, section 2.1. All figures are estimates, and are said to be.
"""

from collections.abc import Iterator
from typing import NamedTuple

from marian_distill.coordinate.plan import MOST_ON_DISK
from marian_distill.coordinate.sample import Measured

CORPUS_ROWS = 26_000_000  # where the corpus itself is not there to be counted
SECONDS_AN_HOUR = 3600.0
# Dense bf16, operations a second, and memory, by the makers' data sheets.
GPUS = {"H100 SXM": (989e12, 80), "RTX 4090": (165e12, 24)}
TEACHERS = {"1.8 B": 1.8e9, "8 B": 8e9}
# Shares of that rate: reading tokens all at once (logits), and writing them one by one in large batches (labels).
READING_SHARE, WRITING_SHARE = 0.3, 0.1
SOURCE_TOKENS, TARGET_TOKENS, PROMPT_TOKENS = 25, 25, 60  # of an average pair; the prompt's are read for logits alone


class Whole(NamedTuple):
    """A whole run, on the machine where the sample ran.

    Attributes:
        label_hours, logit_hours, train_hours: of each step.
        hours: of all, one after another; `hours_beside`: with shards made beside training.
        shards_bytes: of two shards; `all_bytes`: of the whole corpus, had it to lie on the disk.
        checkpoints_bytes: of two checkpoints and the model.
    """

    label_hours: float
    logit_hours: float
    train_hours: float
    hours: float
    hours_beside: float
    shards_bytes: float
    all_bytes: float
    checkpoints_bytes: float


def whole_run(measured: Measured, rows: int, shard_rows: int) -> Whole:
    """A run over so many rows (all passes), by what a sample cost."""
    scale = rows / measured.rows / SECONDS_AN_HOUR
    labels, logits = measured.label_seconds * scale, measured.logit_seconds * scale
    train_seconds = measured.pairs * measured.train_tokens_a_pair / max(measured.train_tokens_a_second, 1e-9)
    train = train_seconds * scale
    row_bytes = measured.shard_bytes / measured.rows
    return Whole(
        label_hours=labels,
        logit_hours=logits,
        train_hours=train,
        hours=labels + logits + train,
        hours_beside=max(labels + logits, train),
        shards_bytes=MOST_ON_DISK * min(shard_rows, rows) * row_bytes,
        all_bytes=rows * row_bytes,
        checkpoints_bytes=3 * measured.checkpoint_bytes,
    )


def gpu_hours(parameters: float, operations_a_second: float, rows: int) -> tuple[float, float]:
    """Hours that a teacher takes on one GPU for the labels and for the logits of so many pairs: an estimate."""
    written = 2 * parameters * (SOURCE_TOKENS + TARGET_TOKENS) * rows
    read = 2 * parameters * (PROMPT_TOKENS + SOURCE_TOKENS + TARGET_TOKENS) * rows
    seconds = written / (operations_a_second * WRITING_SHARE), read / (operations_a_second * READING_SHARE)
    return seconds[0] / SECONDS_AN_HOUR, seconds[1] / SECONDS_AN_HOUR


def plan_lines(measured: Measured, rows: int, shard_rows: int) -> Iterator[str]:
    """The plan of a whole run, for people."""
    whole = whole_run(measured, rows, shard_rows)
    yield f"the whole run on this machine, worked out from {measured.rows} rows (an estimate): {rows:,} rows"
    yield f"  labels    {duration(whole.label_hours)}"
    yield f"  logits    {duration(whole.logit_hours)}"
    yield f"  training  {duration(whole.train_hours)}"
    yield f"  in all    {duration(whole.hours)}; {duration(whole.hours_beside)} where shards are made beside training"
    yield (
        f"  disk      {size(whole.shards_bytes)} for two shards of {min(shard_rows, rows):,} rows, "
        f"{size(whole.checkpoints_bytes)} for checkpoints and the model, {size(measured.export_bytes)} exported"
    )
    yield f"            ({size(whole.all_bytes)} if the shards of all rows had to lie there at once)"
    yield f"  memory    {size(measured.memory_bytes)} of this process, teacher and student together"


def gpu_lines(rows: int) -> Iterator[str]:
    """What a teacher would take on one GPU, for people."""
    yield (
        f"on one GPU, for {rows:,} pairs (an estimate from arithmetic, not measured: {READING_SHARE:.0%} of the GPU's "
        f"bf16 rate for logits, {WRITING_SHARE:.0%} for labels; {SOURCE_TOKENS} + {TARGET_TOKENS} tokens a pair, a "
        f"prompt of {PROMPT_TOKENS})"
    )
    yield f"  {'teacher':8} {'GPU':10} {'labels':>10} {'logits':>10}  weights in bf16"
    for teacher, parameters in TEACHERS.items():
        for name, (rate, memory) in GPUS.items():
            labels, logits = gpu_hours(parameters, rate, rows)
            weights = f"{2 * parameters / 1e9:.1f} of {memory} GB"
            yield f"  {teacher:8} {name:10} {duration(labels):>10} {duration(logits):>10}  {weights}"


def duration(hours: float) -> str:
    """Such as "40 s", "12 min", "5.2 h", "9 days"."""
    if hours * 60 < 1.5:
        return f"{hours * SECONDS_AN_HOUR:.0f} s"
    if hours < 1.5:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:,.0f} days"


def size(amount: float) -> str:
    """Such as "31 MB", "2.4 GB"."""
    return f"{amount / 1e9:,.1f} GB" if amount >= 1e9 else f"{amount / 1e6:,.1f} MB"
