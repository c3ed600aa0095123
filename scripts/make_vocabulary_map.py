"""Make a vocabulary map for an exported folder, and keep it only where it pays.

    uv run -s scripts/make_vocabulary_map.py outputs/my-int8 --dataset CORPUS.tsv.gz --test-file DEV.tsv

The engine then projects to the target pieces that the source's pieces may turn into, not to the whole vocabulary. Both
ways translate the test file, one sentence at a time on one thread as a phone does, turn by turn; vmap.txt stays in the
folder when it is --min-speedup times as fast and loses no more than --max-chrf-lost.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from marian_distill.command_line import add_model_dir, at_least, between, command_parser
from marian_distill.errors import run_command
from marian_distill.files import atomic_writer, mark_written, write_json
from marian_distill.languages import DIRECTIONS
from marian_distill.locks import folder_lock


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
    from marian_distill.evaluation.metrics import metric_for, read_test_file
    from marian_distill.export.ctranslate2 import list_file
    from marian_distill.export.vocabulary_map import candidates, covered_share, map_lines
    from marian_distill.languages import languages_of
    from marian_distill.runtime.ctranslate2 import VOCABULARY_MAP, CTranslate2Translator
    from marian_distill.text.cleaning import clean
    from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights

    pairs = read_test_file(arguments.test_file)
    corpus = mix(
        [(clean(load_parallel(CorpusSource(name)))[0], 1.0) for name in arguments.dataset],
        source_weights=parse_source_weights(arguments.source_weight),
        max_samples=arguments.max_samples,
        seed=42,
    )

    plain = CTranslate2Translator(arguments.model_dir, arguments.direction, intra_threads=1)
    plain.use_vmap = False  # of an earlier map, which stays until this one is measured
    pieces, (source, target) = plain.pieces, languages_of(plain.direction)
    metric = metric_for(target)

    def ids(sources: list[str], targets: list[str]) -> tuple[list[list[int]], list[list[int]]]:
        return (
            [pieces.ids(row) for row in pieces.source_pieces(sources, plain.tag)],
            [pieces.ids(row) for row in pieces.target_pieces(targets)],
        )

    by_source, always = candidates(
        pieces, *ids(list(corpus[source]), list(corpus[target])), arguments.candidates, arguments.always
    )
    columns = dict(zip(("en", "zh"), map(list, zip(*pairs, strict=True)), strict=True))
    coverage = covered_share(by_source, always, *ids(columns[source], columns[target]))
    lines = [f"{line}\n" for line in map_lines(pieces, by_source, always)]
    with tempfile.TemporaryDirectory() as trial:  # the same folder with the new map
        for file in arguments.model_dir.iterdir():
            if file.name not in ("config.json", VOCABULARY_MAP):
                Path(trial, file.name).symlink_to(file.resolve())
        shutil.copyfile(arguments.model_dir / "config.json", Path(trial, "config.json"))
        list_file(trial, VOCABULARY_MAP)  # takes an earlier one off
        Path(trial, VOCABULARY_MAP).write_text("".join(lines), encoding="utf-8")
        mapped = CTranslate2Translator(trial, arguments.direction, intra_threads=1)

    scores, times = {}, {"whole": [], "map": []}
    for _ in range(arguments.rounds):
        for name, translator in (("whole", plain), ("map", mapped)):
            start = time.perf_counter()
            hypotheses = [translator.translate([text], line)[0] for line, text in enumerate(columns[source], start=2)]
            times[name].append(time.perf_counter() - start)
            scores[name] = metric.corpus(hypotheses, columns[target])["score"]
    speedup = median(whole / part for whole, part in zip(times["whole"], times["map"], strict=True))
    kept = speedup >= arguments.min_speedup and scores["whole"] - scores["map"] <= arguments.max_chrf_lost
    path = arguments.model_dir / VOCABULARY_MAP
    with folder_lock(arguments.model_dir):
        path.unlink(missing_ok=True)  # a kill from here on leaves a folder that has no map, or one that is not listed
        list_file(arguments.model_dir, VOCABULARY_MAP)
        if kept:
            with atomic_writer(path) as stream:
                stream.writelines(lines)
            list_file(arguments.model_dir, VOCABULARY_MAP)
        mark_written(arguments.model_dir, VOCABULARY_MAP, "config.json")
    report = {
        "speedup": speedup,
        "metric": metric.name,
        "scores": scores,
        "covered_share": coverage,
        "always": len(always),
        "source_pieces": len(by_source),
        "kept": kept,
        "rounds_seconds": times,
    }
    if arguments.json:
        write_json(arguments.json, report)
    print(f"{speedup:.2f} × as fast; {metric.name} {scores['whole']:.2f} → {scores['map']:.2f}")
    print(f"candidates cover {coverage:.1%} of the test file's target tokens")
    print(f"{'wrote' if kept else 'it does not pay: no'} {path}", file=sys.stderr)


if __name__ == "__main__":
    run_command(main)
