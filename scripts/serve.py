"""Serve translations over HTTP: an API, those of LibreTranslate, DeepL and browser extensions, and a page.

    uv run --extra=serve -s scripts/serve.py                     the models at hand, on http://127.0.0.1:5000
    uv run --extra=serve -s scripts/serve.py --model-dir outputs/mine/ct2-int8 --host 0.0.0.0 --port 8080

docs/serving.md shows clients and limits. A model folder that changes is exchanged while the server runs (SIGHUP: at
once). To install no more than this needs (no torch), put --no-default-groups after `uv run`.
"""

from marian_distill.command_line import command_parser
from marian_distill.errors import run_command
from marian_distill.serving.command import add_serving_options, serve


def main() -> None:
    parser = command_parser(__doc__)
    add_serving_options(parser)
    serve(parser.parse_args())


if __name__ == "__main__":
    run_command(main)
