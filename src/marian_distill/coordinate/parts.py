"""How a part of a shard is made: rows of the corpus → translations → logits. Every kind of worker runs this."""

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, TypedDict

from datasets import config

from marian_distill.coordinate.plan import Part
from marian_distill.files import remove, write_json
from marian_distill.teachers.cache import write_cache
from marian_distill.text.cleaning import Limits, first_reason
from marian_distill.text.ranges import Corpora, CorpusRecord, Row

PAIRS, LOGITS, REPORT = "pairs.jsonl", "logits", "part.json"


class PartReport(TypedDict):
    """part.json: what became of a part's rows, and what they cost.

    `rejected` counts why rows were left out, or kept their own translation; seconds are of labels and of logits.
    """

    rows: int
    pairs: int
    rejected: dict[str, int]
    tokens: int
    label_seconds: float
    logit_seconds: float


class PartMaker:
    """Makes parts; a teacher is loaded when the first one needs it.

    Args:
        records: of the plan.
        dataset_config: of corpora on the hub.
        labels: options of scripts/forward_translate.py; None: the corpus has the translations.
        logits: options of scripts/cache_teacher_logits.py; None: there are none.
    """

    def __init__(
        self, records: list[CorpusRecord], dataset_config: str, labels: Namespace | None, logits: Namespace | None
    ) -> None:
        self.corpora = Corpora([record["name"] for record in records], dataset_config)
        self.corpora.records(records)
        self.labels, self.logits = labels, logits
        self._translate: Any = None
        self._source: Any = None

    def make(self, part: Part, folder: Path) -> None:
        """Fill a part's folder: pairs.jsonl, logits/ where there are any, part.json."""
        rejected: Counter[str] = Counter()
        self._load()
        begun = perf_counter()
        pairs = list(self._pairs(list(self.corpora.read(part.first, part.rows)), rejected))
        labelled = perf_counter()
        with (folder / PAIRS).open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
        tokens = self._write_logits(folder) if pairs and self.logits is not None else 0
        report = PartReport(
            rows=part.rows,
            pairs=len(pairs),
            rejected=dict(rejected),
            tokens=tokens,
            label_seconds=labelled - begun,
            logit_seconds=perf_counter() - labelled,
        )
        write_json(folder / REPORT, report)

    def _load(self) -> None:
        if self.labels is not None and self._translate is None:
            self._translate = _translator(self.labels)
        if self.logits is not None and self._source is None:
            from marian_distill.training.caching import open_source

            self._source = open_source(self.logits)

    def _pairs(self, rows: list[Row], rejected: Counter[str]) -> Iterator[dict[str, Any]]:
        """Pairs to learn from: clean rows, none twice, with the teacher's side where it has one."""
        seen: set[tuple[str, str]] = set()
        clean = []
        for row in rows:
            pair = row["en"].strip(), row["zh"].strip()
            reason = "duplicate" if pair in seen else first_reason(row["en"], row["zh"], Limits())
            if reason:
                rejected[reason] += 1
            else:
                seen.add(pair)
                clean.append(row)
        if self.labels is None:
            yield from clean
            return
        from marian_distill.teachers.sequence import DROPPED

        size = self.labels.chunk_rows
        for first in range(0, len(clean), size):
            for row in self._translate(clean[first : first + size]):
                if row.rejected:
                    rejected[row.rejected] += 1
                if row.origin != DROPPED:
                    pair = row._asdict()
                    yield {**pair.pop("translation"), **{key: value for key, value in pair.items() if value}}

    def _write_logits(self, folder: Path) -> int:
        """Write what the teacher says of each target token of the part's pairs; how many tokens there are."""
        from marian_distill.training.caching import work_on

        assert self.logits is not None  # noqa: S101 (the caller asked)
        with local_cache(folder / "cache"):
            work = work_on(self._source, self.logits, [str(folder / PAIRS)])
            examples = list(work.examples)
            if not examples:  # all are too long
                return 0
            manifest = write_cache(folder / LOGITS, work.settings, examples, work.speak)
        return sum(record["tokens"] for record in manifest["shards"].values())


def _translator(labels: Namespace) -> Any:
    from marian_distill.teachers.labelling import judge_and_policy, teacher_of
    from marian_distill.teachers.sequence import translate_rows

    teacher, _ = teacher_of(labels)
    judge, policy = judge_and_policy(labels, teacher.direction)
    return lambda rows: list(translate_rows(teacher, rows, policy, judge))


@contextmanager
def local_cache(folder: Path) -> Iterator[None]:
    """Let `datasets` keep what it writes in a folder that goes when the block ends: a shard is soon deleted."""
    before = config.HF_DATASETS_CACHE
    config.HF_DATASETS_CACHE = folder
    try:
        yield
    finally:
        config.HF_DATASETS_CACHE = before
        if folder.is_dir():
            remove(folder)
