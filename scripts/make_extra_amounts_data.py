"""Make pairs about amounts of every kind by rule: millions, units, codes, fractions, ranges, dates, prices.

    uv run -s scripts/make_extra_amounts_data.py --output-csv data/generated/amounts.csv --num-examples 2000
    uv run -s scripts/make_extra_amounts_data.py --output-csv data/generated/amounts_unseen.csv \\
        --split unseen_patterns --num-examples 500 --repeat 1

CSV columns: source (English), target (Chinese). `--split unseen_values` fills the trained patterns with amounts and
dates that training never draws, `--split unseen_patterns` has sentence patterns that training never shows.
"""

from marian_distill.augment.extra_data import extra_data_parser, write_extra_data
from marian_distill.errors import run_command


def main() -> None:
    write_extra_data("amounts", extra_data_parser(__doc__).parse_args())


if __name__ == "__main__":
    run_command(main)
