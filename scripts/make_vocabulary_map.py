"""Make a vocabulary map for an exported folder, and keep it only where it pays.

    uv run -s scripts/make_vocabulary_map.py outputs/my-int8 --dataset CORPUS.tsv.gz --test-file DEV.tsv

The engine then projects to the target pieces that the source's pieces may turn into, not to the whole vocabulary. Both
ways translate the test file, one sentence at a time on one thread as a phone does, turn by turn; vmap.txt stays in the
folder when it is --min-speedup times as fast and loses no more than --max-chrf-lost.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import add_model_dir, at_least, between, command_parser
from marian_distill.errors import run_command
from marian_distill.files import write_json
from marian_distill.languages import DIRECTIONS


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_model_dir(parser, "CTranslate2 folder")
    parser.add_argument("--dataset", nargs="+", required=True, help="parallel text, as for training")
    parser.add_argument("--source-weight", nargs="+", default=[], metavar="NAME=WEIGHT")
    parser.add_argument("--test-file", type=Path, required=True, help="TSV with the header en<TAB>zh")
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: the first that the model declares")
    parser.add_argument(
        "--max-samples", type=at_least(1), default=100_000, help="pairs to count on (default: 100,000)"
    )
    parser.add_argument("--candidates", type=at_least(1), default=50, help="a source piece (default: 50)")
    parser.add_argument("--always", type=at_least(0), default=500, help="most frequent target pieces (default: 500)")
    parser.add_argument("--min-speedup", type=between(0, 100), default=1.2)
    parser.add_argument("--max-chrf-lost", "--max-chrf-loss", type=between(0, 100), default=0.1)
    parser.add_argument("--rounds", type=at_least(1), default=3)
    parser.add_argument("--json", type=Path, help="where the report goes")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.evaluation.evaluation_sets import read_test_file
    from marian_distill.export.vocabulary_map import candidates, compare, covered_share, map_lines, pair_ids, place_map
    from marian_distill.languages import languages_of
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator
    from marian_distill.text.cleaning import clean
    from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights

    # What is counted
    english, chinese = map(list, zip(*read_test_file(arguments.test_file), strict=True))
    test = {"en": english, "zh": chinese}
    corpus = mix(
        [(clean(load_parallel(CorpusSource(name)))[0], 1.0) for name in arguments.dataset],
        source_weights=parse_source_weights(arguments.source_weight),
        max_samples=arguments.max_samples,
        seed=42,
    )
    translator = CTranslate2Translator(arguments.model_dir, arguments.direction)
    source, target = languages_of(translator.direction)
    ids = pair_ids(translator, list(corpus[source]), list(corpus[target]))
    by_source, always = candidates(translator.pieces, *ids, arguments.candidates, arguments.always)
    coverage = covered_share(by_source, always, *pair_ids(translator, test[source], test[target]))

    # Whether it pays
    lines = map_lines(translator.pieces, by_source, always)
    found = compare(arguments.model_dir, translator.direction, lines, test[source], test[target], arguments.rounds)
    kept = found.speedup >= arguments.min_speedup and found.lost <= arguments.max_chrf_lost
    place_map(arguments.model_dir, lines if kept else None)
    if arguments.json:
        report = {"covered_share": coverage, "always": len(always), "source_pieces": len(by_source), "kept": kept}
        report |= {"speedup": found.speedup, "metric": found.metric, "scores": found.scores}
        write_json(arguments.json, {**report, "rounds_seconds": found.seconds})
    print(f"{found.speedup:.2f} × as fast; {found.metric} {found.scores['whole']:.2f} → {found.scores['map']:.2f}")
    print(f"candidates cover {coverage:.1%} of the test file's target tokens")
    print(f"{'wrote' if kept else 'it does not pay: no'} {arguments.model_dir / 'vmap.txt'}", file=sys.stderr)


if __name__ == "__main__":
    run_command(main)
