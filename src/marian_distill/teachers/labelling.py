"""The command scripts/forward_translate.py: its options, its teacher, its corpus, its report."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import UserError
from marian_distill.languages import DIRECTIONS, Direction
from marian_distill.runtime.translator import BEAM_SIZE, MAX_BEAM_SIZE
from marian_distill.teachers.judges import JUDGES, Judge, judge_of
from marian_distill.teachers.llm.backends import add_engine_options, add_llm_options, llm_backend

if TYPE_CHECKING:
    from marian_distill.teachers.sequence import Policy

DEFAULT_PROMPT = Path("prompts/chat.yaml")


class Chosen(NamedTuple):
    """A teacher and how it came to be."""

    teacher: Any
    provenance: dict[str, Any]


def labelling_parser(description: str | None) -> argparse.ArgumentParser:
    """The options: one teacher of three kinds, the corpus, what is taken, who does what."""
    parser = command_parser(description)
    parser.add_argument("--teacher-ct2-dir", type=Path, help="a translation model: folder of scripts/export_ct2.py")
    add_llm_options(parser)
    parser.add_argument("--prompt", type=Path, default=DEFAULT_PROMPT, help=f"default: {DEFAULT_PROMPT}")
    parser.add_argument("--max-new-tokens", type=at_least(1), default=256, help="what meets it is never taken")
    parser.add_argument(
        "--direction", choices=DIRECTIONS, help="default: the teacher's first; a language model's en-zh"
    )
    parser.add_argument("--dataset", nargs="+", required=True, help="hub ids, folders of Parquet, .csv, .tsv, .jsonl")
    parser.add_argument("--dataset-config", default="en-zh")
    parser.add_argument("--source-weight", nargs="+", default=[], metavar="NAME=WEIGHT", help="0.2: a fifth; 3: as 1")
    parser.add_argument("--max-samples", type=at_least(1), help="translate at most so many pairs, drawn with --seed")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--beam-size", "--num-beams", type=at_least(1, MAX_BEAM_SIZE), default=BEAM_SIZE)
    parser.add_argument(
        "--n-best", type=at_least(1), default=1, help="hypotheses to choose from; an LLM draws several"
    )
    parser.add_argument("--choose", choices=("score", "closeness", *JUDGES), default="score")
    parser.add_argument("--reverse-ct2-dir", type=Path, help="model of the other direction, for --choose reverse")
    parser.add_argument("--min-quality", type=between(-100, 100), help="least that the judge of --choose may say")
    parser.add_argument("--min-score", type=between(-100, 0), default=-100.0, help="mean log-probability a token")
    parser.add_argument("--max-repeats", type=at_least(1), default=3, help="of a word in a row")
    parser.add_argument("--allow-lost-numbers", action="store_true")
    parser.add_argument("--rejected", choices=("keep", "drop"), default="keep", help="the reference of a rejected row")
    parser.add_argument("--shard-rows", type=at_least(1), default=10_000)
    parser.add_argument("--chunk-rows", type=at_least(1), default=512, help="kept at once: what a kill may cost")
    parser.add_argument("--rank", type=at_least(0), default=int(os.environ.get("RANK", 0)))
    parser.add_argument("--processes", type=at_least(1), default=int(os.environ.get("WORLD_SIZE", 1)))
    add_engine_options(parser)
    return parser


def check_arguments(arguments: argparse.Namespace) -> None:
    """`UserError` for options that do not go together."""
    if arguments.rank >= arguments.processes:
        raise UserError(f"--rank {arguments.rank}: with --processes {arguments.processes} it is below that")
    is_llm = arguments.teacher_llm is not None or arguments.teacher_endpoint is not None
    if is_llm == (arguments.teacher_ct2_dir is not None):
        raise UserError("give one teacher: --teacher-ct2-dir, --teacher-llm or --teacher-endpoint")
    if not is_llm and arguments.n_best > arguments.beam_size:
        raise UserError(f"--n-best {arguments.n_best} needs --beam-size {arguments.n_best} or more")
    if arguments.min_quality is not None and arguments.choose not in JUDGES:
        raise UserError(f"--min-quality needs --choose {', '.join(JUDGES[:-1])} or {JUDGES[-1]}")


def label(arguments: argparse.Namespace) -> None:
    """Translate the corpus into the output folder, and say how it went."""
    from tqdm import tqdm

    from marian_distill.teachers.sequence import check_new, forward_translate

    check_new(arguments.output_dir)  # before the long work
    teacher, provenance = teacher_of(arguments)
    judge, policy = judge_and_policy(arguments, teacher.direction)
    corpus = corpus_of(arguments)
    provenance |= {
        "dataset": arguments.dataset,
        "source_weight": arguments.source_weight,
        "seed": arguments.seed,
        "fingerprint": corpus._fingerprint,
    }
    share = -(-len(corpus) // arguments.processes)
    with tqdm(total=share, unit=" sentences", smoothing=0.05) as progress:
        report = forward_translate(
            teacher,
            corpus,
            arguments.output_dir,
            policy,
            provenance,
            judge=judge,
            shard_rows=arguments.shard_rows,
            chunk_rows=arguments.chunk_rows,
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


def teacher_of(arguments: argparse.Namespace) -> Chosen:
    """The teacher that the options name, loaded."""
    return llm_teacher(arguments) if arguments.teacher_ct2_dir is None else ct2_teacher(arguments)


def judge_and_policy(arguments: argparse.Namespace, direction: Direction) -> "tuple[Judge | None, Policy]":
    """Who says which hypothesis is best, where the options want somebody to; which one is taken, and when."""
    from marian_distill.teachers.sequence import Policy

    judge = None
    if arguments.choose in JUDGES:
        judge = judge_of(arguments.choose, direction, arguments.reverse_ct2_dir, arguments.device)
    return judge, Policy(
        n_best=arguments.n_best,
        choose=arguments.choose,
        min_score=arguments.min_score,
        min_quality=arguments.min_quality,
        max_repeats=arguments.max_repeats,
        keep_numbers=not arguments.allow_lost_numbers,
        rejected=arguments.rejected,
    )


def corpus_of(arguments: argparse.Namespace) -> Any:
    """The corpora, cleaned and mixed."""
    from marian_distill.text.cleaning import clean
    from marian_distill.text.corpus import CorpusSource, load_parallel, mix, parse_source_weights

    weights = parse_source_weights(arguments.source_weight)
    corpora = [clean(load_parallel(CorpusSource(name, arguments.dataset_config)))[0] for name in arguments.dataset]
    return mix(
        [(one, 1.0) for one in corpora],
        source_weights={name: min(weight, 1.0) for name, weight in weights.items()},
        max_samples=arguments.max_samples,
        seed=arguments.seed,
    )


def ct2_teacher(arguments: argparse.Namespace) -> Chosen:
    """A translation model."""
    from marian_distill.files import sha256
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator

    teacher = CTranslate2Translator(
        arguments.teacher_ct2_dir,
        arguments.direction,
        arguments.device,
        arguments.compute_type,
        arguments.beam_size,
        inter_threads=(arguments.threads or os.cpu_count() or 1) if arguments.device == "cpu" else 1,
        intra_threads=1,
    )
    provenance = {
        "teacher": str(arguments.teacher_ct2_dir),
        "teacher_sha256": sha256(arguments.teacher_ct2_dir / "model.bin"),
        "beam_size": arguments.beam_size,
    }
    return Chosen(teacher, provenance)


def llm_teacher(arguments: argparse.Namespace) -> Chosen:
    """A language model with its prompt."""
    from marian_distill.files import sha256
    from marian_distill.teachers.llm.prompt import read_prompt
    from marian_distill.teachers.llm.teacher import TextTeacher

    prompt = read_prompt(arguments.prompt)
    direction: Direction = arguments.direction or "en-zh"
    backend = llm_backend(arguments, prompt.chat_template_kwargs)
    provenance = {
        **backend.provenance,
        "prompt": str(arguments.prompt),
        "prompt_sha256": sha256(arguments.prompt),
        "max_new_tokens": arguments.max_new_tokens,
    }
    return Chosen(TextTeacher(backend, prompt, direction, arguments.max_new_tokens), provenance)
