import pytest

from marian_distill.command_line import at_least, between, command_parser
from marian_distill.errors import UserError, run_command


@pytest.fixture
def parser():
    parser = command_parser("What it does.\n\n    example --count 3")
    parser.add_argument("--count", type=at_least(1))
    parser.add_argument("--share", type=between(0, 1))
    return parser


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "0"], "--count: 0: expected a whole number, 1 or more. See --help."),
        (["--count", "3.5"], "--count: 3.5: expected a whole number, 1 or more"),
        (["--share", "1.01"], "--share: 1.01: expected a number from 0 to 1"),
        (["--share", "half"], "--share: half: expected a number from 0 to 1"),
        (["--share", "nan"], "--share: nan: expected a number from 0 to 1"),
        (["--coun", "3"], "unrecognized arguments: --coun 3"),
    ],
)
def test_a_bad_option_is_a_line_that_names_it(parser, options, message):
    with pytest.raises(UserError) as error:
        parser.parse_args(options)
    assert message in str(error.value)


def test_good_options_are_numbers_and_help_is_as_written(parser):
    options = parser.parse_args(["--count", "3", "--share", "0.25"])
    assert (options.count, options.share) == (3, 0.25)
    assert "What it does.\n\n    example --count 3\n" in parser.format_help()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda folder: folder.joinpath("file").mkdir(), "file: File exists. Give another path."),
        (lambda folder: folder.joinpath("file", "below").mkdir(), "below: Not a directory. Give another path."),
        (lambda folder: folder.write_text(""), "Is a directory. Give another path."),
    ],
)
def test_a_path_that_cannot_be_written_is_told_in_one_line(action, message, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as leaving:
        run_command(lambda: action(tmp_path))
    assert leaving.value.code == 2
    assert message in capsys.readouterr().err


def reset():
    raise ConnectionResetError("gone")


def test_other_mistakes_of_the_system_are_not_hidden():
    with pytest.raises(ConnectionResetError):
        run_command(reset)
