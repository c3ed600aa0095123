"""Make pairs about money by rule: prices, bills, tax, tips, change, refunds, exchange; amounts kept to the character.

    uv run -s scripts/make_extra_money_data.py --output-csv data/generated/money.csv --num-examples 2000 --repeat 20
    uv run -s scripts/make_extra_money_data.py --output-csv data/generated/money_unseen.csv --split unseen_values \\
        --num-examples 500 --repeat 1

CSV columns: source (English), target (Chinese). `--split unseen_values` fills the trained patterns with amounts and
dates that training never draws, `--split unseen_patterns` has sentence patterns that training never shows.
"""

from marian_distill.augment.extra_data import extra_data_parser, write_extra_data
from marian_distill.errors import run_command


def main() -> None:
    write_extra_data("money", extra_data_parser(__doc__).parse_args())


if __name__ == "__main__":
    run_command(main)
