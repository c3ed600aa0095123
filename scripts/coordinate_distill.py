"""Distil from a corpus that is larger than the disk: make a shard, train on it, delete it, take the next; then export.

    uv run -s scripts/coordinate_distill.py recipes/coordinated/llm.yaml

One YAML holds the whole run: corpus, teacher, prompt, shards, tokenizer, labels, logits, training, export
(docs/coordinator.md). At most two shards are on the disk. Ctrl-C, or SIGTERM, keeps a checkpoint; the same command
goes on where it was, also after a kill or a power cut.
"""

import argparse
import logging
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import run_command
from marian_distill.locks import folder_lock
from marian_distill.signals import stop_request
from marian_distill.training.log import TrainingLog, hush_libraries
from marian_distill.training.memory import keep_freed_memory, limit_kernel_caches


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("config", type=Path, metavar="FILE.yaml", help="the run")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.coordinate.settings import read_settings

    settings = read_settings(arguments.config)
    stop_request.how_to_go_on = lambda: "the same command goes on where it was"
    with TrainingLog() as log, folder_lock(settings.output_dir):
        logging.info("loading PyTorch and Transformers")
        limit_kernel_caches()
        keep_freed_memory()
        from marian_distill.coordinate.coordinator import run

        hush_libraries(bars=False)
        settings.output_dir.mkdir(parents=True, exist_ok=True)
        log.write_into(settings.output_dir)
        exported = run(settings)
    print(f"wrote {exported}")


if __name__ == "__main__":
    run_command(main)
