"""Write with a small language model: CTranslate2 int8 without torch, or the Hugging Face folder as it was trained.

    uv run -s scripts/generate_text.py --model-dir outputs/mini_qwen/ct2-int8                  a prompt; :help lists its commands
    uv run -s scripts/generate_text.py --model-dir MODEL --prompt "I would like" --seed 1      streams one text and ends
    uv run -s scripts/generate_text.py --model-dir MODEL --prompt "" --temperature 0 --timing  the likeliest, and what it cost
    cat prompts.txt | uv run -s scripts/generate_text.py --model-dir MODEL > texts.txt         a line in, a line out, at once
    uv run -s scripts/generate_text.py --model-dir MODEL --input-file a.txt --output-file b.txt

To install no more than a CTranslate2 folder needs (no torch), put --no-default-groups --extra generate after `uv run`.
"""  # noqa: E501 (as it is typed)

import argparse
import os
import sys
from pathlib import Path

from marian_distill.command_line import add_model_dir, at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json
from marian_distill.runtime.generation import Cost, TokenGenerator
from marian_distill.runtime.translator import MAX_THREADS
from marian_distill.runtime.writing import add_writing_options, check_writing_options, run_generator


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_model_dir(parser, "folder of scripts/export_ct2.py, or of scripts/train_causal_lm.py (imports torch)")
    add_writing_options(parser)
    engine = parser.add_argument_group("Engine")
    engine.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    engine.add_argument("--compute-type", default="default", help="CTranslate2 only (default: as on disk)")
    engine.add_argument("--int4", action="store_true", help="Hugging Face only: linear layers in int4 (torchao)")
    engine.add_argument("--threads", type=at_least(0, MAX_THREADS), default=0, help="default: one a core")
    engine.add_argument(
        "--timing", action="store_true", help="tokens a second, first token's delay, peak memory on stderr"
    )
    engine.add_argument("--json", type=Path, help="the same as JSON")
    return parser.parse_args()


def load_generator(arguments: argparse.Namespace) -> TokenGenerator:
    """The engine that the folder is for; torch is imported for a Hugging Face folder alone."""
    folder = arguments.model_dir
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder. Give one that scripts/export_ct2.py wrote.")
    threads = arguments.threads or os.cpu_count() or 1
    if arguments.int4 and (folder / "model.bin").is_file():
        raise UserError("--int4: CTranslate2 computes in int8 at least on a CPU; give the Hugging Face folder")
    if (folder / "model.bin").is_file():
        from marian_distill.runtime.ct2_generator import CTranslate2Generator

        return CTranslate2Generator(folder, arguments.device, arguments.compute_type, threads, arguments.seed)
    import torch

    from marian_distill.evaluation.hf_generator import HFGenerator

    torch.set_num_threads(threads)
    return HFGenerator(folder, arguments.device, arguments.seed, arguments.int4)


def main() -> None:
    arguments = parse_arguments()
    sampling = check_writing_options(arguments)
    generator = load_generator(arguments)
    if arguments.prompt is None and not arguments.input_file and sys.stdin.isatty():
        print(f"{arguments.model_dir}: {generator.compute_type}; :help lists what can be typed", file=sys.stderr)
    cost = Cost()
    run_generator(generator, arguments, sampling, cost)
    report = {"model_dir": str(arguments.model_dir), "compute_type": generator.compute_type, **cost.report()}
    if arguments.json:
        write_json(arguments.json, report)
    if arguments.timing:
        print(
            f"{report['tokens']:,} tokens, {report['tokens_per_second']} a second; first token after "
            f"{report['first_token_ms']} ms; peak memory {report['peak_memory_mb']} MB ({report['compute_type']})",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run_command(main)
