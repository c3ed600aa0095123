"""A coordinated run at toy size: a YAML, its corpus, its teacher, for tests and for kill_coordinator.py."""

from pathlib import Path
from typing import Any

import yaml

from toy_chat import write_toy_chat
from toy_language_model import write_toy_config
from toy_model import PAIRS
from toy_training import COMMAND, write_tsv

SCRIPT = COMMAND.parent / "scripts" / "coordinate_distill.py"


def write_coordinated(folder: Path, teacher: Path | None = None) -> None:
    """Write corpus.tsv, dev.tsv, student.json and, where none is given, chat/, the teacher."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tsv(folder / "corpus.tsv", PAIRS[:60])
    write_tsv(folder / "dev.tsv", PAIRS[60:72])
    write_toy_config(folder / "student.json", vocab_size=400, max_position_embeddings=128)
    if teacher is None:
        (folder / "chat").mkdir()
        write_toy_chat(folder / "chat")


def settings_of(folder: Path, teacher: Path, /, **changes: Any) -> dict[str, Any]:
    """The YAML of a run over three shards of 20 rows; `changes` are joined with its sections, None takes one away."""
    values: dict[str, Any] = {
        "output_dir": str(folder / "run"),
        "teacher": str(teacher),
        "prompt": {"user": "Translate to {target_language}: {source}"},
        "corpus": {"dataset": [str(folder / "corpus.tsv")]},
        "shards": {"rows": 20, "part_rows": 10, "make": "between"},
        "tokenizer": {"vocab_size": 380},
        "labels": {"max_new_tokens": 6},
        "logits": {"temperature": 1.0},
        "training": {
            "student_config": str(folder / "student.json"),
            "learning_rate": 0.01,
            "lr_scheduler_type": "linear",
            "tokens_per_batch": 128,
            "packed_length": 64,
            "precision": "fp32",
            "attention": "sdpa",
            "save_steps": 2,
            "logging_steps": 1,
            "disable_tqdm": True,
        },
    }
    for name, section in changes.items():
        values[name] = {**values[name], **section} if isinstance(section, dict) and name in values else section
    return {name: section for name, section in values.items() if section is not None}


def write_settings(folder: Path, teacher: Path, /, **changes: Any) -> Path:
    """`settings_of` as a file."""
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(settings_of(folder, teacher, **changes), allow_unicode=True), encoding="utf-8")
    return path
