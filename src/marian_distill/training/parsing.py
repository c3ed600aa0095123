"""How a stage's YAML and the command line become the options of `arguments`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from transformers import HfArgumentParser
from transformers.hf_argparser import string_to_bool

from marian_distill.command_line import CommandParser, check_output_path
from marian_distill.errors import UserError
from marian_distill.training.arguments import DataArguments, DistillTrainingArguments, ModelArguments
from marian_distill.training.help import format_help
from marian_distill.training.options import nearest
from marian_distill.yaml_file import read_yaml_object


class _Parser(CommandParser, HfArgumentParser):
    """Options from dataclasses."""

    def print_help(self, file: Any = None, everything: bool = False) -> None:
        """The common options, or all."""
        page = format_help(self.description, self._actions, list(self.dataclass_types), everything=everything)
        print(page, end="", file=file or sys.stdout)


class _HelpAll(argparse.Action):
    def __call__(self, parser: Any, *_: Any) -> NoReturn:
        parser.print_help(everything=True)
        sys.exit()


def parse_arguments(
    arguments: list[str] | None = None, description: str | None = None, model: Any = None, data: Any = None
) -> Any:
    """Options from `--config FILE.yaml` and the command line, which wins: of the model, of its data, of training.

    Args:
        arguments: the command line; default: sys.argv.
        description: head of `--help`.
        model, data: dataclasses of another command's options; default: `ModelArguments`, `DataArguments`.

    Raises:
        UserError: an unknown key or option (the nearest real one is named), a wrong type, options that contradict.
    """
    parser = _Parser(
        [model or ModelArguments, data or DataArguments, DistillTrainingArguments],  # pyright: ignore[reportArgumentType]
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE.yaml", help="A stage: options as YAML; the command line wins.")
    for action in parser._actions:
        if action.type is string_to_bool and action.nargs is None:  # `bool | None`: --fp16 alone means true as well
            action.nargs, action.const = "?", True
    parser.add_argument("--help-all", action=_HelpAll, nargs=0, help="Every option of Hugging Face's, too.")
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if not tokens:
        raise UserError("no options: give a stage, such as --config recipes/quickstart/1_teacher.yaml. See --help.")
    given = {token[2:].split("=")[0].replace("-", "_") for token in tokens if token.startswith("--")}
    known = {action.dest for action in parser._actions}
    unknown = sorted(name for name in given - known if not (name.startswith("no_") and name[3:] in known))
    if unknown and not given & {"help", "help_all"}:
        raise UserError(f"unknown option --{unknown[0].replace('_', '-')}{nearest(unknown[0], known, '--')}")
    config = _config_path(tokens)
    values = {} if config is None else _read_config(config, known)
    from_config = [token for key, value in values.items() if key not in given for token in option_tokens(key, value)]
    try:
        *parsed, _, left_over = parser.parse_args_into_dataclasses(
            from_config + tokens, return_remaining_strings=True, look_for_args_file=False
        )
    except ValueError as error:  # Hugging Face's own checks of its options
        raise UserError(str(error)) from error
    if left_over:
        raise UserError(f"{left_over[0]!r}: not an option. See --help.")
    check_output_path(Path(parsed[2].output_dir), "--output-dir")
    return tuple(parsed)


def _config_path(tokens: list[str]) -> Path | None:
    for given, following in zip(tokens, [*tokens[1:], None], strict=True):
        if given.startswith("--config="):
            return Path(given.removeprefix("--config="))
        if given == "--config" and following is not None:
            return Path(following)
    return None


def _read_config(path: Path, known: set[str]) -> dict[str, Any]:
    values = read_yaml_object(path, "'option: value' lines")
    values = {str(key).replace("-", "_"): value for key, value in values.items()}
    for key in values:
        if key not in known - {"config", "help", "help_all"}:
            raise UserError(f"{path}: unknown key {key!r}{nearest(key, known, '')}")
    return values


def option_tokens(key: str, value: Any) -> list[str]:
    """A YAML value as command-line tokens; null leaves the default."""
    if value is None:
        return []
    if value is False and key.endswith("_strategy"):
        return [f"--{key}=no"]  # YAML reads a bare `no` as false
    if isinstance(value, list):
        return [f"--{key}", *map(str, value)] if value else []
    if isinstance(value, dict):
        return [f"--{key}", json.dumps(value)]
    return [f"--{key}={value}"]
