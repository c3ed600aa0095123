"""Translate with an exported CTranslate2 folder: neither torch nor transformers is needed.

    uv run -s scripts/translate_ct2.py                                       a prompt; :help lists its commands
    uv run -s scripts/translate_ct2.py --text "give me a cup of latte"       the translation alone on stdout
    cat english.txt | uv run -s scripts/translate_ct2.py > chinese.txt       a line in, a line out, at once
    uv run -s scripts/translate_ct2.py --input-file a.txt --output-file b.txt      in batches, with progress
    uv run -s scripts/translate_ct2.py --input-file a.html --output-file b.html --format html --glossary terms.tsv

Long lines are split into sentences and put together again; a translation that is cut is told on stderr. Placeholders,
addresses, code, tags and terms of the glossary come back as they must (docs/protection.md). To install no more than
this needs (no torch), put --no-default-groups after `uv run`.
"""

from marian_distill.command_line import command_parser
from marian_distill.errors import run_command
from marian_distill.serving.translating import add_translating_options, translate


def main() -> None:
    parser = command_parser(__doc__)
    add_translating_options(parser)
    translate(parser.parse_args())


if __name__ == "__main__":
    run_command(main)
