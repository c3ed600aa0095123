"""Translate a corpus with a Marian teacher, as CTranslate2 folder, for sequence-level distillation.

    uv run -s scripts/forward_translate.py --teacher-ct2-dir outputs/teacher-ct2-int8 --dataset CORPUS.tsv.gz \\
        --output-dir data/generated/forward --beam-size 4
    uv run distill_zh_en.py --config STAGE.yaml --dataset data/generated/forward --alpha-ce 1.0

Of n best, `--choose closeness` takes the one closest to the reference. What fails a filter keeps its reference, or is
dropped (`--rejected drop`). Finished shards are not translated again; with --rank and --processes several machines or
processes share the shards. The output is Parquet in the hub's layout; each row says who wrote it, and with what score.
A row is translated once, however much its source weighs. Rows of the source NAME are labelled forward:NAME: to weigh
them in training, name that, as in --source-weight NAME=3 forward:NAME=3.
"""

import argparse
import os
from pathlib import Path

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.languages import DIRECTIONS
from marian_distill.locks import folder_lock
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE
from marian_distill.signals import stop_request


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--teacher-ct2-dir", type=Path, required=True)
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: the first that the teacher declares")
    parser.add_argument("--dataset", nargs="+", required=True, help="hub ids, folders of Parquet, .csv, .tsv, .jsonl")
    parser.add_argument("--dataset-config", default="en-zh")
    parser.add_argument("--source-weight", nargs="+", default=[], metavar="NAME=WEIGHT", help="0.2: a fifth; 3: as 1")
    parser.add_argument("--max-samples", type=at_least(1), help="translate at most so many pairs, drawn with --seed")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--beam-size", "--num-beams", type=at_least(1, MAX_BEAM_SIZE), default=BEAM_SIZE)
    parser.add_argument("--n-best", type=at_least(1), default=1, help="hypotheses to choose from")
    parser.add_argument("--choose", choices=("score", "closeness"), default="score")
    parser.add_argument("--min-score", type=between(-100, 0), default=-100.0, help="mean log-probability a token")
    parser.add_argument("--max-repeats", type=at_least(1), default=3, help="of a word in a row")
    parser.add_argument("--allow-lost-numbers", action="store_true")
    parser.add_argument("--rejected", choices=("keep", "drop"), default="keep", help="the reference of a rejected row")
    parser.add_argument("--shard-rows", type=at_least(1), default=10_000)
    parser.add_argument("--rank", type=at_least(0), default=int(os.environ.get("RANK", 0)))
    parser.add_argument("--processes", type=at_least(1), default=int(os.environ.get("WORLD_SIZE", 1)))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--compute-type", default="default")
    parser.add_argument("--threads", type=at_least(0, 256), default=0, help="default: one a core")
    arguments = parser.parse_args()
    if arguments.rank >= arguments.processes:
        raise UserError(f"--rank {arguments.rank}: with --processes {arguments.processes} it is below that")
    if arguments.n_best > arguments.beam_size:
        raise UserError(f"--n-best {arguments.n_best} needs --beam-size {arguments.n_best} or more")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    stop_request.how_to_go_on = lambda: "the same command goes on where it was"
    share = f"{arguments.output_dir.name}.{arguments.rank}-of-{arguments.processes}"
    with folder_lock(arguments.output_dir.parent / share):
        translate(arguments)


def translate(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from marian_distill.files import sha256
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator
    from marian_distill.teachers.sequence import Policy, check_new, forward_translate
    from marian_distill.text.cleaning import clean
    from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights

    check_new(arguments.output_dir)  # before the long work
    teacher = CTranslate2Translator(
        arguments.teacher_ct2_dir,
        arguments.direction,
        arguments.device,
        arguments.compute_type,
        arguments.beam_size,
        inter_threads=(arguments.threads or os.cpu_count() or 1) if arguments.device == "cpu" else 1,
        intra_threads=1,
    )
    weights = parse_source_weights(arguments.source_weight)
    corpora = [clean(load_parallel(CorpusSource(name, arguments.dataset_config)))[0] for name in arguments.dataset]
    corpus = mix(
        [(one, 1.0) for one in corpora],
        source_weights={name: min(weight, 1.0) for name, weight in weights.items()},
        max_samples=arguments.max_samples,
        seed=arguments.seed,
    )
    policy = Policy(
        n_best=arguments.n_best,
        choose=arguments.choose,
        min_score=arguments.min_score,
        max_repeats=arguments.max_repeats,
        keep_numbers=not arguments.allow_lost_numbers,
        rejected=arguments.rejected,
    )
    provenance = {
        "teacher": str(arguments.teacher_ct2_dir),
        "teacher_sha256": sha256(arguments.teacher_ct2_dir / "model.bin"),
        "beam_size": arguments.beam_size,
        "dataset": arguments.dataset,
        "source_weight": arguments.source_weight,
        "seed": arguments.seed,
        "fingerprint": corpus._fingerprint,
    }
    share = -(-len(corpus) // arguments.processes)
    with tqdm(total=share, unit="row", smoothing=0.05) as progress:
        report = forward_translate(
            teacher,
            corpus,
            arguments.output_dir,
            policy,
            provenance,
            shard_rows=arguments.shard_rows,
            rank=arguments.rank,
            processes=arguments.processes,
            on_rows=progress.update,
        )
    if report is None:
        print("this process has done its shards; the last one to finish puts the folder in place")
        return
    print("rows by origin:", ", ".join(f"{origin} {rows:,}" for origin, rows in report["origins"].items()))
    print("rejected:", ", ".join(f"{reason} {rows:,}" for reason, rows in report["rejected"].items()) or "none")
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)
