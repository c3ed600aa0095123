"""BLEU and chrF++ with their signatures, by sacreBLEU (https://aclanthology.org/W18-6319), and the test files."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import sacrebleu

from marian_distill.errors import UserError
from marian_distill.languages import CHRF_WORD_ORDER, Language
from marian_distill.text.formats import files_of, kind_and_packing, read_rows

TEST_FILE_HEADER = "en\tzh"


class Score(TypedDict):
    """A corpus score from 0 to 100 and the sacreBLEU signature that says how it was computed."""

    score: float
    signature: str


def bleu(hypotheses: Sequence[str], references: Sequence[str], target_language: Language) -> Score:
    """Corpus BLEU; Chinese is split into characters (`zh`), English by the `13a` rules."""
    metric = sacrebleu.BLEU(tokenize="zh" if target_language == "zh" else "13a")
    return _score(metric, hypotheses, references)


class Metric(NamedTuple):
    """A character F-score: what decides which of two translations, or of two models, is better.

    Args:
        name: as tables have it; in lower case it is the key of reports.
        word_order: longest word n-grams that count beside the characters.
    """

    name: str
    word_order: int

    def corpus(self, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
        """Score of a corpus."""
        return _score(sacrebleu.CHRF(word_order=self.word_order), hypotheses, references)


def metric_for(target_language: Language) -> Metric:
    """chrF++ for English; for Chinese chrF, which counts no words (see `CHRF_WORD_ORDER`)."""
    order = CHRF_WORD_ORDER[target_language]
    return Metric("chrF" + "+" * order, order)


def chrf_plus_plus(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus chrF++: character n-grams to 6 and word n-grams to 2 (Popović 2017)."""
    return _score(sacrebleu.CHRF(word_order=2), hypotheses, references)


def _score(metric: sacrebleu.BLEU | sacrebleu.CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    if len(hypotheses) != len(references) or not hypotheses:
        raise ValueError(f"{len(hypotheses)} hypotheses, {len(references)} references: expected as many, at least one")
    result = metric.corpus_score(list(hypotheses), [list(references)])
    return {"score": round(result.score, 4), "signature": str(metric.get_signature())}


def read_test_file(path: str | Path) -> list[tuple[str, str]]:
    """The (English, Chinese) pairs of a TSV with the header `en<TAB>zh`, or of another kind of parallel file.

    Nothing is passed over, so that a score is of all lines: a bad one is a `UserError` that names it.
    """
    path = Path(path)
    if path.suffix == ".parquet" or (kind_and_packing(path)[0] != ".tsv" and files_of(path)):
        return _read_parallel(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    pairs: list[tuple[str, str]] = []
    with path.open("rb") as stream:  # lines end at \n alone: U+2028 and the like may stand inside a sentence
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise UserError(f"{path}, line {number}: not valid UTF-8 ({error.reason})") from error
            if number == 1:
                if line != TEST_FILE_HEADER:
                    raise UserError(
                        f"{path}, line 1: header {line!r}, expected 'en\\tzh' (two columns, a tab between)"
                    )
                continue
            columns = line.split("\t")
            if len(columns) != 2 or not all(column.strip() for column in columns):
                raise UserError(f"{path}, line {number}: expected English, a tab, Chinese; found {line[:60]!r}")
            pairs.append((columns[0], columns[1]))
    if not pairs:
        raise UserError(f"{path}: no sentence pairs. Expected the header 'en\\tzh', then one pair a line.")
    return pairs


def _read_parallel(path: Path) -> list[tuple[str, str]]:
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
