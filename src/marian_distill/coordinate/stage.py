"""Training on one shard after another as one run: weights, optimizer, schedule, patience and random state go on.

Each shard is trained from the last checkpoint of the one before, so that an undisturbed run and a resumed one do the
same. Where a run is, its last whole checkpoint says, which holds the cursor: nothing else could contradict it.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments, set_seed
from transformers.trainer_callback import ExportableState

from marian_distill.coordinate.parts import LOGITS, PAIRS, local_cache
from marian_distill.coordinate.plan import Plan
from marian_distill.errors import UserError
from marian_distill.training import runs
from marian_distill.training.arguments import resolved_options
from marian_distill.training.checkpoints import STATE, last_whole_checkpoint
from marian_distill.training.parsing import option_tokens
from marian_distill.training.resuming import ResumableTrainer

logger = logging.getLogger(__name__)

SHARD_CACHE = "cache"  # of `datasets`, in the shard's folder
# Of the report of a shard's data, where they are numbers.
COUNTED = ("examples", "samples", "tokens", "bytes", "left_out")
# Options whose values are the shard's, not the run's.
OF_THE_SHARD = ("dataset", "text", "teacher_cache", "data_seed", "max_steps")


@dataclass(frozen=True)
class Cursor:
    """Where in the plan a checkpoint is.

    Attributes:
        shard: that is trained on.
        first_step: steps that were made before it.
        steps: that the shard takes.
        counts: of what was trained on, this shard included, by what the data's report calls it.
    """

    shard: int = 0
    first_step: int = 0
    steps: int = 0
    counts: dict[str, int] = field(default_factory=dict)


class CursorCallback(TrainerCallback, ExportableState):
    """Puts the cursor into the checkpoints; saves and stops at the end of the shard.

    Args:
        cursor: of this training; the one that a checkpoint brings back is that of the training before.
    """

    def __init__(self, cursor: Cursor) -> None:
        self.now = cursor
        self.cursor = vars(cursor)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"args": {}, "attributes": {"cursor": self.cursor}}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the place of what the checkpoint brought back."""
        self.cursor = vars(self.now)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The last step of the shard is saved, whatever `save_steps` says."""
        if state.global_step >= self.now.first_step + self.now.steps:
            control.should_save = control.should_training_stop = True


def read_cursor(checkpoint: Path | None) -> tuple[Cursor, bool]:
    """The cursor of a checkpoint, and whether its shard is done; that of the first shard where there is none."""
    if checkpoint is None:
        return Cursor(), False
    state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    try:
        cursor = Cursor(**state["stateful_callbacks"][CursorCallback.__name__]["attributes"]["cursor"])
    except (KeyError, TypeError) as error:
        raise UserError(f"{checkpoint}: not a checkpoint of a coordinated run; choose another output_dir") from error
    return cursor, state["global_step"] >= cursor.first_step + cursor.steps


class Built(NamedTuple):
    """A trainer on a shard, and what the run's folder records."""

    trainer: ResumableTrainer
    arguments: Any
    report: dict[str, Any]
    fingerprints: dict[str, str]


class Kind(Protocol):
    """How a kind of student is trained: `kinds.PairStage`, `kinds.TextStage`."""

    def arguments(self, tokens: list[str], data: Sequence[Path], caches: Sequence[Path]) -> Any:
        """Options from the words of a command line and a shard's files."""
        ...

    def build(self, arguments: Any, plan: dict[str, Any] | None) -> Built:
        """A trainer; `plan` is the precision that the run began with."""
        ...

    def save(self, built: Built, staged: Path) -> None:
        """Save the trained model and its tokenizer into a folder."""
        ...

    def finish(self, directory: Path, staged: Path, options: dict[str, Any], run: dict[str, Any], log: Any) -> None:
        """Publish it: `runs.finish_run`."""
        ...


class Stage:
    """The training of a run: of its shards in their order.

    Args:
        kind: of the student.
        options: the section `training`.
        plan: of the shards.
        output_dir: the run's folder, as one stage of training leaves it.
        given: options that the coordinator fills in: direction, tokenizer_dir, temperature.
    """

    def __init__(
        self, kind: Kind, options: dict[str, Any], plan: Plan, output_dir: Path, given: dict[str, Any]
    ) -> None:
        self.kind, self.plan, self.output_dir = kind, plan, output_dir
        self.tokens = [
            token
            for key, value in {**given, **options}.items()
            for token in option_tokens(key.replace("-", "_"), value)
        ]
        self.tokens += [f"--output_dir={output_dir}", "--save_strategy=steps"]
        arguments = self.kind.arguments(self.tokens, [Path("shard")], [])  # a mistake is told before anything is made
        _check(arguments[2])
        self.longest = _longest(arguments[1])

    @property
    def finished(self) -> bool:
        """Whether the run has its model."""
        return runs.is_finished(self.output_dir)

    def next_shard(self) -> int:
        """The shard to be trained on next; after the last one, the last again, of which the end may be missing."""
        cursor, done = read_cursor(last_whole_checkpoint(self.output_dir))
        return min(cursor.shard + done, self.plan.shards - 1)

    def train(self, number: int, folders: Sequence[Path]) -> bool:
        """Train on a shard; whether the run goes on after it.

        Args:
            number: of the shard, `next_shard` or a later one where those before it had no pairs.
            folders: of its parts.

        Raises:
            Stopped: the run was asked to stop; the checkpoint has its place in the shard.
        """
        folders = [folder for folder in folders if (folder / PAIRS).stat().st_size]
        caches = [folder / LOGITS for folder in folders if (folder / LOGITS).is_dir()]
        data = [folder / PAIRS for folder in folders if not caches or folder / LOGITS in caches]
        last = number == self.plan.shards - 1
        if not data:
            if last:
                raise UserError(f"shard {number}: no pairs are left, and it is the last shard; give larger shards")
            logger.warning("shard %d: no pairs are left", number)
            return True
        checkpoint = last_whole_checkpoint(self.output_dir)
        with local_cache(folders[0].parent / SHARD_CACHE):
            arguments = self.kind.arguments(self.tokens, data, caches)
            arguments[2].data_seed = arguments[2].seed + number
            set_seed(arguments[2].seed)
            options = self._options(arguments)
            runs.open_output_dir(self.output_dir, options, overwrite=False)
            began_in = runs.recorded(self.output_dir, runs.PLAN) if checkpoint else None
            built = self.kind.build(arguments, began_in)
            cursor = self._place(built, number, checkpoint)
            options[runs.PLAN] = built.trainer.plan.as_dict()  # pyright: ignore[reportAttributeAccessIssue]
            runs.start_run(self.output_dir, options, built.fingerprints, checkpoint=checkpoint, overwrite=False)
            trained = built.trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            if not (last or built.trainer.out_of_patience()):
                return True
            if not last:
                logger.info("no better for %d evaluations: the run ends", arguments[2].early_stopping_patience)
            self._finish(built, options, trained.metrics, cursor.counts)
        return False

    def _options(self, arguments: Any) -> dict[str, Any]:
        """What options.json holds: the plan's corpora in the place of the shard's files."""
        options = resolved_options(arguments)
        options |= {name: None for name in OF_THE_SHARD if name in options}
        names = [record["name"] for record in self.plan.record["corpora"]]
        return options | {"dataset" if "dataset" in options else "text": names}

    def _place(self, built: Built, number: int, checkpoint: Path | None) -> Cursor:
        """Tell the trainer where in the plan it is, and how many steps there will be in all.

        The steps of later shards are estimated by those so far; at the last shard the number is exact.
        """
        before, _ = read_cursor(checkpoint)
        is_new, trainer = before.shard < number, built.trainer
        first = before.first_step + (before.steps if is_new else 0)
        counts = {name: value for name in COUNTED if isinstance(value := built.report.get(name), int)}
        if is_new:
            counts = {name: value + before.counts.get(name, 0) for name, value in counts.items()}
        sampler: Any = trainer.train_sampler()  # pyright: ignore[reportAttributeAccessIssue]
        steps = -(-len(sampler) // trainer.args.gradient_accumulation_steps)
        so_far, rows = first + steps, self.plan.rows_through(number)
        trainer.first_step = first
        trainer.args.max_steps = so_far + round(so_far / rows * (self.plan.rows_in_all - rows))
        cursor = Cursor(number, first, steps, counts if is_new or checkpoint is None else before.counts)
        trainer.add_callback(CursorCallback(cursor))
        return cursor

    def _finish(self, built: Built, options: dict[str, Any], metrics: dict[str, Any], counts: dict[str, int]) -> None:
        trainer: Any = built.trainer
        if trainer.eval_dataset is not None:
            metrics = {**metrics, **trainer.evaluate()}
        staged = self.output_dir / runs.STAGED
        self.kind.save(built, staged)
        rows = {record["name"]: record["rows"] for record in self.plan.record["corpora"]}
        pairs = built.report.get("samples") or built.report["examples"]  # of this shard, which stands for all
        a_pair = trainer.train_sampler().tokens_in_all() / pairs
        report = {**built.report, **counts, "sources": rows, "plan": self.plan.record, "tokens_a_pair": a_pair}
        run = {"metrics": metrics, **trainer.summary(), "data": report, "teacher_init": None}
        self.kind.finish(self.output_dir, staged, options, run, trainer.state.log_history)


def _longest(data: Any) -> int:
    """Tokens of the longest example that training takes."""
    if hasattr(data, "packed_length"):
        return data.packed_length
    return max(data.max_source_length, data.max_target_length)


def _check(training: Any) -> None:
    """`UserError` for what one run over many shards cannot have."""
    if training.hard_example_share or training.average_checkpoints:
        raise UserError("training: --hard-example-share and --average-checkpoints need the whole corpus at once")
    for name in ("eval_strategy", "logging_strategy"):
        if str(getattr(training, name).value) == "epoch":
            raise UserError(f"training: {name}: epoch; a run over shards has steps alone, or no")
    if training.save_total_limit == 1:
        raise UserError("training: save_total_limit 1 leaves no checkpoint to go on from; give 2 or more")
    if training.world_size > 1:
        raise UserError("a coordinated run trains in one process; start it without torchrun or accelerate launch")
