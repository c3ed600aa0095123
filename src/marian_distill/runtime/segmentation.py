"""Long text to segments that a sentence model can take, and their translations back to one text.

The same rules serve English, Chinese and text that mixes them: no language has to be named to split.
"""

import re
from collections.abc import Callable, Sequence

from marian_distill.languages import Language, is_han

# Stands in a text for what is not to be translated (`spans.py`): a private-use character, which no text has.
MASK = "\U000f0000"
_CLOSERS = "\"'”’」』）)】》〉\\]"
_OPENERS = "\"'“‘「『（(【《〈\\["
# A full-width stop ends a sentence wherever it stands; an ASCII one only before a space or a Han character.
_SENTENCE_END = re.compile(
    rf"[。！？]+[{_CLOSERS}]*\s*"
    rf"|[.!?…]+[{_CLOSERS}]*\s+(?=[{_OPENERS}]*[A-Z0-9\u4e00-\u9fff$€£¥{MASK}])"
    rf"|[!?]+[{_CLOSERS}]*(?=[\u4e00-\u9fff])"
)
# Written with a full stop that does not end a sentence (or may not: two sentences in one segment do less harm).
_ABBREVIATIONS = re.compile(
    r"mr|mrs|ms|dr|prof|st|mt|jr|sr|vs|etc|e\.g|i\.e|cf|approx|nos?|vol|fig|pp?|ca|al|gen|col|capt|lt|sgt|rev|hon|gov|sen"
    r"|rep|inc|ltd|co|corp|dept|est|[ap]\.m|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|tel|ext|ave|blvd",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"(?:^|[\s(\[\"'“‘])([A-Za-z][A-Za-z.]*)\.$")
_NUMBERED_ITEM = re.compile(r"(?:^|\s)\d{1,2}\.$")
_CLAUSE = re.compile(r".+?(?:[,;:]\s+|[，；：]|$)", re.DOTALL)

# Where an over-long sentence may be cut, best first; each pattern matches whole units, so nothing is lost.
_UNITS = (
    re.compile(r".+?(?:[;；]\s*|$)", re.DOTALL),
    re.compile(r".+?(?:,\s+|[，：、]|:\s+|$)", re.DOTALL),
    re.compile(r"\s*\S+\s*"),
    re.compile(r"[!-~]+\s*|[^!-~]", re.DOTALL),  # a run of ASCII (a number, a word) or one other character
    re.compile(r".", re.DOTALL),
)


def split_sentences(line: str) -> list[str]:
    """Sentences of one line, each stripped; decimals, abbreviations and initials do not end one."""
    sentences, start = [], 0
    for match in _SENTENCE_END.finditer(line):
        if match.group().rstrip().rstrip("\"'”’」』）)】》〉]") == "." and _is_abbreviated(
            line[start : match.start() + 1]
        ):
            continue
        sentences.append(line[start : match.end()].strip())
        start = match.end()
    sentences.append(line[start:].strip())
    return [sentence for sentence in sentences if sentence]


def split_clauses(sentence: str) -> list[str]:
    """Parts of a sentence that end in a comma, a colon or a semicolon, each stripped."""
    return [clause.strip() for clause in _CLAUSE.findall(sentence) if clause.strip()]


def _is_abbreviated(text: str) -> bool:
    """Whether the full stop that ends `text` belongs to its last word: Mr., U.S., an initial, `3.` of a list."""
    if _NUMBERED_ITEM.search(text):
        return True
    match = _LAST_WORD.search(text)
    if match is None:
        return False
    word = match.group(1)
    is_initials = all(len(part) == 1 for part in word.split(".")) and word != "I"
    return is_initials or _ABBREVIATIONS.fullmatch(word) is not None


def segment_line(line: str, length: Callable[[str], int], max_length: int) -> list[str]:
    """Cut one line into segments of at most `max_length` by `length` (source tokens, say), nothing left out.

    A line within the bound stays whole, however many sentences it holds. A longer one is split into sentences, and a
    sentence that is itself too long at semicolons, then commas, then spaces, then between characters.
    """
    line = line.strip()
    if not line:
        return []
    if length(line) <= max_length:
        return [line]
    return [part for sentence in split_sentences(line) for part in _shorten(sentence, length, max_length, _UNITS)]


def _shorten(
    text: str, length: Callable[[str], int], max_length: int, patterns: Sequence[re.Pattern[str]]
) -> list[str]:
    text = text.strip()
    if length(text) <= max_length or not patterns:
        return [text]
    packed: list[str] = []
    for unit in patterns[0].findall(text):
        if packed and length((packed[-1] + unit).rstrip()) <= max_length:
            packed[-1] += unit
        else:
            packed.append(unit)
    return [part for unit in packed for part in _shorten(unit, length, max_length, patterns[1:]) if part]


def join_segments(segments: Sequence[str], language: Language) -> str:
    """One line from the translations of its segments: English with spaces, Chinese without.

    Two Chinese segments of which one ends and the next begins in ASCII (`19.99` and `20`) keep a space, or their
    numbers would run together.
    """
    joined = ""
    for segment in segments:
        text = segment.strip()
        glue = " " if joined and text and (language == "en" or would_run_together(joined[-1], text[0])) else ""
        joined += glue + text
    return joined


def one_line(text: str) -> str:
    """What a model says, with one space for any white space: a line has a line for its translation."""
    return " ".join(text.split())


def would_run_together(left: str, right: str) -> bool:
    """Whether two characters side by side would make one word or number of two."""
    return left.isalnum() and right.isalnum() and not (is_han(left) or is_han(right))
