"""A run on a hundred rows, end to end, and what it cost: the run of a YAML, or with a tiny random teacher."""

import copy
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from marian_distill.augment import patterns_of
from marian_distill.augment.grammar import sample
from marian_distill.coordinate.coordinator import (
    EXPORT,
    SHARDS,
    coordinate,
    export,
    maker_of,
    planned,
    prepare_tokenizer,
    stage_of,
)
from marian_distill.coordinate.parts import REPORT, PartReport
from marian_distill.coordinate.plan import ShardFolder
from marian_distill.coordinate.settings import Settings, read_settings
from marian_distill.files import atomic_writer, read_json, read_json_object, remove
from marian_distill.schema import read_shaped
from marian_distill.text.byte_bpe import train_byte_bpe
from marian_distill.text.ranges import Corpora
from marian_distill.training import runs

ROWS, SHARD_ROWS, PART_ROWS = 100, 50, 25
DOMAINS = ("coffee", "travel")
TINY_VOCABULARY = 600
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Measured(NamedTuple):
    """What a sample run cost on this machine.

    Attributes:
        rows: of the corpus that were read.
        pairs: that were learnt from.
        target_tokens: of these, in logits; 0 without any.
        label_seconds, logit_seconds: of making.
        shard_bytes: of all shards.
        train_tokens_a_pair, train_tokens_a_second: source and target, padding of packed rows included.
        checkpoint_bytes: of one.
        memory_bytes: of this process, at its end.
        export_bytes: of the exported model.
    """

    rows: int
    pairs: int
    target_tokens: int
    label_seconds: float
    logit_seconds: float
    shard_bytes: int
    train_tokens_a_pair: float
    train_tokens_a_second: float
    checkpoint_bytes: int
    memory_bytes: int
    export_bytes: int


def sample_settings(settings: Settings, folder: Path, *, tiny: bool) -> Settings:
    """The YAML of a run, cut down to a hundred rows; its folder is emptied.

    Args:
        settings: of the whole run.
        folder: of the sample.
        tiny: with a random teacher of two layers, and with generated sentences for a corpus.
    """
    if folder.is_dir():
        remove(folder)
    folder.mkdir(parents=True)
    values = copy.deepcopy(settings.values)
    pairs = _generated_pairs() if tiny else _first_pairs(settings)
    with atomic_writer(folder / "corpus.tsv") as stream:
        stream.write("en\tzh\n" + "".join(f"{english}\t{chinese}\n" for english, chinese in pairs))
    values["corpus"] = {"dataset": [str(folder / "corpus.tsv")], "direction": settings.direction}
    values["output_dir"] = str(folder / "run")
    values["shards"] = {"rows": SHARD_ROWS, "part_rows": PART_ROWS, "make": "between"}
    training = values["training"]
    training |= {"warmup_steps": 0, "eval_strategy": "no", "logging_steps": 1, "disable_tqdm": True}
    training["tokens_per_batch"] = min(training.get("tokens_per_batch", 1024), 1024)
    for name in ("eval_text", "eval_dataset", "eval_steps", "early_stopping_patience", "load_best_model_at_end"):
        training.pop(name, None)
    if tiny:
        write_tiny_teacher(folder / "teacher", [text for pair in pairs for text in pair])
        values["teacher"] = str(folder / "teacher")
        for name in ("labels", "logits"):
            kept = ("temperature", "k", "exact", "kind", "n_best", "choose", "rejected")
            values[name] = {key: value for key, value in values.get(name, {}).items() if key in kept}
        values["labels"]["max_new_tokens"] = 24
        values["tokenizer"] = {"vocab_size": TINY_VOCABULARY}
    path = folder / "run.yaml"
    with atomic_writer(path) as stream:
        yaml.safe_dump(values, stream, allow_unicode=True, sort_keys=False)
    return read_settings(path)


def _generated_pairs() -> list[tuple[str, str]]:
    found = [
        pair for domain in DOMAINS for pair in sample(patterns_of(domain), "train", ROWS // len(DOMAINS), seed=42)
    ]
    return [(pair.en, pair.zh) for pair in found]


def _first_pairs(settings: Settings) -> list[tuple[str, str]]:
    corpora = Corpora(settings.corpus["dataset"], settings.corpus.get("dataset_config", "en-zh"))
    corpora.records()
    return [
        (row["en"].replace("\t", " "), row["zh"].replace("\t", " ")) for row in islice(corpora.read(0, ROWS), ROWS)
    ]


def write_tiny_teacher(folder: Path, texts: Sequence[str]) -> None:
    """A folder with a Qwen2 chat model of two layers: random weights, a tokenizer of the texts, a chat template."""
    folder.mkdir(parents=True)
    library = train_byte_bpe(list(texts), folder, TINY_VOCABULARY).library
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=library, eos_token="<|im_end|>", pad_token="<|im_end|>")  # noqa: S106
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = CHAT_TEMPLATE
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    sizes = {**TINY, "num_key_value_heads": 2, "max_position_embeddings": 1024, "vocab_size": len(tokenizer)}
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model("qwen2", **sizes, **ends)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def run_sample(settings: Settings) -> Measured:
    """Make, train, delete, export; and what it cost."""
    settings.prepare_prompt()
    plan = planned(settings)
    prepare_tokenizer(settings)
    stage = stage_of(settings, plan)
    shards = ShardFolder(settings.output_dir / SHARDS, plan)
    reports: list[PartReport] = []
    sizes: list[int] = []

    def look(number: int) -> None:
        for folder in shards.part_folders(number):
            reports.append(read_shaped(folder / REPORT, PartReport))
            sizes.append(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))

    with maker_of(settings, plan, shards) as maker:
        coordinate(shards, maker, stage, look)
    export(settings)
    run = read_json_object(settings.model_dir / runs.RUN_FILE)
    speeds = [
        entry["tokens_per_second"]
        for entry in read_json(settings.model_dir / runs.LOG_HISTORY_FILE)
        if "loss" in entry
    ]
    checkpoint = max(settings.model_dir.glob("checkpoint-*"), key=lambda path: path.stat().st_mtime)
    return Measured(
        rows=sum(report["rows"] for report in reports),
        pairs=sum(report["pairs"] for report in reports),
        target_tokens=sum(report["tokens"] for report in reports),
        label_seconds=sum(report["label_seconds"] for report in reports),
        logit_seconds=sum(report["logit_seconds"] for report in reports),
        shard_bytes=sum(sizes),
        train_tokens_a_pair=run["data"]["tokens_a_pair"],
        train_tokens_a_second=sorted(speeds)[len(speeds) // 2],
        checkpoint_bytes=_size(checkpoint),
        memory_bytes=psutil.Process().memory_info().rss,
        export_bytes=_size(settings.output_dir / EXPORT),
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def translated(settings: Settings, text: str) -> str:
    """What the exported model makes of a text."""
    folder: Any = settings.output_dir / EXPORT
    if settings.is_language_model:
        from marian_distill.runtime.prompted_translator import PromptedTranslator

        return PromptedTranslator(folder).translate([text])[0]
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator

    return CTranslate2Translator(folder).translate([text])[0]
