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
from pathlib import Path

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import run_command
from marian_distill.locks import folder_lock
from marian_distill.signals import stop_request


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--teacher-model", required=True, help="a folder, or a model's name on the hub")
    parser.add_argument("--tokenizer-dir", help="the student's tokenizer (default: the teacher's)")
    parser.add_argument("--dataset", nargs="+", required=True, help="parallel text as in training; files of text")
    parser.add_argument("--dataset-config", default="en-zh")
    parser.add_argument("--direction", choices=("en-zh", "zh-en", "both", "none"), default="en-zh")
    parser.add_argument("--samples", choices=("lines", "documents"), default="lines", help="of plain text")
    parser.add_argument(
        "--untagged", action="store_true", help="sources without their language tag, as the teacher is"
    )
    parser.add_argument(
        "--prompt-file", type=Path, help="text with {source} and {language} that a language model gets"
    )
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--kind", choices=("random", "top-k"), default="random", help="default: %(default)s")
    parser.add_argument("--k", type=at_least(1), default=9, help="pieces a token (default: %(default)s)")
    parser.add_argument("--exact", type=at_least(0), default=3, help="of these not drawn (default: %(default)s)")
    parser.add_argument(
        "--temperature", type=between(0.01, 100), default=2.0, help="default: %(default)s, as training"
    )
    parser.add_argument("--seed", type=at_least(0, 2**31), default=42, help="of the draws")
    parser.add_argument("--batch-size", type=at_least(1), default=32, help="examples (default: %(default)s)")
    parser.add_argument(
        "--max-seq-len",
        type=at_least(2, 4096),
        default=64,
        help="most tokens of a source and of a target, or of a language model's row; longer examples are left out",
    )
    parser.add_argument("--start-from", type=at_least(0), default=0, help="leave out so many examples at the start")
    parser.add_argument("--max-samples", type=at_least(1), help="cache at most so many examples")
    parser.add_argument("--shard-size", type=at_least(1), default=5_000, help="examples a file: what a kill may cost")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--teacher-dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--compile", action="store_true", help="run the teacher through torch.compile")
    parser.add_argument("--int8", action="store_true", help="keep the teacher's weights in eight bits: less memory")
    return parser.parse_args()


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
