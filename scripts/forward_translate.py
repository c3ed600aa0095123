"""Translate a corpus with a teacher, for sequence-level distillation: a translation model, or a language model.

    uv run -s scripts/forward_translate.py --teacher-ct2-dir outputs/teacher-ct2-int8 --dataset CORPUS.tsv.gz \\
        --output-dir data/generated/forward --beam-size 4
    uv run -s scripts/forward_translate.py --teacher-llm Qwen/Qwen2.5-1.5B-Instruct --dataset CORPUS.tsv.gz \\
        --output-dir data/generated/forward --n-best 4 --choose meaning
    uv run -s scripts/forward_translate.py --teacher-endpoint http://127.0.0.1:8000/v1 --dataset CORPUS.tsv.gz \\
        --output-dir data/generated/forward
    uv run distill_zh_en.py --config STAGE.yaml --dataset data/generated/forward --alpha-ce 1.0

Of n best, `--choose closeness` takes the one closest to the reference; `meaning`, `reverse` and `length` need none.
What fails a filter keeps its reference, or is dropped (`--rejected drop`). Finished shards are not translated again;
with --rank and --processes several machines or processes share the shards. The output is Parquet in the hub's layout;
each row says who wrote it, and with what score. A row is translated once, however much its source weighs. Rows of the
source NAME are labelled forward:NAME: to weigh them in training, name that: --source-weight NAME=3 forward:NAME=3.
docs/llm_teacher.md is about language models.
"""

import argparse

from marian_distill.errors import run_command
from marian_distill.locks import folder_lock
from marian_distill.signals import stop_request
from marian_distill.teachers.labelling import check_arguments, label, labelling_parser


def parse_arguments() -> argparse.Namespace:
    arguments = labelling_parser(__doc__).parse_args()
    check_arguments(arguments)
    return arguments


def main() -> None:
    arguments = parse_arguments()
    stop_request.how_to_go_on = lambda: "the same command goes on where it was"
    share = f"{arguments.output_dir.name}.{arguments.rank}-of-{arguments.processes}"
    with folder_lock(arguments.output_dir.parent / share):
        label(arguments)


if __name__ == "__main__":
    run_command(main)
