"""List the suspect pairs of a parallel corpus, worst first, for a person to look at.

    uv run -s scripts/audit_parallel_data.py --dataset CORPUS.tsv.gz --output-csv suspects.csv
    uv run -s scripts/audit_parallel_data.py --dataset Helsinki-NLP/opus-100 --split validation --min-score 0.6 \\
        --output-csv suspects.csv

The CSV has the columns score, hints, row, source, en, zh, and the empty ones new_en, new_zh, drop: write a better
text, or an x under drop, and give the file to scripts/apply_corrections.py; a pair with neither stays. A file that was
edited is not written over. Beside it, NAME.csv.report.json counts the hints.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import run_command


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", nargs="+", required=True, help="hub ids, folders of Parquet, .csv, .tsv, .jsonl")
    parser.add_argument("--dataset-config", default="en-zh")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train")
    parser.add_argument("--output-csv", type=Path, required=True)
    parser.add_argument("--min-score", type=between(0, 1), default=0.0)
    parser.add_argument("--max-rows", type=at_least(1), help="write the worst so many only")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.edited import check_unedited
    from marian_distill.text.audit import HINTS, audit, write_suspects
    from marian_distill.text.corpus import BATCH_ROWS, CorpusSource, load_parallel

    check_unedited(arguments.output_csv)  # before the long work
    total, suspects = 0, []
    counts: Counter[str] = Counter()
    for name in arguments.dataset:
        corpus = load_parallel(CorpusSource(name, arguments.dataset_config), arguments.split)
        batches = cast("Iterator[dict[str, list[str]]]", corpus.iter(BATCH_ROWS))
        rows = (row for batch in batches for row in zip(batch["en"], batch["zh"], batch["source"], strict=True))
        found = [suspect for suspect in audit(rows) if suspect.score >= arguments.min_score]
        counts.update(hint for suspect in found for hint in suspect.hints)
        suspects += found
        total += len(corpus)
    suspects.sort(key=lambda suspect: -suspect.score)
    by_hint = {hint.__name__: counts[hint.__name__] for hint in HINTS}
    report = {"dataset": arguments.dataset, "split": arguments.split, "min_score": arguments.min_score}
    report |= {"pairs": total, "suspects": len(suspects), "hints": by_hint}
    write_suspects(arguments.output_csv, suspects[: arguments.max_rows], report)
    print(f"{total:,} pairs, {len(suspects):,} suspects ({len(suspects) / max(total, 1):.1%})")
    for name, count in by_hint.items():
        print(f"{name:20} {count:>9,}")
    print(f"wrote {arguments.output_csv}")


if __name__ == "__main__":
    run_command(main)
