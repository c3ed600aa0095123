"""How many bytes a token does a teacher cache need, and what does a step cost that learns from it?

    uv run benchmarks/logit_cache.py --teacher-model outputs/my-teacher --student-model outputs/my-student \\
        --dataset HELD_OUT.tsv

Prints, for each kind and size, bytes a token on the disk and the loss of the student (its divergence from the teacher)
as a share of the loss from the whole distribution. Draws are made with several seeds: the table has the mean and the
spread. Then the processor's time of a training step from a cache as a share of one from labels alone.
"""

import time
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import run_command
from marian_distill.pieces import SentencePieceTokenizer

# Kind, pieces, and how many of these are not drawn.
KINDS = (
    *(("top-k", k, 0) for k in (1, 4, 8, 16, 32)),
    *(("random", k, 0) for k in (8, 12, 16)),
    *(("random", k, exact) for k, exact in ((8, 4), (9, 3), (10, 2), (12, 3), (16, 4))),
)
KEY_BYTES = 12  # a row's key and length
STEP_ROWS = 128  # of the batch whose steps are timed


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--teacher-model", required=True, help="a folder of an encoder-decoder")
    parser.add_argument("--student-model", required=True, help="a folder with the same tokenizer, partly trained")
    parser.add_argument("--dataset", required=True, help="parallel text that neither was trained on")
    parser.add_argument("--direction", choices=("en-zh", "zh-en"), default="en-zh")
    parser.add_argument("--max-samples", type=at_least(1), default=256, help="pairs (default: %(default)s)")
    parser.add_argument("--temperature", type=between(0.01, 100), nargs="+", default=[1.0, 2.0])
    parser.add_argument("--seeds", type=at_least(1), default=5, help="of the draws (default: %(default)s)")
    parser.add_argument("--rounds", type=at_least(1), default=15, help="steps that are timed (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.students.kinds import kind_of
    from marian_distill.students.loading import load_student

    pieces = SentencePieceTokenizer(arguments.teacher_model)
    examples = examples_of(arguments, pieces)
    teacher, student = (load_student(name) for name in (arguments.teacher_model, arguments.student_model))
    logits, said = (logits_of(model, examples, pieces) for model in (teacher, student))
    print(f"{len(logits):,} target tokens of {len(examples)} pairs, {len(pieces.vocabulary):,} pieces\n")
    print("| temperature | kind | k | exact | bytes a token | loss ÷ whole | spread | different pieces |")
    print("|---|---|---|---|---|---|---|---|")
    for temperature in arguments.temperature:
        for line in measured(logits, said, temperature, KEY_BYTES * len(examples) / len(logits), arguments.seeds):
            print(line, flush=True)
    rows = [{"input_ids": one.source, "labels": one.target} for one in examples[:STEP_ROWS]]
    batch = kind_of(student.config.model_type).collator(pieces)(rows)
    share = step_cost(student.train(), batch, logits[: len(batch["scored"])], arguments.rounds)
    print(f"\na step from a cache takes {share:.2f} × the processor's time of one from labels alone")


def examples_of(arguments: Namespace, pieces: SentencePieceTokenizer) -> list[Any]:
    """The first pairs of the text, as a teacher is given them."""
    from marian_distill.teachers.online import pair_examples
    from marian_distill.text.corpus import CorpusSource, load_parallel
    from marian_distill.text.tokenization import tokenize_parallel

    corpus = load_parallel(CorpusSource(arguments.dataset))
    corpus = corpus.select(range(min(arguments.max_samples, len(corpus))))
    return list(pair_examples(tokenize_parallel(corpus, pieces, arguments.direction, tagged=False), tagged=False))


@torch.no_grad()
def logits_of(model: Any, examples: list[Any], pieces: SentencePieceTokenizer) -> Tensor:
    """Of all target tokens, [tokens, vocabulary]."""
    from marian_distill.students.kinds import kind_of
    from marian_distill.teachers.online import PairTeacher

    speaker = PairTeacher(model, kind_of(model.config.model_type).collator(pieces))
    return torch.cat([speaker.logits(examples[first : first + 32]) for first in range(0, len(examples), 32)])


def measured(teacher: Tensor, student: Tensor, temperature: float, key_bytes: float, seeds: int) -> Iterator[str]:
    """Rows of the table for one temperature."""
    from marian_distill.training.divergences import divergence

    whole, _ = divergence("forward", 0, student.clone(), teacher.clone(), temperature)
    for kind, k, exact in KINDS:
        found = [kept_loss(kind, k, exact, teacher, student, temperature, seed) for seed in range(seeds)]
        shares = [loss / float(whole) for loss, _, _ in found]
        spread = f"± {100 * np.std(shares, ddof=1):.1f} %" if kind == "random" and seeds > 1 else ""
        _, size, unique = found[0]
        yield (
            f"| {temperature:g} | {kind} | {k} | {exact or ''} | {size + key_bytes:.1f} "
            f"| {100 * np.mean(shares):.1f} % | {spread} | {unique:.1f} |"
        )


def kept_loss(
    kind: str, k: int, exact: int, teacher: Tensor, student: Tensor, temperature: float, seed: int
) -> tuple[float, float, float]:
    """KL(teacher‖student) from what a cache keeps, summed; bytes a token; different pieces a token."""
    from marian_distill.teachers.cache import packed_ids
    from marian_distill.teachers.distributions import keep
    from marian_distill.training.cached import as_targets
    from marian_distill.training.divergences import cached_divergence

    numbers = np.random.default_rng(seed).random(len(teacher))
    kept = keep(kind, k, exact, temperature, teacher, numbers)  # pyright: ignore[reportArgumentType]
    size = (packed_ids(kept.ids, teacher.shape[1]).nbytes + kept.values.nbytes) / len(teacher)
    targets = as_targets(kind, kept.ids, kept.values, np.ones(len(teacher), dtype=bool), k)  # pyright: ignore
    values, _ = cached_divergence("forward", student.clone(), targets, temperature)
    unique = float(np.mean([len(set(row)) for row in kept.ids.tolist()]))
    return float(values.sum()), size, unique


def step_cost(student: Any, batch: Any, teacher: Tensor, rounds: int) -> float:
    """The processor's time of a step from what a cache keeps, unpacked on the way, ÷ that of one from labels alone."""
    from marian_distill.teachers.cache import packed_ids, unpacked_ids
    from marian_distill.teachers.distributions import keep
    from marian_distill.training.cached import as_targets
    from marian_distill.training.losses import DistillationLoss, projection_loss

    k, vocabulary, taught = 9, teacher.shape[1], np.ones(len(teacher), dtype=bool)
    kept = keep("random", k, 3, 2.0, teacher, np.linspace(0, 1, len(teacher), endpoint=False))
    packed = packed_ids(kept.ids, vocabulary)

    def step(cached: bool) -> float:
        start = time.process_time()
        targets, settings = None, DistillationLoss()
        if cached:
            targets = as_targets("random", unpacked_ids(packed, k, vocabulary), kept.values, taught, k)
            settings = DistillationLoss(0.5, 2.0)
        sums = student(**batch, objective=partial(projection_loss, settings), teacher=targets)
        sums.loss.backward()
        student.zero_grad()
        return time.process_time() - start

    step(True)
    times = np.array([[step(False), step(True)] for _ in range(rounds)])  # in turns: a busy machine slows both
    return float(np.median(times[:, 1]) / np.median(times[:, 0]))


if __name__ == "__main__":
    run_command(main)
