"""How many bytes a token does a teacher cache need? Kinds and sizes against the whole distribution, on one student.

    uv run benchmarks/logit_cache.py --teacher-model outputs/my-teacher --student-model outputs/my-student \\
        --dataset HELD_OUT.tsv

Prints a table: bytes a token on the disk; the loss of the student from the cache as a share of the loss from the whole
distribution; how far the gradient (by the student's logits, summed over the tokens) is from the whole one's. Draws are
made with several seeds: the table has the mean and the spread of their loss.
"""

from argparse import Namespace
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import run_command

KINDS = (
    *(("top-k", k) for k in (1, 2, 4, 6, 7, 8, 16, 32)),
    *(("random", k) for k in (4, 8, 12, 16, 24)),
)
KEY_BYTES = 12  # a row's key and length


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--teacher-model", required=True, help="a folder of an encoder-decoder")
    parser.add_argument("--student-model", required=True, help="a folder with the same tokenizer, partly trained")
    parser.add_argument("--dataset", required=True, help="parallel text that neither was trained on")
    parser.add_argument("--direction", choices=("en-zh", "zh-en"), default="en-zh")
    parser.add_argument("--max-samples", type=at_least(1), default=256, help="pairs (default: %(default)s)")
    parser.add_argument("--temperature", type=between(0.01, 100), nargs="+", default=[1.0, 2.0])
    parser.add_argument("--seeds", type=at_least(1), default=5, help="of the draws (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    logits, student, rows, vocabulary = speak_of(arguments)
    print(f"{len(logits):,} target tokens of {rows} pairs, {vocabulary:,} pieces\n")
    print("| temperature | kind | k | bytes a token | loss ÷ whole | spread | gradient off by | student sees |")
    print("|---|---|---|---|---|---|---|---|")
    for temperature in arguments.temperature:
        for line in measured(logits, student, temperature, KEY_BYTES * rows / len(logits), arguments.seeds):
            print(line, flush=True)


@torch.inference_mode()
def speak_of(arguments: Namespace) -> tuple[Tensor, Tensor, int, int]:
    """Logits of teacher and student [tokens, vocabulary], how many pairs, how many pieces."""
    from marian_distill.pieces import MarianPieces
    from marian_distill.students.kind import kind_of
    from marian_distill.students.loading import load_student
    from marian_distill.teachers.online import PairTeacher, pair_examples
    from marian_distill.text.corpus import CorpusSource, load_parallel
    from marian_distill.text.tokenization import tokenize_parallel

    pieces = MarianPieces(arguments.teacher_model)
    corpus = load_parallel(CorpusSource(arguments.dataset))
    corpus = corpus.select(range(min(arguments.max_samples, len(corpus))))
    examples = list(pair_examples(tokenize_parallel(corpus, pieces, arguments.direction, tagged=False), tagged=False))
    logits = []
    for name in (arguments.teacher_model, arguments.student_model):
        model = load_student(name)
        speaker = PairTeacher(model, kind_of(model.config.model_type).collator(pieces))
        batches = [speaker.logits(examples[first : first + 32]) for first in range(0, len(examples), 32)]
        logits.append(torch.cat(batches))
    return logits[0], logits[1], len(examples), len(pieces.vocabulary)


def measured(teacher: Tensor, student: Tensor, temperature: float, key_bytes: float, seeds: int) -> Iterator[str]:
    """Rows of the table for one temperature."""
    whole_loss, whole_gradient = divergence_and_gradient(teacher, student, temperature)
    for kind, k in KINDS:
        losses, distances, seen = [], [], set()
        for seed in range(seeds if kind == "random" else 1):
            loss, gradient, bytes_a_token, unique = kept_loss(kind, k, teacher, student, temperature, seed)
            losses.append(loss / whole_loss)
            distances.append(float((gradient - whole_gradient).norm() / whole_gradient.norm()))
            seen.add(round(unique, 1))
        spread = f"± {100 * np.std(losses, ddof=1):.2f} %" if len(losses) > 1 else ""
        yield (
            f"| {temperature:g} | {kind} | {k} | {bytes_a_token + key_bytes:.1f} | {100 * np.mean(losses):.2f} % "
            f"| {spread} | {100 * np.mean(distances):.1f} % | {np.mean(list(seen)):.1f} pieces |"
        )


def divergence_and_gradient(teacher: Tensor, student: Tensor, temperature: float) -> tuple[float, Tensor]:
    """KL(teacher‖student) over the whole vocabulary, summed, and its gradient summed over the tokens [vocabulary]."""
    from marian_distill.training.divergences import divergence

    value, gradient = divergence("forward", 0, student.clone(), teacher.clone(), temperature)
    return float(value), gradient.sum(0)


def kept_loss(
    kind: str, k: int, teacher: Tensor, student: Tensor, temperature: float, seed: int
) -> tuple[float, Tensor, float, float]:
    """The same from what a cache keeps; bytes a token; different pieces a token."""
    from marian_distill.teachers.cache import packed_ids
    from marian_distill.teachers.distributions import keep
    from marian_distill.training.cached import as_targets
    from marian_distill.training.divergences import cached_divergence

    numbers = np.random.default_rng(seed).random(len(teacher))
    kept = keep(kind, k, temperature, teacher, numbers)  # pyright: ignore[reportArgumentType]
    size = (packed_ids(kept.ids, teacher.shape[1]).nbytes + kept.values.nbytes) / len(teacher)
    targets = as_targets(kind, kept.ids, kept.values, np.ones(len(teacher), dtype=bool), k)  # pyright: ignore
    values, gradient = cached_divergence("forward", student.clone(), targets, temperature)
    unique = float(np.mean([len(set(row)) for row in kept.ids.tolist()]))
    return float(values.sum()), gradient.sum(0), size, unique


if __name__ == "__main__":
    run_command(main)
