"""Build the joint English–Chinese SentencePiece tokenizer of a student, and measure it.

    uv run -s scripts/build_joint_tokenizer.py --output-dir tokenizers/opus100_joint32k --vocab-size 32000 \\
        --extra-csv data/coffee.csv data/travel.csv
    uv run -s scripts/build_joint_tokenizer.py --output-dir tokenizers/own8k --vocab-size 8000 \\
        --dataset corpus.tsv.gz more.csv --source-weight manuals=0.2 --check-file dev.tsv

Writes spm.model, source.spm, target.spm, vocab.json (vocab-size + 1 entries, <pad> last), tokenizer_config.json,
corpus.joint.txt and tokenizer_report.json.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.locks import folder_lock


def characters(text: str) -> str:
    """The type of an option that takes characters, no spaces."""
    if not text.isprintable() or set(text) & set(" ▁"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected printable characters without spaces")
    return text


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--output-dir", type=Path, required=True, help="a tokenizer that is there is replaced")
    parser.add_argument(
        "--dataset",
        nargs="+",
        default=["Helsinki-NLP/opus-100"],
        help="hub ids, folders of Parquet, or .tsv[.gz|.xz], .csv, .jsonl files (default: %(default)s)",
    )
    parser.add_argument("--dataset-config", default="en-zh", help="hub config or subfolder (default: %(default)s)")
    parser.add_argument(
        "--max-samples", type=at_least(1), default=200_000, help="pairs from --dataset (default: %(default)s)"
    )
    parser.add_argument("--extra-csv", nargs="+", action="extend", default=[], help="files that are taken whole")
    parser.add_argument("--source-weight", nargs="+", action="extend", default=[], metavar="NAME=WEIGHT")
    parser.add_argument(
        "--vocab-size", type=at_least(1), default=32_000, help="pieces, without <pad> (default: %(default)s)"
    )
    parser.add_argument("--model-type", choices=("unigram", "bpe"), default="unigram")
    parser.add_argument("--character-coverage", type=between(0.98, 1), default=0.9995, help="(default: %(default)s)")
    parser.add_argument(
        "--separate-characters",
        type=characters,
        default="",
        metavar="年月日$",
        help="each a piece of its own, in no longer piece",
    )
    parser.add_argument("--seed", type=int, default=42, help="of the sample (default: %(default)s)")
    parser.add_argument("--check-file", nargs="+", action="extend", default=[], help="parallel files to measure on")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    with folder_lock(arguments.output_dir):
        build(arguments)


def build(arguments: argparse.Namespace) -> None:
    from marian_distill.files import atomic_directory, check_replaceable, write_json
    from marian_distill.text.cleaning import clean
    from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights
    from marian_distill.text.tokenization import KIND, parallel_sentences, write_joint_tokenizer
    from marian_distill.text.tokenizer_report import SAMPLE_LINES, measure_tokenizer, report_table

    check_replaceable(arguments.output_dir, KIND)
    # Text: the checked files first, so that a wrong name costs no training
    weights = parse_source_weights(arguments.source_weight)
    checked = {name: load_parallel(CorpusSource(name)) for name in arguments.check_file}
    extras = [load_parallel(CorpusSource(name)) for name in arguments.extra_csv]
    corpora = []
    for name in arguments.dataset:
        dataset, report = clean(load_parallel(CorpusSource(name, arguments.dataset_config)))
        print(f"{name}: kept {report.kept:,} pairs, dropped {sum(report.dropped.values()):,}", file=sys.stderr)
        corpora.append(dataset)
    pairs = mix(
        [(dataset, 1) for dataset in corpora],
        [(dataset, 1) for dataset in extras],
        source_weights=weights,
        max_samples=arguments.max_samples,
        seed=arguments.seed,
    )

    # Model and measures, in one folder that appears whole
    sample = pairs.shuffle(seed=arguments.seed).select(range(min(len(pairs), SAMPLE_LINES)))
    texts = {"training corpus": sample, **checked}
    with atomic_directory(arguments.output_dir, KIND) as folder:
        print(f"training {arguments.vocab_size:,} pieces on {2 * len(pairs):,} sentences", file=sys.stderr)
        write_joint_tokenizer(
            parallel_sentences(pairs),
            folder,
            vocab_size=arguments.vocab_size,
            model_type=arguments.model_type,
            character_coverage=arguments.character_coverage,
            separate=arguments.separate_characters,
        )
        report = measure_tokenizer(
            folder, {name: {"en": dataset["en"][:], "zh": dataset["zh"][:]} for name, dataset in texts.items()}
        )
        write_json(folder / "tokenizer_report.json", report)
    print(report_table(report))
    if report["gb2312_level_1"]["unknown"]:
        raise UserError(f"{arguments.output_dir}: common Chinese characters are <unk>; see tokenizer_report.json")


if __name__ == "__main__":
    run_command(main)
