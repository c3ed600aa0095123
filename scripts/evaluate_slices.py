"""Measure every rule-made domain, and the dates of all, on seen and on held-out values and patterns.

Each class of amount (millions, units, codes, fractions, …) is measured on held-out patterns too.

    uv run -s scripts/evaluate_slices.py --model-dir outputs/quickstart/ct2-int8 --direction en-zh \\
        --json outputs/quickstart/slices.json

"kept" is the share of sentences in which every amount, date and code comes through to the character.
"""

import argparse
from itertools import product
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import write_json
from marian_distill.languages import DIRECTIONS, languages_of
from marian_distill.runtime.translator import MAX_BEAM_SIZE


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--model-dir", type=Path, required=True, help="Hugging Face folder, CTranslate2 one, or bundle"
    )
    parser.add_argument("--direction", choices=DIRECTIONS, required=True)
    parser.add_argument("--json", type=Path, required=True, help="where the report goes")
    parser.add_argument(
        "--num-examples", "--examples", type=at_least(1), default=200, help="sentences a slice (default: 200)"
    )
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument(
        "--beam-size", "--num-beams", type=at_least(1, MAX_BEAM_SIZE), default=1, help="default: 1, as on the phone"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.augment import AMOUNT_CLASSES, SLICES, examples
    from marian_distill.augment.grammar import SPLITS
    from marian_distill.evaluation.evaluate import load_translator
    from marian_distill.evaluation.metrics import metric_for
    from marian_distill.evaluation.slices import evaluate_slices

    translator = load_translator(arguments.model_dir, arguments.direction, arguments.beam_size)
    measured = (*product(SLICES, SPLITS), *product(AMOUNT_CLASSES, ("unseen_patterns",)))
    slices = {
        f"{domain}/{split}": examples(domain, split, arguments.num_examples, arguments.seed)
        for domain, split in measured
    }
    reports = evaluate_slices(translator, slices)
    write_json(
        arguments.json,
        {
            "model_dir": str(arguments.model_dir),
            "direction": arguments.direction,
            "beam_size": arguments.beam_size,
            "seed": arguments.seed,
            "slices": reports,
        },
    )
    print(f"{'slice':<27} {'sentences':>9} {metric_for(languages_of(arguments.direction)[1]).name:>7} {'kept':>7}")
    for name, report in reports.items():
        kept = "–" if report["kept"] is None else f"{report['kept']:.1%}"
        print(f"{name:<27} {report['sentences']:>9} {report['score']['score']:>7.2f} {kept:>7}")


if __name__ == "__main__":
    run_command(main)
