"""Make pairs about money by rule: prices, bills, tax, tips, change, refunds, exchange; amounts kept to the character.

    uv run -s scripts/make_extra_money_data.py --output-csv data/generated/money.csv --num-examples 2000 --repeat 20
    uv run -s scripts/make_extra_money_data.py --output-csv data/generated/money_unseen.csv --split unseen_values \\
        --num-examples 500 --repeat 1
    uv run -s scripts/make_extra_money_data.py --output-csv data/generated/money.csv \\
        --patterns money_patterns.csv --patterns-from-llm 50 --teacher-endpoint http://127.0.0.1:8000/v1

CSV columns: source (English), target (Chinese). `--split unseen_values` fills the trained patterns with amounts and
dates that training never draws, `--split unseen_patterns` has sentence patterns that training never shows.
`--patterns` adds sentence patterns from a file (docs/llm_teacher.md).
"""

from marian_distill.augment.extra_data import add_pattern_options, extra_data_parser, extra_patterns, write_extra_data
from marian_distill.errors import run_command


def main() -> None:
    parser = extra_data_parser(__doc__)
    add_pattern_options(parser)
    options = parser.parse_args()
    write_extra_data("money", options, more_patterns=extra_patterns("money", options))


if __name__ == "__main__":
    run_command(main)
