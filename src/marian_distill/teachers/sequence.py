"""Sequence-level distillation: a corpus whose target side is what the teacher says.

Kim & Rush 2016, "Sequence-Level Knowledge Distillation", https://aclanthology.org/D16-1139/: the student trains on the
teacher's own translations (section 3.2), or on the one of its n best that is closest to the reference (section 3.3).
The corpus is translated shard by shard; a finished shard is not translated again. Its rows are labelled `forward:` and
their source's label, so that a share of a source, by which they were drawn already, does not thin them again.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from sacrebleu.metrics.chrf import CHRF

from marian_distill.errors import UserError
from marian_distill.files import atomic_path, read_json_object, write_json
from marian_distill.languages import CHRF_WORD_ORDER, Direction, Language, languages_of
from marian_distill.locks import InUseError, folder_lock
from marian_distill.teachers.filters import first_fault
from marian_distill.teachers.judges import Judge, JudgeName
from marian_distill.text.cleaning import Limits, first_reason
from marian_distill.text.numbers import numbers_kept

REPORT, UNFINISHED = "forward_translation.json", ".unfinished"
DROPPED, COUNTS = "dropped", "forward_translation"
LABEL = "forward:"
PART = ".part.jsonl"  # of a shard that is being translated
CHUNK_ROWS = 512  # kept at once: what a stop may cost
SCHEMA = pa.schema(
    [
        ("translation", pa.struct([("en", pa.string()), ("zh", pa.string())])),
        ("source", pa.string()),
        ("origin", pa.string()),  # "teacher" or "reference"
        ("score", pa.float32()),  # mean log-probability a token of what the teacher said; none when it was cut
        ("quality", pa.float32()),  # what the judge says of it (`teachers.judges`); none without one
        ("rejected", pa.string()),  # why it was not taken; "" when it was
    ]
)


class Hypothesis(NamedTuple):
    """One of the teacher's translations, its mean log-probability a token, what the judge says of it; where known."""

    text: str
    score: float | None
    quality: float | None = None


class Teacher(Protocol):
    """A translator that gives its n best (`CTranslate2Translator`, `llm.teacher.TextTeacher`)."""

    direction: Direction

    def translate_n_best(
        self, texts: Sequence[str], count: int, *, finished: bool = False
    ) -> Sequence[Sequence[tuple[str, float | None]]]:
        """For each text its best translations with their mean log-probabilities a token, where known, best first.

        `finished`: without those that met the output bound, hence perhaps none.
        """
        ...


@dataclass(frozen=True)
class Policy:
    """Which hypothesis is taken, and when the reference stays instead.

    Args:
        n_best: hypotheses asked for; at most the beam size.
        choose: the likeliest (`score`), the one closest to the reference (`closeness`) by sentence
            chrF++, in Chinese chrF, or the one that a judge of that name finds best.
        min_score: least mean log-probability a token.
        min_quality: least that the judge may say; None for no limit.
        max_repeats: most times in a row that a word (Chinese: up to four characters) may be said.
        keep_numbers: reject a hypothesis that lost a number of its source.
        rejected: what becomes of a row whose hypothesis is rejected: `keep` its reference, or `drop` it.
    """

    n_best: int = 1
    choose: Literal["score", "closeness"] | JudgeName = "score"
    min_score: float = -100.0
    min_quality: float | None = None
    max_repeats: int = 3
    keep_numbers: bool = True
    rejected: Literal["keep", "drop"] = "keep"


class Row(NamedTuple):
    """A pair of the corpus that comes out."""

    translation: dict[str, str]
    source: str
    origin: str
    score: float | None
    quality: float | None
    rejected: str


def choose(hypotheses: Sequence[Hypothesis], reference: str, by: str, language: Language) -> Hypothesis:
    """The hypothesis that is taken; `language` is theirs."""
    if by == "closeness":
        chrf = CHRF(word_order=CHRF_WORD_ORDER[language])
        return max(hypotheses, key=lambda one: chrf.sentence_score(one.text, [reference]).score)
    return max(hypotheses, key=lambda one: _known(one.score if by == "score" else one.quality))


def _known(score: float | None) -> float:
    return -math.inf if score is None else score


def reason_to_reject(english: str, chinese: str, source: str, hypothesis: Hypothesis, policy: Policy) -> str:
    """Name of the first filter that the pair with the teacher's side does not pass; "" when it passes all."""
    language: Language = "en" if source == chinese else "zh"
    if reason := first_reason(english, chinese, Limits()) or first_fault(source, hypothesis.text, language):
        return reason
    if repeats(hypothesis.text) > policy.max_repeats:
        return "repetition"
    if policy.keep_numbers and not numbers_kept(source, hypothesis.text):
        return "number_lost"
    if policy.min_quality is not None and _known(hypothesis.quality) < policy.min_quality:
        return "low_quality"
    return "low_score" if hypothesis.score is not None and hypothesis.score < policy.min_score else ""


def repeats(text: str) -> int:
    """How often in a row the most repeated word is said; of Chinese, a run of up to four characters."""
    words = text.lower().split()
    most = _longest_run(words)
    characters = re.findall(r"\d[\d.,]*|\S", text)  # a number is one
    for size in range(1, 5):
        for start in range(size):
            runs = ["".join(characters[at : at + size]) for at in range(start, len(characters) - size + 1, size)]
            # One character may be said thrice and more by right: 哈哈哈哈, ......
            most = max(most, _longest_run(runs) // (4 if size == 1 else 1))
    return most


def _longest_run(items: Sequence[str]) -> int:
    longest = run = 0
    previous = None
    for item in items:
        run = run + 1 if item == previous else 1
        previous, longest = item, max(longest, run)
    return longest


def translate_rows(
    teacher: Teacher, rows: Sequence[dict[str, str]], policy: Policy, judge: Judge | None = None
) -> Iterator[Row]:
    """Rows of a corpus (`en`, `zh`, `source`) with the teacher's target side, or their own where it is rejected."""
    source, target = languages_of(teacher.direction)
    texts = [row[source] for row in rows]
    for row, hypotheses in zip(rows, _judged(teacher, texts, policy, judge), strict=True):
        label = LABEL + row["source"]
        if hypotheses:
            hypothesis = choose(hypotheses, row[target], policy.choose, target)
            taught = {source: row[source], target: hypothesis.text}
            reason = reason_to_reject(taught["en"], taught["zh"], row[source], hypothesis, policy)
            numbers = hypothesis.score, hypothesis.quality
        else:  # half a sentence; with `</s>` after it a student would learn to stop there
            taught, reason, numbers = {}, "cut", (None, None)
        if not reason:
            yield Row(taught, label, "teacher", *numbers, "")
        elif policy.rejected == "keep":
            yield Row({"en": row["en"], "zh": row["zh"]}, label, "reference", *numbers, reason)
        else:
            yield Row({}, label, DROPPED, *numbers, reason)


def _judged(teacher: Teacher, texts: Sequence[str], policy: Policy, judge: Judge | None) -> Iterator[list[Hypothesis]]:
    """What the teacher says of each text, with the judge's word on it."""
    found = teacher.translate_n_best(texts, policy.n_best, finished=True)
    if judge is None:
        yield from ([Hypothesis(*one) for one in several] for several in found)
        return
    qualities = judge(texts, [[text for text, _ in several] for several in found])
    for several, said in zip(found, qualities, strict=True):
        yield [Hypothesis(*one, quality) for one, quality in zip(several, said, strict=True)]


def check_new(output_dir: Path) -> None:
    """Refuse to translate into a folder that is there already."""
    if output_dir.exists():
        raise UserError(f"{output_dir}: exists; remove it or choose another --output-dir")


def forward_translate(
    teacher: Teacher,
    corpus: datasets.Dataset,
    output_dir: Path,
    policy: Policy,
    provenance: dict[str, Any],
    *,
    judge: Judge | None = None,
    shard_rows: int = 10_000,
    chunk_rows: int = CHUNK_ROWS,
    rank: int = 0,
    processes: int = 1,
    on_rows: Callable[[int], object] = lambda _: None,
) -> dict[str, Any] | None:
    """Translate a corpus into a folder of Parquet that `load_parallel` reads, a file a shard.

    Shards are written to `output_dir`.unfinished, which becomes `output_dir` when the last one is there. Given again
    after an interruption, only what is missing is translated: whole shards, and what had been done of the last one.

    Args:
        teacher: gives its n best.
        corpus: columns `en`, `zh`, `source`.
        output_dir: must not exist.
        policy: what is taken of what the teacher says.
        provenance: how the corpus came to be, for the report; another one than the unfinished folder's is refused.
        judge: says how good translations are, where `policy.choose` names one.
        shard_rows: rows a shard.
        chunk_rows: rows kept at once; texts of like length are looked for among them.
        rank, processes: this process does every `processes`-th shard from `rank` on.
        on_rows: called with the number of rows done, also those of finished shards.

    Returns:
        The report, once all shards of all processes are there; else None.
    """
    check_new(output_dir)
    folder = output_dir.with_name(output_dir.name + UNFINISHED)
    shards = -(-len(corpus) // shard_rows)
    settings = {**provenance, "policy": asdict(policy), "rows": len(corpus), "shard_rows": shard_rows}
    settings["direction"] = teacher.direction
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / REPORT).is_file():
        write_json(folder / REPORT, settings)
    there = read_json_object(folder / REPORT)  # with counts where a kill came before the last rename
    if {name: there.get(name) for name in settings} != json.loads(json.dumps(settings)):
        raise UserError(f"{folder}: holds shards made with other options; remove it, or give those options")
    files = [folder / f"train-{shard:05d}-of-{shards:05d}.parquet" for shard in range(shards)]
    for shard in range(rank, shards, processes):
        rows = corpus.select(range(shard * shard_rows, min((shard + 1) * shard_rows, len(corpus))))
        if files[shard].is_file():
            on_rows(len(rows))
        else:
            translate = partial(translate_rows, teacher, policy=policy, judge=judge)
            _write_shard(
                files[shard], _translated(files[shard].with_suffix(PART), translate, rows, chunk_rows, on_rows)
            )
        files[shard].with_suffix(PART).unlink(missing_ok=True)
    return _finish(folder, output_dir, settings, files)


def _translated(
    part: Path,
    translate: Callable[[list[dict[str, str]]], Iterator[Row]],
    rows: datasets.Dataset,
    chunk_rows: int,
    on_rows: Callable[[int], object],
) -> Iterator[Row]:
    """Rows with the teacher's side; those that stand in `part`, a JSON line each, were translated before a stop."""
    part.touch()
    with part.open("r+", encoding="utf-8", newline="\n") as stream:
        done = [line for line in stream.readlines() if line.endswith("\n")]
        done = done[: len(done) // chunk_rows * chunk_rows]  # so that a row shares its batch with the same rows
        stream.seek(0)
        stream.truncate()
        stream.writelines(done)
        on_rows(len(done))
        yield from (Row(**json.loads(line)) for line in done)
        for first in range(len(done), len(rows), chunk_rows):
            chunk = rows.select(range(first, min(first + chunk_rows, len(rows)))).to_list()
            translated = list(translate(chunk))
            stream.writelines(json.dumps(row._asdict()) + "\n" for row in translated)
            stream.flush()
            on_rows(len(chunk))
            yield from translated


def _finish(folder: Path, output_dir: Path, settings: dict[str, Any], files: list[Path]) -> dict[str, Any] | None:
    """Put the folder in place with its report, when every shard is there and no other process does it."""
    if not all(file.is_file() for file in files):
        return None  # another process has some to do
    try:
        with folder_lock(output_dir):
            if not folder.is_dir():
                return None  # another process was the last as well, and quicker
            report = {**settings, **_counts(files)}
            write_json(folder / REPORT, report)
            folder.rename(output_dir)
    except InUseError:
        return None
    return report


def _write_shard(path: Path, rows: Iterator[Row]) -> None:
    """The rows that stay, and in the file's metadata the counts of all."""
    origins: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    kept = []
    for row in rows:
        origins[row.origin] += 1
        if row.rejected:
            rejected[row.rejected] += 1
        if row.origin != DROPPED:
            kept.append(row._asdict())
    counts = json.dumps({"origins": origins, "rejected": rejected})
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(kept, schema=SCHEMA.with_metadata({COUNTS: counts})), temporary)


def _counts(files: Sequence[Path]) -> dict[str, dict[str, int]]:
    sums: dict[str, Counter[str]] = {"origins": Counter(), "rejected": Counter()}
    for file in files:
        for kind, counts in json.loads((pq.read_schema(file).metadata or {})[COUNTS.encode()]).items():
            sums[kind].update(counts)
    return {kind: dict(counts) for kind, counts in sums.items()}
