"""Make pairs about ordering coffee: sizes, milk, sugar, hot and iced, cups, to go, pastries, waiting.

    uv run -s scripts/make_extra_coffee_data.py --output-csv data/generated/coffee.csv --num-examples 2000 --repeat 20
    uv run -s scripts/make_extra_coffee_data.py --output-csv data/generated/coffee.csv \\
        --teacher-ct2-dir outputs/teacher-ct2 --device cuda --compute-type float16
    uv run -s scripts/make_extra_coffee_data.py --output-csv data/generated/coffee.csv \\
        --patterns coffee_patterns.csv --patterns-from-llm 50 --teacher-endpoint http://127.0.0.1:8000/v1

CSV columns: source (English), target (Chinese). The Chinese is made by rule or, with --teacher-ct2-dir, by a
CTranslate2 teacher (beam 4); where that harms an amount, a date or a code, the rule's Chinese stands. `--split
unseen_values` has orders that training never draws, `--split unseen_patterns` sentence patterns that it never
shows.
`--patterns` adds sentence patterns from a file (docs/llm_teacher.md).
"""

from marian_distill.augment.extra_data import (
    add_pattern_options,
    add_teacher_options,
    extra_data_parser,
    extra_patterns,
    write_extra_data,
)
from marian_distill.errors import run_command


def main() -> None:
    parser = extra_data_parser(__doc__)
    add_pattern_options(parser)
    add_teacher_options(parser)
    options = parser.parse_args()
    write_extra_data("coffee", options, options.teacher_ct2_dir, extra_patterns("coffee", options))


if __name__ == "__main__":
    run_command(main)
