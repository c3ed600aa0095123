"""Translate English and Chinese on this machine.

    distill-zh-en translate --model-dir MODEL                          a prompt; :help lists its commands
    distill-zh-en translate --model-dir MODEL --text "give me a latte"
    distill-zh-en serve --model-dir MODEL                              an API and a page on http://127.0.0.1:5000

`distill-zh-en serve --help` and `distill-zh-en translate --help` list the options. Without --model-dir: the models in
models/ and outputs/.
"""

from marian_distill.command_line import CommandParser, command_parser
from marian_distill.errors import run_command
from marian_distill.serving.command import add_serving_options, serve
from marian_distill.serving.translating import add_translating_options, translate


def main() -> None:
    """The command `distill-zh-en` of the installed package."""
    run_command(_run)


def _run() -> None:
    parser = command_parser(__doc__)
    commands = parser.add_subparsers(title="Commands", required=True, metavar="COMMAND", parser_class=CommandParser)
    for name, explanation, add_options, run in (
        ("translate", "a prompt, a text, a pipe or a file", add_translating_options, translate),
        ("serve", "an HTTP API and a page", add_serving_options, serve),
    ):
        command = commands.add_parser(name, help=explanation, description=explanation, allow_abbrev=False)
        add_options(command)
        command.set_defaults(run=run)
    arguments = parser.parse_args()
    arguments.run(arguments)
