"""Write down what a teacher says of each target token, once, so that students learn from it without running it again.

    uv run -s scripts/cache_teacher_logits.py --teacher-model outputs/my-teacher --dataset CORPUS.tsv.gz \\
        --output-dir data/generated/teacher-cache
    uv run distill_zh_en.py --config STAGE.yaml --dataset CORPUS.tsv.gz --alpha-ce 0.5 \\
        --teacher-cache data/generated/teacher-cache

The teacher is an encoder-decoder of any kind of student, or a language model; the latter teaches language models
(scripts/train_causal_lm.py) that have its tokenizer, whole or trimmed (scripts/trim_tokenizer.py). Of each token it
keeps k pieces: the likeliest as they are and others drawn by their probability (--kind random), or the k likeliest and
the mass of the rest (--kind top-k); docs/logit_cache.md compares them. Give the options that training will have:
--temperature, --direction, and for a language model's plain text (--direction none) its --packed-length as
--max-seq-len. Killed anywhere, the same command goes on with the first shard that is not whole.
"""

import argparse

from marian_distill.errors import run_command
from marian_distill.locks import folder_lock
from marian_distill.signals import stop_request
from marian_distill.teachers.caching_options import caching_parser


def parse_arguments() -> argparse.Namespace:
    return caching_parser(__doc__).parse_args()


def main() -> None:
    arguments = parse_arguments()
    stop_request.how_to_go_on = lambda: "the same command goes on where it was"
    with folder_lock(arguments.output_dir):
        cache(arguments)


def cache(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from marian_distill.teachers.cache import check_new, size_of, write_cache
    from marian_distill.training.caching import prepare

    check_new(arguments.output_dir)  # before the long work
    work = prepare(arguments)
    with tqdm(total=arguments.max_samples, unit="example", smoothing=0.05) as progress:
        manifest = write_cache(arguments.output_dir, work.settings, work.examples, work.speak, progress.update)
    records = manifest["shards"].values()
    rows, tokens, lost = (sum(record[name] for record in records) for name in ("rows", "tokens", "lost"))
    print(f"{rows:,} examples, {tokens:,} target tokens, {size_of(arguments.output_dir) / tokens:.1f} bytes a token")
    if lost:
        print(
            f"the student's tokenizer lacks pieces to which the teacher gives {100 * lost / tokens:.2f} % on average"
        )
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)
