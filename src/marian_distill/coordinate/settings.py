"""The one YAML of a run: corpus, teacher, prompt, shards, tokenizer, labels, logits, training, export.

A section that a command does has that command's options for keys, so their help and their checks hold here too; what
joins the steps (which shard, which folder, which tokenizer) is filled in. docs/coordinator.md lists the keys.
"""

import argparse
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, get_type_hints

import yaml

from marian_distill.errors import UserError
from marian_distill.files import atomic_writer, read_json_object
from marian_distill.schema import fault_of
from marian_distill.teachers.caching_options import caching_parser
from marian_distill.teachers.labelling import check_arguments, labelling_parser
from marian_distill.teachers.llm.prompt import check_keys, read_prompt
from marian_distill.yaml_file import read_yaml_object

# Options that a section may not have: the coordinator gives them.
FILLED_IN = {
    "labels": {"dataset", "output_dir", "direction", "max_samples", "source_weight", "rank", "processes"},
    "logits": {"dataset", "output_dir", "direction", "tokenizer_dir", "max_seq_len", "max_samples", "start_from"},
    "training": {
        *("dataset", "text", "output_dir", "direction", "teacher_cache", "tokenizer_dir", "max_steps", "config"),
        *("num_train_epochs", "resume_from_checkpoint", "overwrite_output_dir", "max_train_samples", "holdout_share"),
    },
}
MAKERS = ("beside", "between", "ray")


class CorpusSection(TypedDict):
    """What is translated or learnt from."""

    dataset: list[str]
    dataset_config: NotRequired[str]
    direction: NotRequired[Literal["en-zh", "zh-en", "both"]]


class ShardsSection(TypedDict):
    """How the corpus is cut, and who makes the shards."""

    rows: NotRequired[int]
    part_rows: NotRequired[int]
    passes: NotRequired[int]
    make: NotRequired[Literal["beside", "between", "ray"]]
    workers: NotRequired[int]
    ray_address: NotRequired[str]


class TokenizerSection(TypedDict):
    """A tokenizer that is there, or one that is trimmed from the teacher's."""

    dir: NotRequired[str]
    vocab_size: NotRequired[int]
    sentences: NotRequired[int]


class ExportSection(TypedDict):
    """The model that comes out."""

    quantization: NotRequired[Literal["int8", "int8_float32", "int8_float16", "float16", "float32"]]


class SettingsFile(TypedDict):
    """The keys of the YAML."""

    output_dir: str
    corpus: CorpusSection
    training: dict[str, Any]
    teacher: NotRequired[str]
    prompt: NotRequired[str | dict[str, Any]]
    shards: NotRequired[ShardsSection]
    tokenizer: NotRequired[TokenizerSection]
    labels: NotRequired[dict[str, Any]]
    logits: NotRequired[dict[str, Any]]
    export: NotRequired[ExportSection]


LEAST = {"rows": 1, "part_rows": 1, "passes": 1, "workers": 1, "vocab_size": 256, "sentences": 1}


@dataclass(frozen=True)
class Settings:
    """What a YAML says, checked.

    Attributes:
        path: the YAML.
        values: as it has them.
        output_dir: of the whole run: plan.json, tokenizer/, shards/, model/, export/.
    """

    path: Path
    values: dict[str, Any]
    output_dir: Path

    @property
    def corpus(self) -> CorpusSection:
        """The section `corpus`."""
        return self.values["corpus"]

    @property
    def direction(self) -> Literal["en-zh", "zh-en", "both"]:
        """What the student translates."""
        return self.corpus.get("direction", "en-zh")

    @property
    def shards(self) -> dict[str, Any]:
        """The section `shards`, whole."""
        defaults = {"rows": 200_000, "part_rows": 10_000, "passes": 1, "make": "beside", "workers": 1}
        return {**defaults, "ray_address": None, **self.values.get("shards", {})}

    @property
    def learns_from_logits(self) -> bool:
        """Whether shards have logits."""
        return "logits" in self.values

    @property
    def is_language_model(self) -> bool:
        """Whether the student is a language model, which scripts/train_causal_lm.py's options are for."""
        training = self.values["training"]
        config = training.get("student_config") or Path(str(training.get("student_model")), "config.json")
        return read_json_object(config).get("model_type") == "qwen3"

    @property
    def model_dir(self) -> Path:
        """The folder of the training run."""
        return self.output_dir / "model"

    @property
    def tokenizer_dir(self) -> str | None:
        """The student's tokenizer; None: the one of the student that is trained on."""
        section = self.values.get("tokenizer", {})
        return section.get("dir") or (str(self.output_dir / "tokenizer") if "vocab_size" in section else None)

    def made_with(self) -> dict[str, Any]:
        """What the content of the shards hangs on, for the plan."""
        names = ("teacher", "prompt", "tokenizer", "labels", "logits")
        made = {name: self.values[name] for name in names if name in self.values}
        return {**made, "direction": self.direction, "dataset_config": self.corpus.get("dataset_config", "en-zh")}

    def labels(self) -> argparse.Namespace | None:
        """Options of scripts/forward_translate.py; None: the corpus's own translations are learnt."""
        if "labels" not in self.values:
            return None
        section = dict(self.values["labels"])
        if not {"teacher_llm", "teacher_endpoint", "teacher_ct2_dir"} & set(section):
            section["teacher_llm"] = self._teacher("labels")
        if self._prompt_file() and "teacher_ct2_dir" not in section:
            section.setdefault("prompt", str(self._prompt_file()))
        given = {"dataset": self.corpus["dataset"], "output_dir": str(self.output_dir / "labels")}
        arguments = self._parsed("labels", labelling_parser(None), section, given | {"direction": self.direction})
        check_arguments(arguments)
        return arguments

    def logits(self, longest: int) -> argparse.Namespace | None:
        """Options of scripts/cache_teacher_logits.py; None: labels alone are learnt.

        `longest`: tokens of an example that training takes.
        """
        if not self.learns_from_logits:
            return None
        section = dict(self.values["logits"])
        if "teacher_model" not in section:
            section["teacher_model"] = self._teacher("logits")
        if self._prompt_file():
            section.setdefault("prompt_file", str(self._prompt_file()))
        given: dict[str, Any] = {"dataset": self.corpus["dataset"], "output_dir": str(self.output_dir / "logits")}
        given |= {"direction": self.direction, "max_seq_len": longest, "tokenizer_dir": self.tokenizer_dir}
        return self._parsed("logits", caching_parser(None), section, given)

    def _teacher(self, section: str) -> str:
        if "teacher" not in self.values:
            raise UserError(f"{self.path}: {section}: no teacher; name one as `teacher: …`")
        return self.values["teacher"]

    def _prompt_file(self) -> Path | None:
        """The prompt's file; one that stands in the YAML itself is written out by `prepare_prompt`."""
        prompt = self.values.get("prompt")
        return self.output_dir / "prompt.yaml" if isinstance(prompt, dict) else (Path(prompt) if prompt else None)

    def prepare_prompt(self) -> None:
        """Write a prompt that stands in the YAML into a file of its own, and check it."""
        prompt, path = self.values.get("prompt"), self._prompt_file()
        if path is None:
            return
        if isinstance(prompt, dict):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_writer(path) as stream:
                yaml.safe_dump(prompt, stream, allow_unicode=True, sort_keys=False)
        read_prompt(path)

    def _parsed(
        self, name: str, parser: argparse.ArgumentParser, section: dict[str, Any], given: dict[str, Any]
    ) -> argparse.Namespace:
        place = f"{self.path}: {name}"
        check_keys(section, {action.dest for action in parser._actions} - FILLED_IN[name], place)
        try:
            return parser.parse_args(flag_tokens({**section, **given}))
        except UserError as error:
            raise UserError(f"{place}: {error}") from error


def read_settings(path: str | Path) -> Settings:
    """Read the YAML of a run.

    Raises:
        UserError: no such file, no YAML, an unknown key (the nearest is named), a value of another kind, sections that
            contradict each other.
    """
    path = Path(path)
    values = read_yaml_object(path, "'key: value' lines")
    check_keys(values, get_type_hints(SettingsFile), f"{path}")
    if fault := fault_of(values, SettingsFile, ""):
        raise UserError(f"{path}: {fault}")
    shapes = {"corpus": CorpusSection, "shards": ShardsSection, "tokenizer": TokenizerSection, "export": ExportSection}
    for name, shape in shapes.items():
        check_keys(values.get(name, {}), get_type_hints(shape), f"{path}: {name}")
        for key, least in LEAST.items():
            if values.get(name, {}).get(key, least) < least:
                raise UserError(f"{path}: {name}: {key} {values[name][key]}: expected {least} or more")
    _check_filled_in("training", values["training"], path)
    for name in ("labels", "logits"):
        _check_filled_in(name, values.get(name, {}), path)
    settings = Settings(path, values, Path(values["output_dir"]))
    if "labels" in values and settings.direction == "both":
        raise UserError(f"{path}: labels: a teacher translates in one direction; give corpus.direction en-zh or zh-en")
    if "vocab_size" in values.get("tokenizer", {}) and not ("teacher" in values and settings.is_language_model):
        raise UserError(f"{path}: tokenizer: vocab_size trims a teacher's for a language model; give dir")
    return settings


def _check_filled_in(name: str, section: Collection[str], path: Path) -> None:
    for key in section:
        if str(key).replace("-", "_") in FILLED_IN[name]:
            raise UserError(f"{path}: {name}: {key} follows from the plan; leave it out (docs/coordinator.md)")


def flag_tokens(values: dict[str, Any]) -> list[str]:
    """Values as the words of a command line: `true` is the flag alone, `false` and `null` are no word."""
    tokens = []
    for key, value in values.items():
        flag = f"--{key.replace('_', '-')}"
        if value is True:
            tokens.append(flag)
        elif isinstance(value, list):
            tokens += [flag, *map(str, value)]
        elif value is not None and value is not False:
            tokens.append(f"{flag}={value}")
    return tokens
