"""Whether a model has been trained on what it is tested with, as far as its folders say what that was.

A run's options.json names its corpora, the model that it went on from and its teacher; an exported folder's
export.json names the run. All of these are followed; what lies elsewhere (the hub, another machine) is told as not
looked at.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.files import read_json_object
from marian_distill.text.formats import files_of, read_rows
from marian_distill.text.overlap import OverlapReport, find_overlaps

logger = logging.getLogger(__name__)

OPTIONS_FILE, EXPORT_FILE = "options.json", "export.json"
CORPORA = ("dataset", "extra_train_csv")
EARLIER = ("student_model", "teacher_model")


class TrainingOverlap(OverlapReport):
    """A test set's overlap with what was looked at, and how much that was.

    `not_looked_at` names corpora that are not here as text files.
    """

    training_rows: int
    corpora: list[str]
    not_looked_at: list[str]


def training_overlaps(model_dir: str | Path, tests: Sequence[EvaluationSet]) -> dict[str, TrainingOverlap]:
    """Hold test sets against a model's training text; a sentence of theirs that is in it is told on stderr.

    Args:
        model_dir: a run's folder, or one exported from it.
        tests: test sets.

    Returns:
        A report by test file; {} where no folder says what the model was trained on, or none of it is here.

    Raises:
        UserError: a training file is malformed.
    """
    here, elsewhere = recorded_corpora(model_dir)
    if elsewhere:
        logger.warning("%s: test sets were not held against its training data %s", model_dir, ", ".join(elsewhere))
    if not here:
        return {}
    rows, reports = find_overlaps({str(test.path): test.pairs for test in tests}, _rows(here))
    for test in tests:
        report = reports[str(test.path)]
        if not test.words and any(report["exact"].values()):
            logger.warning(
                "%s: TRAINED ON. The training data of %s holds the English of %d and the Chinese of %d of its %d "
                "sentences (%d as pairs); scores on it tell what the model knows by heart",
                *(test.path, model_dir, report["exact"]["en"], report["exact"]["zh"]),
                *(report["sentences"], report["pairs"]),
            )
    return {
        name: TrainingOverlap(
            training_rows=rows, corpora=[str(path) for path in here], not_looked_at=elsewhere, **report
        )
        for name, report in reports.items()
    }


def recorded_corpora(model_dir: str | Path) -> tuple[list[Path], list[str]]:
    """What a model, the models that it came from and its teachers were trained on: files here, and other names."""
    here: dict[Path, Path] = {}
    elsewhere: dict[str, None] = {}
    waiting, seen = [Path(model_dir)], set()
    while waiting:
        folder = waiting.pop()
        if folder.resolve() in seen:
            continue
        seen.add(folder.resolve())
        if (folder / EXPORT_FILE).is_file():
            trained = read_json_object(folder / EXPORT_FILE).get("model_dir")
            waiting += [Path(trained)] if isinstance(trained, str) else []
        if not (folder / OPTIONS_FILE).is_file():
            continue
        options = read_json_object(folder / OPTIONS_FILE)
        waiting += [Path(options[name]) for name in EARLIER if isinstance(options.get(name), str)]
        for name in (name for key in CORPORA for name in options.get(key) or ()):
            files = files_of(Path(name))
            if files and all(file.is_file() for file in files):
                here[Path(name).resolve()] = Path(name)
            else:
                elsewhere[name] = None
    return list(here.values()), list(elsewhere)


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    for path in paths:
        yield from read_rows(path)
