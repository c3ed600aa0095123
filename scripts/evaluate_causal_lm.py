"""Measure language models on a text: perplexity, bits per byte, size, tokens a second, first token's delay.

    uv run -s scripts/evaluate_causal_lm.py outputs/book outputs/book-ct2-int8 --text held_out.txt --json book.json
    uv run -s scripts/evaluate_causal_lm.py outputs/book outputs/book-ct2-int8 --int4 --text held_out.txt

A row a folder: CTranslate2, or Hugging Face; with --int4 also each Hugging Face folder with its linear layers in int4.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json
from marian_distill.runtime.translator import MAX_THREADS
from marian_distill.text.samples import CUTS, SIDES, read_samples

COLUMNS = {
    "model": "model",
    "compute_type": "type",
    "megabytes": "MB",
    "bits_per_byte": "bits/byte",
    "perplexity": "perplexity",
    "tokens_per_second": "tokens/s",
    "first_token_ms": "first token, ms",
}


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("model_dirs", type=Path, nargs="+", metavar="MODEL_DIR")
    parser.add_argument("--text", type=Path, required=True, help="text that the models were not trained on")
    parser.add_argument("--samples", choices=CUTS, default="lines", help="of plain text (default: %(default)s)")
    parser.add_argument("--sides", choices=SIDES, default="both", help="of parallel files (default: %(default)s)")
    parser.add_argument("--max-samples", type=at_least(1), default=500, help="the first ones (default: %(default)s)")
    parser.add_argument("--int4", action="store_true", help="Hugging Face folders also in int4 (--extra int4)")
    parser.add_argument("--threads", type=at_least(1, MAX_THREADS), default=1, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where the report goes")
    return parser.parse_args()


def rows(arguments: argparse.Namespace, texts: list[str]) -> Iterator[dict]:
    from marian_distill.evaluation.language_model import measure, weight_megabytes

    for folder in arguments.model_dirs:
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder")
        megabytes = weight_megabytes(folder)
        if (folder / "model.bin").is_file():
            from marian_distill.runtime.ct2_generator import CTranslate2Generator

            yield dict(measure(CTranslate2Generator(folder, threads=arguments.threads), str(folder), megabytes, texts))
            continue
        import torch

        from marian_distill.evaluation.hf_generator import HFGenerator
        from marian_distill.evaluation.int4 import stored_megabytes

        torch.set_num_threads(arguments.threads)
        yield dict(measure(HFGenerator(folder), str(folder), megabytes, texts))
        if arguments.int4:
            generator = HFGenerator(folder, int4=True)
            yield dict(measure(generator, str(folder), stored_megabytes(generator.model), texts))


def main() -> None:
    arguments = parse_arguments()
    texts = list(islice(read_samples(arguments.text, arguments.samples, arguments.sides), arguments.max_samples))
    if not texts:
        raise UserError(f"{arguments.text}: no text in it")
    report = []
    print(*COLUMNS.values(), sep="\t")
    for row in rows(arguments, texts):
        report.append(row)
        print(*(row[name] for name in COLUMNS), sep="\t", flush=True)
    if arguments.json:
        write_json(arguments.json, {"text": arguments.text.name, "samples": len(texts), "models": report})


if __name__ == "__main__":
    run_command(main)
