"""Apply corrections by hand to a parallel corpus, exactly, and report each.

    uv run -s scripts/apply_corrections.py --dataset CORPUS.tsv.gz --output-dir data/generated/corrected
    uv run distill_zh_en.py --config STAGE.yaml --dataset data/generated/corrected

The corrections are a CSV with the columns en, zh, new_en, new_zh and perhaps drop (others are passed over): every row
of the corpus that has just this en and zh gets the new ones; with an x in the column drop it goes; where all three are
empty it stays as it is. A correction that hits nothing is told. The output is Parquet in the hub's layout, and
corrections.json beside it, which says what each correction did; --dataset and --extra-train-csv take the folder.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import run_command
from marian_distill.locks import folder_lock


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", nargs="+", required=True, help="hub ids, folders of Parquet, .csv, .tsv, .jsonl")
    parser.add_argument("--dataset-config", default="en-zh")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train")
    parser.add_argument("--corrections", type=Path, default=Path("data/manual_corrections.csv"))
    parser.add_argument("--output-dir", type=Path, required=True, help="replaced if this command made it")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    with folder_lock(arguments.output_dir):
        correct(arguments)


def correct(arguments: argparse.Namespace) -> None:
    from marian_distill.text.corpus import CorpusSource, load_parallel
    from marian_distill.text.corrections import apply_corrections, check_output, read_corrections, write_corpus

    check_output(arguments.output_dir, arguments.split)
    corrections, unchanged = read_corrections(arguments.corrections)
    corpora = [
        load_parallel(CorpusSource(name, arguments.dataset_config), arguments.split) for name in arguments.dataset
    ]
    tables, hits = apply_corrections(corpora, corrections)
    done = list(zip(corrections, hits, strict=True))
    report = {
        "dataset": arguments.dataset,
        "split": arguments.split,
        "corrections": str(arguments.corrections),
        "rows": sum(map(len, corpora)),
        "changed": sum(rows for one, rows in done if not one.drops),
        "dropped": sum(rows for one, rows in done if one.drops),
        "by_correction": [{**asdict(one), "rows": rows} for one, rows in done],
    }
    write_corpus(tables, arguments.output_dir, arguments.split, report)
    for one, rows in done:
        what = f"{rows:,} rows {'dropped' if one.drops else 'changed'}" if rows else "no such pair in the corpus"
        print(f"{arguments.corrections}, line {one.line}: {what}: {one.en!r}", file=sys.stderr)
    print(
        f"{report['rows']:,} rows, {report['changed']:,} changed, {report['dropped']:,} dropped; "
        f"{hits.count(0)} of {len(corrections)} corrections hit nothing, {unchanged} rows of the file change nothing"
    )
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)
