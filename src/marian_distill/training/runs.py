"""A run's output folder: what is needed to repeat it, to go on after a kill, and to read what came of it.

options.json is written first, the model after training, run.json last: a folder with run.json is a finished run.
"""

import importlib.metadata
import json
import platform
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from marian_distill.errors import UserError
from marian_distill.files import atomic_writer, read_json_object, remove, write_json
from marian_distill.languages import TAGS, directions_of, languages_of
from marian_distill.revision import git_revision
from marian_distill.students.kinds import kind_of_folder
from marian_distill.training.checkpoints import last_whole_checkpoint

OPTIONS_FILE = "options.json"
RUN_FILE = "run.json"
PLAN = "computes in"  # what `training.precision` chose, in options.json
LOG_HISTORY_FILE = "log.json"
CARD_FILE = "README.md"
STAGED = "staged"  # folder of the trained model until its files are moved up
# Options that may differ between a run and its resumption: they change where and how, not what is trained.
FREE_OPTIONS = frozenset(
    {
        *("output_dir", "overwrite_output_dir", "resume_from_checkpoint", "save_total_limit"),
        *("preprocess_num_proc", "dataloader_num_workers", "dataloader_persistent_workers"),
        *("dataloader_prefetch_factor", "dataloader_pin_memory", "use_cpu", "local_rank"),
        *("report_to", "run_name", "logging_dir", "log_level", "disable_tqdm", "expected_minutes"),
        "sample_translations",
        *("push_to_hub", "hub_token", "hub_model_id"),
        *("precision", "bf16", "fp16", "attention", PLAN),
    }
)
# Options that name what a run reads.
INPUTS = (
    *("student_config", "student_model", "teacher_model", "tokenizer_dir", "resume_from_checkpoint"),
    *("dataset", "eval_dataset", "extra_train_csv", "teacher_cache"),
)
_OF_A_RUN = re.compile(  # what a run puts into its folder, a tracker's runs/ included
    r"(options|run|log|config|generation_config|vocab|tokenizer_config|special_tokens_map)\.json|README\.md|train\.log|"
    r"(source|target)\.spm|model.*\.safetensors(\.index\.json)?|checkpoint-\d+|damaged-checkpoint-\d+(-\d+)?|"
    r"staged|runs|\..*\.tmp|\.snakemake_timestamp"
)
PACKAGES = ("torch", "transformers", "datasets", "accelerate", "sentencepiece", "sacrebleu")


def open_output_dir(directory: str | Path, options: Mapping[str, Any], *, overwrite: bool) -> Path | None:
    """Check the folder; the checkpoint to resume from, if an interrupted run of the same options left one.

    Nothing is written yet, so that a mistake found later leaves no trace: see `start_run`.

    Args:
        directory: the run's output folder.
        options: resolved options.
        overwrite: another run's files will be deleted; do not refuse them.

    Raises:
        UserError: the folder is one of the run's inputs, or holds a run with other options, or files that are no run.
    """
    directory = Path(directory)
    for name in ("student_model", "teacher_model", "tokenizer_dir"):
        if options[name] is not None and Path(options[name]).resolve() == directory.resolve():
            raise UserError(f"{directory}: is --{name.replace('_', '-')} too; choose another --output-dir")
    if directory.is_file():
        raise UserError(f"{directory}: is a file; choose another --output-dir")
    if directory.exists() and not (directory / OPTIONS_FILE).is_file() and _strangers(directory):
        raise UserError(f"{directory}: not empty and no run of this program; choose another --output-dir")
    if overwrite:
        _check_all_may_go(directory, options)
        return None
    checkpoint = last_whole_checkpoint(directory)
    if checkpoint is not None or is_finished(directory):  # else there is nothing yet to lose
        _check_same_run(directory, read_json_object(directory / OPTIONS_FILE), _as_json(options))
    return checkpoint


def _strangers(directory: Path) -> bool:
    """Whether a folder holds more than what a killed run leaves before it has written options.json."""
    temporaries = set(directory.glob(f".{OPTIONS_FILE}.*"))
    return any(path not in temporaries for path in directory.iterdir())


def _check_all_may_go(directory: Path, options: Mapping[str, Any]) -> None:
    """Refuse to empty a folder that holds an input of the new run, or what no run puts there."""
    for name in INPUTS:
        values = options[name] if isinstance(options[name], list) else [options[name]]
        for value in filter(None, values):
            if directory.resolve() in Path(value).resolve().parents and Path(value).exists():
                raise UserError(f"{directory}: holds --{name.replace('_', '-')} {value}; choose another --output-dir")
    for path in sorted(directory.glob("*")):
        if not _OF_A_RUN.fullmatch(path.name):
            raise UserError(f"{path}: no run wrote this; move it away, or choose another --output-dir")


def start_run(
    directory: str | Path,
    options: Mapping[str, Any],
    fingerprints: Mapping[str, str],
    *,
    checkpoint: Path | None,
    overwrite: bool,
) -> None:
    """Write options.json, after deleting an earlier run's files where that was asked, and a killed one's remains.

    Args:
        directory: the run's output folder.
        options: resolved options.
        fingerprints: of every input's content, by name: a run is not resumed on other data than it began with.
        checkpoint: what the run goes on from, as `open_output_dir` gave it.
        overwrite: delete what is there.

    Raises:
        UserError: an interrupted run in the folder began with other inputs.
    """
    directory = Path(directory)
    record = _as_json(options) | {f"fingerprint of {name}": value for name, value in fingerprints.items()}
    if overwrite:
        _check_all_may_go(directory, options)  # again: the data may have taken an hour
        for path in sorted(directory.glob("*"), key=lambda path: path.name != RUN_FILE):
            if path.name != OPTIONS_FILE:  # is written anew, and says until then whose folder this is
                remove(path)
    elif checkpoint is not None:
        _check_same_run(directory, read_json_object(directory / OPTIONS_FILE), record)
    for name in (OPTIONS_FILE, LOG_HISTORY_FILE, CARD_FILE, RUN_FILE):
        for temporary in directory.glob(f".{name}.*"):
            temporary.unlink()
    if (directory / STAGED).is_dir():
        shutil.rmtree(directory / STAGED)
    write_json(directory / OPTIONS_FILE, record)


def _as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(options, default=str))


def recorded(directory: str | Path, key: str) -> Any:
    """What options.json of a run says of `key`; None where it says nothing."""
    return read_json_object(Path(directory) / OPTIONS_FILE).get(key)


def is_finished(directory: str | Path) -> bool:
    """Whether a run has written its model and its run.json."""
    return (Path(directory) / RUN_FILE).is_file()


def _check_same_run(directory: Path, there: dict[str, Any], now: dict[str, Any]) -> None:
    for key in sorted(now.keys() - FREE_OPTIONS):
        if key in there and there[key] != now[key]:
            raise UserError(
                f"{directory}: holds another run ({key} is {there[key]!r} there, {now[key]!r} now); "
                "choose another --output-dir, or delete the folder (--overwrite-output-dir does) to train it anew"
            )


def check_free_space(directory: str | Path, needed: int) -> None:
    """Refuse to begin a file of `needed` bytes that the disk cannot hold, rather than leave it half written."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise UserError(
            f"{directory}: no space left on device: {needed / 1e6:.1f} MB are needed, {free / 1e6:.1f} MB are free. "
            "Free some, then give the same command again"
        )


def versions() -> dict[str, str]:
    """Versions of Python, of this project and its main packages, and the git revision (`+` where files differ)."""
    found = {"python": platform.python_version(), "distill-zh-en": importlib.metadata.version("distill-zh-en")}
    found |= {name: importlib.metadata.version(name) for name in PACKAGES}
    return found | {"git": git_revision()}


def finish_run(
    directory: str | Path,
    staged: Path,
    options: Mapping[str, Any],
    run: Mapping[str, Any],
    log: Sequence[Mapping[str, Any]],
    write_card: Callable[[Path, Mapping[str, Any], Mapping[str, Any]], None] | None = None,
) -> None:
    """Publish a trained model with its log and its card; run.json comes last and says that all is there.

    Args:
        directory: the run's output folder.
        staged: a folder inside it with the saved model, whose files are moved up, one rename each.
        options: resolved options.
        run: what run.json holds beside the versions: metrics, signatures, steps, parameters, data.
        log: the trainer's log history, for log.json.
        write_card: writes README.md of the folder from options and run; default: `write_model_card`.
    """
    directory, run = Path(directory), {**run, "versions": versions()}
    for file in sorted(staged.iterdir()):
        file.chmod(0o644)  # safetensors writes 0600
        file.replace(directory / file.name)
    staged.rmdir()
    write_json(directory / LOG_HISTORY_FILE, log)
    (write_card or write_model_card)(directory, options, run)
    write_json(directory / RUN_FILE, run)


def write_model_card(directory: str | Path, options: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """README.md of a trained model: what it is, from what, how good, how to use it, how to repeat it.

    Its head is what the hub reads; names are those of the hub, of a local file or folder the last part alone.
    """
    directory = Path(directory)
    scores = {
        name.removeprefix("eval_"): value
        for name, value in run["metrics"].items()
        if name.startswith("eval_") and name.endswith(("loss", "bleu", "chrf++"))
    }
    table = "\n".join(f"| {name} | {value:.4g} |" for name, value in scores.items())
    trained_on = "\n".join(f"- `{Path(name).name}`: {rows:,} pairs" for name, rows in run["data"]["sources"].items())
    start = options["student_model"] or ("the teacher's layers" if options["init_from_teacher"] else "random weights")
    first, *others = directions_of(options["direction"])
    tag = f"{TAGS[languages_of(first)[1]]} " if others else ""
    sentence = tag + {"en": "We like tea.", "zh": "我们喜欢茶。"}[languages_of(first)[0]]
    teacher = public_name(options["teacher_model"] or "none")
    kind, parameters = kind_of_folder(directory), f"{run['parameters']:,}"
    name = options.get("hub_model_id") or directory.name
    lines = f"""---
{_card_data(directory.name, kind.name.lower(), options, run, scores).to_yaml()}
---

# {directory.name}

A {kind.name} translator, direction {options["direction"]}, {parameters} parameters, trained with distill-zh-en.

- start: {public_name(start)}
- teacher: {teacher}; alpha_ce {options["alpha_ce"]}, temperature {options["temperature"]}
- training steps: {run["steps"]:,}; seed {options["seed"]}; git revision {run["versions"]["git"]}
- {_about_tags(options["direction"], run["data"]["tag_share"])}
- licence: that of the training data and of the teacher; say here which one this model is given under

## Evaluation

| metric | value |
|---|---|
{table}

{chr(10).join(f"{name}: `{signature}`" for name, signature in run["signatures"].items())}

## Training data

{trained_on}

## Use

```python
{kind.usage(name, sentence)}
```

{_without_torch("ct2" in kind.exports, name, directory.name)}

## Repeat

Every option is in {OPTIONS_FILE}; versions, data fingerprints and metrics are in {RUN_FILE}.
"""
    with atomic_writer(directory / CARD_FILE) as stream:
        stream.write(lines)


def _without_torch(for_ctranslate2: bool, name: str, folder: str) -> str:
    """How to run the model on a phone or a board, with an engine that takes its kind of student."""
    if for_ctranslate2:
        how, export, translate, exported = "as CTranslate2 int8", "export_ct2", "translate_ct2", f"{folder}-ct2-int8"
    else:
        how, export, translate, exported = "with ONNX Runtime", "export_onnx", "translate_rknn", f"{folder}-onnx"
    return f"""On a phone or a small machine, {how} (in a clone of distill-zh-en):

```
uv run -s scripts/{export}.py {name} --output-dir {exported}
uv run -s scripts/{translate}.py --model-dir {exported}
```"""


def _about_tags(direction: str, share: float) -> str:
    """What the sources of this model begin with."""
    directions = directions_of(direction)
    first, *others = [f"`{TAGS[languages_of(one)[1]]}`" for one in directions]
    if others:
        return f"a source begins with the tag of the language that is wanted: {first} Chinese, {others[0]} English"
    if not share:
        return "a source has no tag before it that names the target language"
    return f"a source may begin with the target language's tag, {first}: {share:.0%} of those it was trained on do"


def _card_data(
    name: str, kind: str, options: Mapping[str, Any], run: Mapping[str, Any], scores: Mapping[str, float]
) -> ModelCardData:
    """The card's head: https://huggingface.co/docs/hub/model-cards#model-card-metadata."""
    directions = directions_of(options["direction"])
    evaluated_on = str(options["eval_dataset"] or options["dataset"][0])
    results = []
    for metric, value in scores.items():
        direction, _, measure = metric.rpartition("_")
        if measure == "loss":
            continue
        results.append(
            EvalResult(
                task_type="translation",
                task_name=f"Translation {direction or directions[0]}",
                dataset_type=public_name(evaluated_on),
                dataset_name=public_name(evaluated_on),
                dataset_config=direction or directions[0],  # or the results of two directions would be one
                metric_type="bleu" if measure == "bleu" else "chrf",
                metric_name={"bleu": "BLEU"}.get(measure, "chrF++"),
                metric_value=round(value, 2),
                metric_config=run["signatures"].get(f"eval_{metric}"),
            )
        )
    bases = [options["student_model"], options["teacher_model"]]
    return ModelCardData(
        language=["en", "zh"],
        license="other",
        license_name="of-training-data-and-teacher",
        library_name="transformers",
        pipeline_tag="translation",
        base_model=list(dict.fromkeys(base for base in bases if base and is_hub_name(base))) or None,
        datasets=[dataset for dataset in options["dataset"] if is_hub_name(dataset)] or None,
        tags=[kind, "knowledge-distillation", *directions],
        model_name=name,
        eval_results=results or None,
    )


def is_hub_name(name: str) -> bool:
    """Whether a name is that of a model or data set on the hub, and no local folder."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None and not Path(name).exists()


def public_name(name: str) -> str:
    """A hub name as it is; of a local file or folder its last part, for where it lay is nobody's business."""
    return name if is_hub_name(name) else Path(name).name
