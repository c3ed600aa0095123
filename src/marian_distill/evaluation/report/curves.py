"""The course of a training run, from the log.json that it leaves in its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

from marian_distill.errors import UserError
from marian_distill.files import read_json_object
from marian_distill.schema import read_shaped

LOG_FILE, EXPORT_FILE = "log.json", "export.json"

LogEntry = TypedDict(
    "LogEntry",
    {
        "step": int,
        "training_seconds": NotRequired[float],
        "loss": NotRequired[float],
        "cross_entropy": NotRequired[float],
        "divergence": NotRequired[float],
        "eval_loss": NotRequired[float],
        "eval_bleu": NotRequired[float],
        "eval_chrf++": NotRequired[float],
        "eval_perplexity": NotRequired[float],
        "eval_bpb": NotRequired[float],
    },
)
# What can be drawn, by its key in the log: its name in English and Chinese, and its unit.
MEASURES = {
    "loss": ("training loss", "训练损失", "nats a token"),
    "cross_entropy": ("training cross-entropy", "训练交叉熵", "nats a token"),
    "divergence": ("divergence from the teacher", "与教师的散度", "nats a token"),
    "eval_loss": ("cross-entropy of the evaluation text", "评测文本的交叉熵", "nats a token"),
    "eval_bleu": ("BLEU while training", "训练中的 BLEU", "BLEU"),
    "eval_chrf++": ("chrF++ while training", "训练中的 chrF++", "chrF++"),
    "eval_perplexity": ("perplexity", "困惑度", "perplexity"),
    "eval_bpb": ("bits per byte", "每字节比特数", "bits per byte"),
}


class Moment(NamedTuple):
    """A value, the training steps that were made by then, and the seconds spent in them."""

    step: int
    seconds: float
    value: float


def read_log(run: Path) -> list[LogEntry]:
    """A run's log, in its order; `UserError` where the folder has none."""
    path = run / LOG_FILE
    if not path.is_file():
        raise UserError(f"{path}: no such file; give folders that distill_zh_en.py has finished")
    return read_shaped(path, list[LogEntry])


def curves_of(entries: Sequence[LogEntry]) -> dict[str, list[Moment]]:
    """The curves of a log, by measure; those that it has."""
    found: dict[str, list[Moment]] = {}
    seconds = 0.0
    for entry in entries:
        seconds = entry.get("training_seconds", seconds)
        for key in MEASURES:
            value = entry.get(key)
            moments = found.setdefault(key, [])
            if isinstance(value, int | float) and not (moments and moments[-1].step == entry["step"]):
                moments.append(Moment(entry["step"], seconds, float(value)))
    return {key: moments for key, moments in found.items() if moments}


def run_of(folder: Path) -> Path | None:
    """The run that a model folder is, or was exported from, if its log is here."""
    if (folder / LOG_FILE).is_file():
        return folder
    if (folder / EXPORT_FILE).is_file():
        trained = read_json_object(folder / EXPORT_FILE).get("model_dir")
        if isinstance(trained, str) and (Path(trained) / LOG_FILE).is_file():
            return Path(trained)
    return None
