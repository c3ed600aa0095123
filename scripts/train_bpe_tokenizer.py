"""Train the byte-level BPE tokenizer of a language model.

    uv run -s scripts/train_bpe_tokenizer.py --text book.txt --vocab-size 8000 --output-dir tokenizers/book8k
    uv run -s scripts/train_bpe_tokenizer.py --text corpus.tsv.gz --sides zh --output-dir tokenizers/chinese8k

Text is plain UTF-8, JSONL with a `text` in every record, or parallel files (each sentence counts), also .gz and .xz.
Writes tokenizer.json and tokenizer_config.json, which transformers and the library `tokenizers` load.
"""

import argparse
import random
import sys
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.locks import folder_lock

REPORT_SAMPLES = 2_000


def parse_arguments() -> argparse.Namespace:
    from marian_distill.text.byte_bpe import SMALLEST
    from marian_distill.text.samples import SIDES

    parser = command_parser(__doc__)
    parser.add_argument(
        "--text", type=Path, nargs="+", action="extend", required=True, help="files, may be given often"
    )
    parser.add_argument("--output-dir", type=Path, required=True, help="a tokenizer that is there is replaced")
    parser.add_argument("--sides", choices=SIDES, default="both", help="of parallel files (default: %(default)s)")
    parser.add_argument(
        "--vocab-size", type=at_least(SMALLEST), default=8_000, help="tokens in all (default: %(default)s)"
    )
    parser.add_argument(
        "--max-samples", type=at_least(1), default=200_000, help="a seeded sample of so many (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=42, help="of the sample (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.files import atomic_directory, check_replaceable, write_json
    from marian_distill.text.byte_bpe import KIND, tokens_and_bytes, train_byte_bpe
    from marian_distill.text.samples import read_samples

    with folder_lock(arguments.output_dir):
        check_replaceable(arguments.output_dir, KIND)
        texts = [text for path in arguments.text for text in read_samples(path, "lines", arguments.sides)]
        if not texts:
            raise UserError(f"{arguments.text[0]}: no text in it")
        random.Random(arguments.seed).shuffle(texts)
        texts = texts[: arguments.max_samples]
        print(f"training {arguments.vocab_size:,} tokens on {len(texts):,} lines", file=sys.stderr)
        with atomic_directory(arguments.output_dir, KIND) as folder:
            tokenizer = train_byte_bpe(texts, folder, arguments.vocab_size)
            tokens, size = tokens_and_bytes(tokenizer, texts[:REPORT_SAMPLES])
            report = {
                "text": [path.name for path in arguments.text],
                "samples": len(texts),
                "vocab_size": tokenizer.size,
                "bytes_per_token": round(size / tokens, 3),
            }
            write_json(folder / "tokenizer_report.json", report)
    print(f"{report['vocab_size']:,} tokens, {report['bytes_per_token']} bytes a token of this text")
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)
