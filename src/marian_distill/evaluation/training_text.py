"""Whether a model has been trained on what it is tested with, as far as its folders say what that was.

A run's options.json names its corpora, the model that it went on from and its teacher; an exported folder's
export.json names the run. All of these are followed; what lies elsewhere (the hub, another machine) is told as not
looked at.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.files import read_json_object, sha256, write_json
from marian_distill.schema import read_shaped
from marian_distill.text.formats import files_of, read_rows
from marian_distill.text.overlap import GRAM_LENGTHS, NEAR, OverlapReport, find_overlaps

logger = logging.getLogger(__name__)

OPTIONS_FILE, EXPORT_FILE = "options.json", "export.json"
CORPORA = ("dataset", "extra_train_csv")
# Beside a report, where `training_overlaps` may keep what it found.
OVERLAP_CACHE = ".overlap"
EARLIER = ("student_model", "teacher_model")


class TrainingOverlap(OverlapReport):
    """A test set's overlap with what was looked at, and how much that was.

    `not_looked_at` names corpora that are not here as text files.
    """

    training_rows: int
    corpora: list[str]
    not_looked_at: list[str]


class _Found(OverlapReport):
    """What is kept of a look at training text."""

    training_rows: int


def training_overlaps(
    model_dir: str | Path,
    tests: Sequence[EvaluationSet],
    cache: Path | None = None,
    others: Sequence[EvaluationSet] = (),
) -> dict[str, TrainingOverlap]:
    """Hold test sets against a model's training text; a sentence of theirs that is in it is told on stderr.

    Args:
        model_dir: a run's folder, or one exported from it.
        tests: test sets.
        cache: a folder where the results are kept, by the contents of training text and test set: models of the same
            text need not read it again.
        others: test sets that will be asked for later: where the text is read, they are looked for as well.

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
    found = _found(here, tests, cache, others)
    for test in tests:
        report = found[str(test.path)]
        if not test.words and any(report["exact"].values()):
            logger.warning(
                "%s: TRAINED ON. The training data of %s holds the English of %d and the Chinese of %d of its %d "
                "sentences (%d as pairs); scores on it tell what the model knows by heart",
                *(test.path, model_dir, report["exact"]["en"], report["exact"]["zh"]),
                *(report["sentences"], report["pairs"]),
            )
    return {
        str(test.path): TrainingOverlap(
            corpora=[str(path) for path in here], not_looked_at=elsewhere, **found[str(test.path)]
        )
        for test in tests
    }


def _found(
    corpora: Sequence[Path], tests: Sequence[EvaluationSet], cache: Path | None, others: Sequence[EvaluationSet]
) -> dict[str, _Found]:
    """The look at the training text: from the cache where all tests are there, else made for whatever is not."""
    places: dict[str, Path] = {}
    if cache is not None:
        text = "".join(sorted(sha256(file) for path in corpora for file in files_of(path)))
        places = {str(test.path): cache / f"{_digest(text, test)}.json" for test in (*tests, *others)}
    found = {name: read_shaped(path, _Found) for name, path in places.items() if path.is_file()}
    if all(str(test.path) in found for test in tests):
        return found
    missing = {str(test.path): test.pairs for test in (*tests, *others) if str(test.path) not in found}
    rows, reports = find_overlaps(missing, _rows(corpora))
    for name, report in reports.items():
        found[name] = _Found(training_rows=rows, **report)
        if name in places:
            write_json(places[name], found[name])
    return found


def _digest(training: str, test: EvaluationSet) -> str:
    """Of the training text's fingerprints, a test set's sentences, and how they are compared."""
    digest = hashlib.sha256(f"{training} {NEAR} {GRAM_LENGTHS}".encode())
    for english, chinese in test.pairs:
        digest.update(f"\n{english}\t{chinese}".encode())
    return digest.hexdigest()[:32]


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
