"""What the command that writes does with prompts: one, a terminal's, a pipe's or a file's, over any engine."""

import argparse
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from marian_distill.command_line import at_least, between
from marian_distill.errors import UserError
from marian_distill.files import atomic_writer
from marian_distill.runtime.console import read_lines, with_progress
from marian_distill.runtime.generation import Cost, Sampling, TokenGenerator, stream_text
from marian_distill.runtime.prompt import ask

HELP = """\
TEXT               go on from it
:temperature X     draw as boldly as that from now on; 0 takes the likeliest
:tokens N          write at most so many tokens
:help              this list
:q exit quit       leave, as Ctrl-D does; Ctrl-C ends the text that is being written"""
MOST_TOKENS = 100_000


def add_writing_options(parser: argparse.ArgumentParser) -> None:
    """Add what is asked for and how the next token is chosen, each group under its name."""
    prompts = parser.add_argument_group("Prompts")
    prompts.add_argument("--prompt", help="go on from this and end; '' begins from nothing")
    prompts.add_argument("--input-file", type=Path, help="UTF-8 text, a prompt a line")
    prompts.add_argument("--output-file", type=Path, help="its continuations, a line each (a line break in one: \\n)")
    sampling, default = parser.add_argument_group("Sampling"), Sampling()
    sampling.add_argument(
        "--temperature",
        type=between(0, 10),
        default=default.temperature,
        help="0: the likeliest (default: %(default)s)",
    )
    sampling.add_argument(
        "--top-p", type=between(0, 1), default=default.top_p, help="draw from this probability (default: %(default)s)"
    )
    sampling.add_argument(
        "--top-k", type=at_least(0), default=default.top_k, help="draw from the k likeliest; 0: all (default: 0)"
    )
    sampling.add_argument(
        "--repetition-penalty", type=between(0.1, 10), default=1.0, help="above 1: repeat less (default: 1)"
    )
    sampling.add_argument(
        "--max-new-tokens",
        type=at_least(1, MOST_TOKENS),
        default=default.max_new_tokens,
        help="(default: %(default)s)",
    )
    sampling.add_argument(
        "--stop", nargs="+", action="extend", default=[], metavar="TEXT", help="end before this; \\n is a line break"
    )
    sampling.add_argument("--seed", type=at_least(0, 2**31 - 1), help="the same text again from the same seed")


def check_writing_options(arguments: argparse.Namespace) -> Sampling:
    """How tokens are chosen; `UserError` when the options contradict each other or name a file that is not there."""
    if arguments.prompt is not None and arguments.input_file:
        raise UserError("give --prompt or --input-file, not both. See --help.")
    if bool(arguments.input_file) != bool(arguments.output_file):
        raise UserError("--input-file and --output-file go together. See --help.")
    if arguments.input_file and not arguments.input_file.is_file():
        raise UserError(f"{arguments.input_file}: no such file")
    stop = [text.replace("\\n", "\n") for text in arguments.stop]
    if "" in stop:
        raise UserError("--stop '': an empty text is everywhere; name one")
    return Sampling(
        arguments.temperature,
        arguments.top_k,
        arguments.top_p,
        arguments.repetition_penalty,
        arguments.max_new_tokens,
        tuple(stop),
    )


def run_generator(generator: TokenGenerator, arguments: argparse.Namespace, sampling: Sampling, cost: Cost) -> None:
    """Write what the options say: on from a prompt, a file's, a pipe's, or those that are typed.

    Args:
        generator: loaded.
        arguments: with the options of `add_writing_options`.
        sampling: as `check_writing_options` gave it.
        cost: where it is counted.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")  # Windows gives a pipe an encoding that has no Chinese
    if arguments.prompt is not None:
        show(generator, arguments.prompt, sampling, cost)
    elif arguments.input_file:
        with arguments.input_file.open("rb") as stream:
            prompts = list(read_lines(stream, str(arguments.input_file)))
        with atomic_writer(arguments.output_file) as output:
            written = (one_line(generator, prompt, sampling, cost) for prompt in prompts)
            output.writelines(f"{line}\n" for line in with_progress(written, len(prompts)))
    elif sys.stdin.isatty():
        _interact(generator, sampling, cost)
    else:
        for prompt in read_lines(sys.stdin.buffer, "stdin"):
            print(one_line(generator, prompt, sampling, cost), flush=True)


def show(generator: TokenGenerator, prompt: str, sampling: Sampling, cost: Cost) -> None:
    """Write on stdout as the text comes; on a terminal after its prompt."""
    if sys.stdout.isatty():
        print(prompt, end="", flush=True)
    for text in stream_text(generator, prompt, sampling, cost):
        print(text, end="", flush=True)
    print()


def one_line(generator: TokenGenerator, prompt: str, sampling: Sampling, cost: Cost) -> str:
    """A continuation on one line."""
    return (
        "".join(stream_text(generator, prompt, sampling, cost))
        .replace("\\", "\\\\")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
    )


@dataclass
class _Wishes:
    """What may be changed while one types."""

    sampling: Sampling

    def obey(self, command: str) -> None:
        """Do what a command (without its colon) says."""
        name, _, value = command.partition(" ")
        if name == "help":
            print(HELP)
        elif name in ("temperature", "tokens"):
            kind = between(0, 10) if name == "temperature" else at_least(1, MOST_TOKENS)
            field = "temperature" if name == "temperature" else "max_new_tokens"
            try:
                self.sampling = Sampling(**{**vars(self.sampling), field: kind(value.strip())})
            except argparse.ArgumentTypeError as error:
                raise UserError(f":{name} {error}") from error
        else:
            raise UserError(f":{command}: no such command; :help lists them")


def _interact(generator: TokenGenerator, sampling: Sampling, cost: Cost) -> None:
    """Ask for prompts and go on from each."""
    wishes = _Wishes(sampling)
    ask(lambda: "> ", wishes.obey, lambda line: show(generator, line, wishes.sampling, cost))
