"""A corpus larger than the disk: make a shard's labels or logits, train on it, delete it, take the next.

While one shard is trained on, the next may be made; more than two are never on the disk. Killed anywhere, the same
call goes on: training from its last checkpoint, which knows its shard, making with the first part that is missing.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from marian_distill.coordinate.making import Between, MakePart, Maker, beside
from marian_distill.coordinate.plan import Plan, PlanRecord, ShardFolder, keep_plan, known_corpora
from marian_distill.coordinate.settings import Settings
from marian_distill.errors import UserError
from marian_distill.text.ranges import Corpora

if TYPE_CHECKING:
    from marian_distill.coordinate.stage import Stage

logger = logging.getLogger(__name__)

PLAN_FILE, SHARDS, EXPORT = "plan.json", "shards", "export"


class Trains(Protocol):
    """What is trained, shard by shard: `stage.Stage`."""

    def next_shard(self) -> int:
        """The shard to be trained on next, by what is on the disk."""
        ...

    def train(self, number: int, folders: Sequence[Path]) -> bool:
        """Train on a shard; whether the run goes on after it."""
        ...


def coordinate(shards: ShardFolder, maker: Maker, trains: Trains, on_shard: Callable[[int], object]) -> None:
    """Make, train on and delete all shards that are left.

    Args:
        shards: where they lie.
        maker: makes them.
        trains: learns from them.
        on_shard: called with the number of each that is about to be trained on.
    """
    for number in range(trains.next_shard(), shards.plan.shards):
        shards.keep_only([number, number + 1])
        if shards.missing(number):
            maker.finish(number)
        if number + 1 < shards.plan.shards:
            maker.begin(number + 1)
        on_shard(number)
        if not trains.train(number, shards.part_folders(number)):
            break
    shards.keep_only([])


def run(settings: Settings) -> Path:
    """The whole run of a YAML: plan, tokenizer, shards, training, export; the exported folder.

    Raises:
        UserError: a mistake in the YAML, another plan than the run began with, no such teacher or corpus.
        Stopped: the run was asked to stop.
    """
    settings.prepare_prompt()
    plan = planned(settings)
    rows, shard_rows = f"{plan.rows_in_all:,}", f"{plan.record['shard_rows']:,}"
    logger.info("%s rows, %d shards of %s", rows, plan.shards, shard_rows)
    prepare_tokenizer(settings)
    stage = stage_of(settings, plan)
    if not stage.finished:
        shards = ShardFolder(settings.output_dir / SHARDS, plan)
        with maker_of(settings, plan, shards) as maker:
            coordinate(
                shards, maker, stage, lambda number: logger.info("shard %d of %d: training", number + 1, plan.shards)
            )
    return export(settings)


def planned(settings: Settings) -> Plan:
    """The plan of a YAML, which the run's folder keeps; a corpus that is the same as before is not counted again."""
    path = settings.output_dir / PLAN_FILE
    corpora = Corpora(settings.corpus["dataset"], settings.corpus.get("dataset_config", "en-zh"))
    cut = settings.shards
    record = PlanRecord(
        corpora=corpora.records(known_corpora(path)),
        shard_rows=cut["rows"],
        part_rows=min(cut["part_rows"], cut["rows"]),
        passes=cut["passes"],
        made_with=settings.made_with(),
    )
    settings.output_dir.mkdir(parents=True, exist_ok=True)
    keep_plan(path, record)
    return Plan(record)


def part_maker(settings: Settings, plan: Plan) -> MakePart:
    """What fills a part of this run's shards."""
    from marian_distill.coordinate.parts import PartMaker

    longest = stage_of(settings, plan).longest
    return PartMaker(
        plan.record["corpora"],
        settings.corpus.get("dataset_config", "en-zh"),
        settings.labels(),
        settings.logits(longest),
    ).make


@contextlib.contextmanager
def maker_of(settings: Settings, plan: Plan, shards: ShardFolder) -> Iterator[Maker]:
    """Who makes the shards, as `shards.make` of the YAML says."""
    how = settings.shards["make"]
    if how == "between":
        loaded: list[MakePart] = []

        def make(part: Any, folder: Path) -> None:
            if not loaded:
                loaded.append(part_maker(settings, plan))
            loaded[0](part, folder)

        yield Between(shards, make)
    elif how == "beside":
        command = [sys.executable, "-m", "marian_distill.coordinate.making", str(settings.path)]
        with beside(command) as maker:
            yield maker
    else:
        from marian_distill.coordinate.ray_workers import ray_maker

        with ray_maker(settings, plan, shards) as maker:
            yield maker


def stage_of(settings: Settings, plan: Plan) -> "Stage":
    """The training of a YAML; it may have begun already."""
    from marian_distill.coordinate.kinds import PairStage, TextStage
    from marian_distill.coordinate.stage import Stage

    options = settings.values["training"]
    given: dict[str, Any] = {"direction": settings.direction, "tokenizer_dir": settings.tokenizer_dir}
    if settings.is_language_model:
        given |= {"packed_length": 256, "continuation_tokens": 0}
    if settings.learns_from_logits:
        given |= {"alpha_ce": 0.5, "temperature": settings.values["logits"].get("temperature", 2.0)}
    kind = TextStage() if settings.is_language_model else PairStage()
    stage = Stage(kind, options, plan, settings.model_dir, given)
    if settings.learns_from_logits and {**given, **options}["alpha_ce"] == 1:
        raise UserError(
            f"{settings.path}: training: alpha_ce 1 learns nothing from logits; lower it, or remove logits"
        )
    return stage


def prepare_tokenizer(settings: Settings) -> None:
    """Trim the teacher's tokenizer to the first sentences of the corpus, where the YAML asks for it."""
    section = settings.values.get("tokenizer", {})
    if "vocab_size" not in section:
        return
    from marian_distill.files import atomic_directory
    from marian_distill.text.byte_bpe import KIND
    from marian_distill.text.trimming import trim_byte_bpe
    from marian_distill.tokenizer_file import FILE, TokenizerFile
    from marian_distill.training.caching import teacher_folder

    folder = Path(str(settings.tokenizer_dir))
    if (folder / FILE).is_file():
        return
    corpora = Corpora(settings.corpus["dataset"], settings.corpus.get("dataset_config", "en-zh"))
    corpora.records(known_corpora(settings.output_dir / PLAN_FILE))
    rows = corpora.read(0, section.get("sentences", 500_000))
    texts = [text for row in rows for text in (row["en"], row["zh"])]
    with teacher_folder(settings.values["teacher"]) as teacher, atomic_directory(folder, KIND) as new:
        trimmed = trim_byte_bpe(TokenizerFile(teacher), texts, new, section["vocab_size"])
    longer = 100 * (trimmed.tokens_after / max(trimmed.tokens_before, 1) - 1)
    logger.info("tokenizer: %s tokens, text is %.1f %% longer in them", f"{len(trimmed.kept):,}", longer)


def export(settings: Settings) -> Path:
    """Export the trained model for CTranslate2; a folder that is there is of this run."""
    folder = settings.output_dir / EXPORT
    if folder.is_dir():
        return folder
    quantization = settings.values.get("export", {}).get("quantization", "int8")
    if settings.is_language_model:
        from marian_distill.export.language_model import export_language_model

        exported: Any = export_language_model(settings.model_dir, folder, quantization)
    else:
        from marian_distill.export.ctranslate2 import export_model
        from marian_distill.export.parity import SENTENCES

        pairs = list(zip(*SENTENCES.values(), strict=True))
        exported = export_model(settings.model_dir, folder, quantization, pairs)
    logger.info("exported %s: %s, %.2f MB", folder, quantization, exported["megabytes"])
    return folder
