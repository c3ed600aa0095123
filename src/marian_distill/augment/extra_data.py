"""Training CSVs of rule-made pairs, for `--extra-train-csv`: the options, the file and its report.

The CSV has the header `source,target`; source is always English and target Chinese, whichever way a model is trained.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from marian_distill.augment import patterns_of
from marian_distill.augment.grammar import SPLITS, Example, Pattern, amounts_kept, sample
from marian_distill.command_line import at_least, command_parser
from marian_distill.edited import check_unedited, unedited_writer
from marian_distill.errors import UserError
from marian_distill.teachers.llm.backends import add_engine_options, add_llm_options, llm_backend

PATTERNS_PROMPT = Path("prompts/patterns.yaml")


def extra_data_parser(description: str | None) -> argparse.ArgumentParser:
    """The options that the data scripts share."""
    parser = command_parser(description)
    parser.add_argument("--output-csv", type=Path, required=True, help="CSV to write; its report goes beside it")
    parser.add_argument("--num-examples", type=at_least(1), default=2000, help="distinct pairs (default: 2000)")
    parser.add_argument("--repeat", type=at_least(1), default=20, help="how often each pair is written (default: 20)")
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same bytes (default: 42)")
    parser.add_argument("--split", choices=SPLITS, default="train", help="what to draw from (default: train)")
    return parser


def add_pattern_options(parser: argparse.ArgumentParser) -> None:
    """Options for patterns beyond the program's own: from a file, and from a language model into that file."""
    parser.add_argument("--patterns", type=Path, help="CSV of more sentence patterns, with the header en,zh")
    parser.add_argument(
        "--patterns-from-llm",
        type=at_least(1),
        metavar="COUNT",
        help="so many, which a language model writes into it first",
    )
    parser.add_argument("--patterns-prompt", type=Path, default=PATTERNS_PROMPT, help=f"default: {PATTERNS_PROMPT}")
    add_llm_options(parser)
    add_engine_options(parser)


def extra_patterns(domain: str, options: argparse.Namespace) -> list[Pattern]:
    """The patterns of `--patterns`, if it is given; a language model writes the file before, where that is asked.

    Raises:
        UserError: a file, or a model, without the other; a file that is there already and would be written over.
    """
    from marian_distill.augment.proposals import read_pattern_file, read_pattern_prompt, write_proposals

    has_llm = options.teacher_llm is not None or options.teacher_endpoint is not None
    path: Path | None = options.patterns
    if path is None:
        if options.patterns_from_llm or has_llm:
            raise UserError("--patterns-from-llm needs --patterns FILE.csv, where what it proposes is kept")
        return []
    if options.patterns_from_llm:
        if not has_llm:
            raise UserError("--patterns-from-llm needs --teacher-llm or --teacher-endpoint")
        if path.exists():
            raise UserError(f"{path}: is there already; leave out --patterns-from-llm, or name another file")
        prompt = read_pattern_prompt(options.patterns_prompt)
        write_proposals(path, domain, options.patterns_from_llm, llm_backend(options, {}), prompt, options.seed)
    return read_pattern_file(path, domain)


def add_teacher_options(parser: argparse.ArgumentParser) -> None:
    """Options for Chinese that a teacher makes instead of the rules; beside `add_pattern_options`."""
    parser.add_argument(
        "--teacher-ct2-dir", type=Path, help="CTranslate2 folder that translates the English (default: by rule)"
    )


def write_extra_data(
    domain: str,
    options: argparse.Namespace,
    teacher_ct2_dir: Path | None = None,
    more_patterns: Sequence[Pattern] = (),
) -> None:
    """Write `options.output_csv` and `<output_csv>.report.json`, and say so in one line.

    Args:
        domain: money, coffee or travel.
        options: what `extra_data_parser` (and `add_teacher_options`, for a teacher) parsed.
        teacher_ct2_dir: a phone folder whose model makes the Chinese; rules make it when None.
        more_patterns: beyond the domain's own.
    """
    if options.output_csv.is_dir():
        raise UserError(f"{options.output_csv}: is a folder. Give --output-csv a file name.")
    check_unedited(options.output_csv)  # before the teacher's work
    pairs = sample([*patterns_of(domain), *more_patterns], options.split, options.num_examples, options.seed)
    report = {"domain": domain, "split": options.split, "seed": options.seed, "repeat": options.repeat}
    if teacher_ct2_dir:
        pairs, by_rule = teacher_translations(pairs, teacher_ct2_dir, options.device, options.compute_type)
        report |= {"teacher": str(teacher_ct2_dir), "teacher_rejected": by_rule}
    by_pattern = Counter(pair.pattern for pair in pairs)
    report |= {
        "examples": len(pairs),
        "patterns": len(by_pattern),
        "examples_by_pattern": dict(by_pattern.most_common()),
    }

    with unedited_writer(options.output_csv, report) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("source", "target"))
        writer.writerows((pair.en, pair.zh) for pair in pairs for _ in range(options.repeat))
    rejected = f"; {report['teacher_rejected']} in the rules' Chinese, not the teacher's" if teacher_ct2_dir else ""
    print(
        f"{options.output_csv}: {len(pairs)} pairs × {options.repeat} from {len(by_pattern)} patterns "
        f"({domain}, {options.split}, seed {options.seed}){rejected}"
    )


def teacher_translations(
    pairs: Sequence[Example], teacher_ct2_dir: Path, device: str, compute_type: str
) -> tuple[list[Example], int]:
    """The pairs with a CTranslate2 teacher's Chinese (beam 4), and how many of its translations were turned down.

    Where the teacher harms an amount, a date or a code, or says nothing, the rule-made Chinese stays.
    """
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator

    teacher = CTranslate2Translator(
        teacher_ct2_dir, direction="en-zh", device=device, compute_type=compute_type, beam_size=4
    )
    chinese = [text.strip() for text in teacher.translate([pair.en for pair in pairs])]
    good = [bool(text) and amounts_kept(pair, text) for pair, text in zip(pairs, chinese, strict=True)]
    translated = [
        replace(pair, zh=text) if kept else pair for pair, text, kept in zip(pairs, chinese, good, strict=True)
    ]
    return translated, good.count(False)
