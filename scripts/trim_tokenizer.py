"""Cut a language model's byte-level BPE tokenizer down to the tokens that your text uses, for a small student of it.

    uv run -s scripts/trim_tokenizer.py --tokenizer-dir MODEL --text CORPUS.tsv.gz --vocab-size 24000 \\
        --output-dir tokenizers/model24k
    uv run -s scripts/cache_teacher_logits.py --teacher-model MODEL --tokenizer-dir tokenizers/model24k \\
        --dataset CORPUS.tsv.gz --output-dir data/generated/teacher-cache

The student then learns from the model's own distributions, token by token, over a vocabulary that it can afford. All
bytes and special tokens stay, so any text can be written. kept_tokens.json has the old id of each token.
"""

import argparse
from itertools import islice
from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.locks import folder_lock


def parse_arguments() -> argparse.Namespace:
    from marian_distill.text.samples import SIDES

    parser = command_parser(__doc__)
    parser.add_argument("--tokenizer-dir", type=Path, required=True, help="folder with tokenizer.json, or a model's")
    parser.add_argument(
        "--text", type=Path, nargs="+", action="extend", required=True, help="files, may be given often"
    )
    parser.add_argument("--sides", choices=SIDES, default="both", help="of parallel files (default: %(default)s)")
    parser.add_argument("--vocab-size", type=at_least(256), help="most tokens in all (default: as many as are used)")
    parser.add_argument("--min-count", type=at_least(1), default=1, help="times that a token is used at least")
    parser.add_argument("--max-samples", type=at_least(1), help="read at most so many sentences")
    parser.add_argument("--output-dir", type=Path, required=True, help="a tokenizer that is there is replaced")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.files import atomic_directory, check_replaceable
    from marian_distill.text.byte_bpe import KIND
    from marian_distill.text.samples import read_samples
    from marian_distill.text.trimming import trim_byte_bpe
    from marian_distill.tokenizer_file import TokenizerFile

    with folder_lock(arguments.output_dir):
        check_replaceable(arguments.output_dir, KIND)
        tokenizer = TokenizerFile(arguments.tokenizer_dir)
        samples = (text for path in arguments.text for text in read_samples(path, "lines", arguments.sides))
        texts = list(islice(samples, arguments.max_samples))
        if not texts:
            raise UserError(f"{arguments.text[0]}: no text in it")
        with atomic_directory(arguments.output_dir, KIND) as folder:
            trimmed = trim_byte_bpe(tokenizer, texts, folder, arguments.vocab_size, arguments.min_count)
    longer = 100 * (trimmed.tokens_after / max(trimmed.tokens_before, 1) - 1)
    print(f"kept {len(trimmed.kept):,} of {tokenizer.size:,} tokens; this text is {longer:.2f} % longer in tokens")
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)
