"""One system on several test files and directions: what scripts/evaluate_model.py and scripts/compare_models.py do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from marian_distill.errors import UserError
from marian_distill.evaluation.cost import Cost, measure_cost
from marian_distill.evaluation.evaluate import directions_to_measure, evaluate, load_translator
from marian_distill.evaluation.evaluation_sets import EvaluationSet, read_hypotheses
from marian_distill.evaluation.metrics import Score, metric_for
from marian_distill.evaluation.scoring import Scored, score
from marian_distill.evaluation.training_text import training_overlaps
from marian_distill.languages import Direction, directions_of, languages_of
from marian_distill.runtime.translator import MAX_DECODING_LENGTH

# A system's translations of a test file in a direction.
Translations = dict[tuple[Path, Direction], list[str]]
# Another system's scores, likewise.
Baselines = Mapping[tuple[Path, Direction], Scored]


class ModelOptions(NamedTuple):
    """How a model folder is run (see `load_translator`)."""

    beam_size: int = 1
    max_decoding_length: int = MAX_DECODING_LENGTH
    device: str = "cpu"
    compute_type: str = "default"


class Result(NamedTuple):
    """A test set in one direction: the score and what was scored."""

    test: EvaluationSet
    scored: Scored
    hypotheses: list[str]

    @property
    def report(self) -> dict[str, Any]:
        """For JSON."""
        return self.scored.report

    @property
    def direction(self) -> Direction:
        """Of the translations."""
        return self.report["direction"]

    def path_in(self, folder: Path | None) -> Path | None:
        """Where the hypotheses lie in a folder of them: `money.en-zh.txt`."""
        return folder and folder / hypotheses_name(self.test, self.direction)


def hypotheses_name(test: EvaluationSet, direction: Direction) -> str:
    """What the file of a system's translations of a test set is called."""
    return f"{test.name}.{direction}.txt"


def baselines_of(results: Sequence[Result]) -> Baselines:
    """A system's results, for others to be held against."""
    return {(result.test.path, result.direction): result.scored for result in results}


def evaluate_model(
    model_dir: Path,
    tests: Sequence[EvaluationSet],
    direction: str | None,
    options: ModelOptions,
    *,
    baselines: Baselines | None = None,
    cost_threads: int | None = None,
    check_training: bool = True,
    training_cache: Path | None = None,
    others: Sequence[EvaluationSet] = (),
) -> list[Result]:
    """Translate and score every test set in every direction that it and the model are for.

    Args:
        model_dir: a model folder.
        tests: test sets.
        direction: the one to measure, `both`, or what the folder says when None.
        options: how it is run.
        baselines: another system's scores.
        cost_threads: the engine's threads while its cost is measured; not measured when None.
        check_training: look for test sentences in the model's training text first.
        training_cache, others: see `training_overlaps`.

    Raises:
        UserError: a model that cannot be loaded, a direction that it or a test set is not for.
    """
    translator = load_translator(model_dir, None if direction == "both" else direction, *options)
    directions = directions_to_measure(model_dir, direction)
    if len(directions) == 1:
        for test in tests:
            test.check_direction(directions[0])
    jobs: list[tuple[EvaluationSet, Direction]] = [
        (test, one) for test in tests for one in directions if test.direction in (None, one)
    ]
    seen = training_overlaps(model_dir, tests, training_cache, others) if check_training else {}
    costs: dict[Direction, Cost] = {}
    if cost_threads is not None:
        measured: set[Direction] = {one for _, one in jobs}
        for one in measured:
            costs[one] = measure_cost(model_dir, one, _spread(jobs, one), *options, cost_threads)
    results = []
    for test, one in jobs:
        scored, hypotheses = evaluate(translator, test, one, (baselines or {}).get((test.path, one)))
        report = scored.report
        report |= {"model_dir": str(model_dir), "compute_type": translator.compute_type}
        report |= {"beam_size": options.beam_size}
        if str(test.path) in seen:
            report["training_overlap"] = seen[str(test.path)]
        if one in costs:
            report["cost"] = costs[one]
        results.append(Result(test, scored, hypotheses))
    return results


def read_translations(
    paths: Sequence[Path] | None, tests: Sequence[EvaluationSet], direction: str | None, option: str
) -> Translations:
    """Somebody's translations, a file for each test set, in one direction; {} when no files are given.

    Raises:
        UserError: no direction or both, another number of files than of test sets, or a file that does not match.
    """
    if paths is None:
        return {}
    if len(paths) != len(tests):
        raise UserError(f"{option}: {len(paths)} files for {len(tests)} test files; give one for each")
    found: Translations = {}
    for path, test in zip(paths, tests, strict=True):
        wanted = directions_of(direction or test.direction or "both")
        if len(wanted) != 1:
            raise UserError(f"{option}: give --direction en-zh or zh-en, which they are translations in")
        test.check_direction(wanted[0])
        found[test.path, wanted[0]] = read_hypotheses(path, test)
    return found


def score_translations(
    translations: Translations, tests: Sequence[EvaluationSet], label: str, baselines: Baselines | None = None
) -> list[Result]:
    """Score somebody's translations; `label` says whose they are, under `hypotheses`."""
    results = []
    for test in tests:
        for (path, one), texts in translations.items():
            if path == test.path:
                scored = score(test, one, texts, (baselines or {}).get((path, one)))
                scored.report["hypotheses"] = label
                results.append(Result(test, scored, texts))
    return results


def described(report: Mapping[str, Any]) -> str:
    """A report for people: a line a figure, each with the interval that it has."""
    metric = metric_for(languages_of(report["direction"])[1])
    kept, cost, seen = report["numbers_kept"], report.get("cost"), report.get("training_overlap")
    system = (
        report.get("hypotheses") or f"{report['model_dir']} ({report['compute_type']}, beam {report['beam_size']})"
    )
    rows = {
        "model": system,
        "test file": f"{report['test_file']} ({report['direction']}, {report['sentences']} sentences)",
        "BLEU": _score_line(report["bleu"]),
        metric.name: _score_line(report[metric.name.lower()]),
        "exact": f"{report['exact']:6.1%}  {_share(report['exact_interval'])} equal a reference",
        "numbers kept": "no numbers in the source"
        if kept is None
        else f"{kept:6.1%}  {_share(report['numbers_kept_interval'])} of the sentences that have any",
    }
    for key, against in report.get("against_baseline", {}).items():
        low, high = against["interval"]
        rows[f"{key} change"] = (
            f"{against['difference']:+6.2f}  [{low:+.2f}, {high:+.2f}]  p = {against['p_value']:.3f}"
        )
    if seen:
        rows["trained on"] = f"{seen['pairs']} pairs, {max(seen['exact'].values())} of a side, of these sentences"
    if "sentences_per_second" in report:
        rows["speed"] = f"{report['sentences_per_second']:.1f} sentences a second"
    if cost:
        latency, memory = cost["latency_ms"], cost["peak_memory_mb"]
        rows["cost"] = (
            f"{cost['size_mb']:.1f} MB on disk, {memory or 'unknown'} MB at the peak, {cost['threads']} threads, "
            f"{latency['p50']:.1f} / {latency['p95']:.1f} / {latency['p99']:.1f} ms a sentence (p50 / p95 / p99)"
        )
    return "\n".join(f"{name:<13} {value}" for name, value in rows.items())


def _score_line(found: Score) -> str:
    low, high = found.get("interval", (found["score"], found["score"]))
    return f"{found['score']:6.2f}  [{low:.2f}, {high:.2f}]  {found['signature']}"


def _share(interval: Sequence[float]) -> str:
    return f"[{interval[0]:.1%}, {interval[1]:.1%}]"


def _spread(jobs: Sequence[tuple[EvaluationSet, Direction]], direction: Direction, most: int = 512) -> list[str]:
    """At most so many sources of a direction, evenly from all of its test sets."""
    sources = [source for test, one in jobs if one == direction for source in test.sources(one)]
    return sources[:: -(-len(sources) // most)]
