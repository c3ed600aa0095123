"""Test files: sentence pairs, or words with every translation that is accepted; and whether training has seen them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from marian_distill.errors import UserError
from marian_distill.languages import DIRECTIONS, Direction, Language, languages_of
from marian_distill.text.formats import files_of, kind_and_packing, read_rows

HEADER = "en\tzh"
# Of a file whose cells hold alternatives with a bar between them.
ALTERNATIVES, BAR = "en|\tzh|", "|"


class EvaluationSet(NamedTuple):
    """What a test file holds, English first.

    Args:
        path: the file.
        rows: for each row the English texts and the Chinese ones; the first of a side is its source.
        direction: the only one that the file is for (`untidy.en-zh.tsv`); None where it is for both.
        words: whether its cells hold alternatives: words and short phrases, which training text has too.
    """

    path: Path
    rows: list[tuple[tuple[str, ...], tuple[str, ...]]]
    direction: Direction | None = None
    words: bool = False

    @property
    def name(self) -> str:
        """The file's name without its endings: `untidy` of untidy.en-zh.tsv."""
        return self.path.name.removesuffix(".tsv").removesuffix(f".{self.direction}")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """English and Chinese, the first alternative of each."""
        return [(english[0], chinese[0]) for english, chinese in self.rows]

    def side(self, language: Language) -> list[tuple[str, ...]]:
        """The texts of one language."""
        column = 0 if language == "en" else 1
        return [row[column] for row in self.rows]

    def sources(self, direction: Direction) -> list[str]:
        """What is translated."""
        return [texts[0] for texts in self.side(languages_of(direction)[0])]

    def references(self, direction: Direction) -> list[list[str | None]]:
        """As sacreBLEU takes them: a list a rank of alternatives, None where a row has no more."""
        texts = self.side(languages_of(direction)[1])
        most = max(map(len, texts))
        return [[one[rank] if rank < len(one) else None for one in texts] for rank in range(most)]

    def check_direction(self, direction: Direction) -> None:
        """`UserError` where the file is for the other direction alone."""
        if self.direction not in (None, direction):
            raise UserError(f"{self.path}: is for {self.direction} alone, as its name says, not for {direction}")


def read_evaluation_set(path: str | Path, max_rows: int | None = None) -> EvaluationSet:
    """Read a TSV with the header `en<TAB>zh`, or `en|<TAB>zh|` where `|` stands between alternatives.

    Or another kind of parallel file: FILE.en and FILE.zh, CSV, JSONL, Parquet. Nothing is passed over, so that a score
    is of all rows.

    Raises:
        UserError: no such file, another header, or a bad line, by file and line.
    """
    path = Path(path)
    if path.suffix == ".parquet" or (kind_and_packing(path)[0] != ".tsv" and files_of(path)):
        return EvaluationSet(path, [((english,), (chinese,)) for english, chinese in _parallel(path)[:max_rows]])
    rows, several = [], False
    for number, columns, several in _read(path):
        english, chinese = (
            tuple(one.strip() for one in column.split(BAR)) if several else (column,) for column in columns
        )
        if not all(map(str.strip, english + chinese)):
            raise UserError(f"{path}, line {number}: an empty alternative beside a {BAR!r}")
        rows.append((english, chinese))
        if len(rows) == max_rows:
            break
    only: Direction | None = None
    for direction in DIRECTIONS:
        if path.name.endswith(f".{direction}.tsv"):
            only = direction
    return EvaluationSet(path, rows, only, several)


def read_test_file(path: str | Path) -> list[tuple[str, str]]:
    """The (English, Chinese) pairs of a test file (see `read_evaluation_set`)."""
    return read_evaluation_set(path).pairs


def read_hypotheses(path: str | Path, test: EvaluationSet) -> list[str]:
    """Somebody's translations of a test set, a line each.

    Raises:
        UserError: no such file, not UTF-8, all empty, or not as many lines as the test set has rows.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    with path.open("rb") as stream:
        lines = [_decoded(path, number, raw).strip() for number, raw in enumerate(stream, start=1)]
    if not any(lines):
        raise UserError(f"{path}: is empty; expected a translation a line, as many as {test.path} has rows")
    if len(lines) != len(test.rows):
        raise UserError(f"{path}: has {len(lines)} lines, {test.path} {len(test.rows)} rows; expected as many")
    return lines


def _decoded(path: Path, number: int, line: bytes) -> str:
    """A line without its end, nor a byte order mark at the start of the file."""
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}, line {number}: not valid UTF-8 ({error.reason})") from error


def _read(path: Path) -> Iterator[tuple[int, Sequence[str], bool]]:
    """Line number, the two columns, and whether cells hold alternatives."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    several, number = False, 0
    with path.open("rb") as stream:  # lines end at \n alone: U+2028 and the like may stand inside a sentence
        for number, raw in enumerate(stream, start=1):
            line = _decoded(path, number, raw)
            if number == 1:
                if line not in (HEADER, ALTERNATIVES):
                    raise UserError(
                        f"{path}, line 1: header {line!r}, expected 'en\\tzh' (two columns, a tab between)"
                    )
                several = line == ALTERNATIVES
                continue
            columns = line.split("\t")
            if len(columns) != 2 or not all(column.strip() for column in columns):
                raise UserError(f"{path}, line {number}: expected English, a tab, Chinese; found {line[:60]!r}")
            yield number, columns, several
    if number < 2:
        raise UserError(f"{path}: no sentence pairs. Expected the header 'en\\tzh', then one pair a line.")


def _parallel(path: Path) -> list[tuple[str, str]]:
    """Pairs of FILE.en and FILE.zh, CSV, JSONL or Parquet."""
    if path.suffix == ".parquet":
        from marian_distill.text.corpus import CorpusSource, load_parallel  # `datasets`: for those who need it

        rows = load_parallel(CorpusSource(str(path)))
        pairs = list(zip(rows["en"], rows["zh"], strict=True))
    else:
        pairs = [(english, chinese) for english, chinese, _ in read_rows(path)]
    for number, pair in enumerate(pairs, start=1):
        if not all(side.strip() for side in pair):
            raise UserError(f"{path}: pair {number} has no text on one side; mend or remove it")
    if not pairs:
        raise UserError(f"{path}: no sentence pairs")
    return pairs
