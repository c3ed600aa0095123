"""What a language model's answer has around the translation, and how it comes off."""

import re

_THOUGHT = re.compile(r"\s*<think>.*?</think>\s*", re.DOTALL)
_FENCE = re.compile(r"\s*```[^\n]*\n(.*?)\n?```\s*", re.DOTALL)
_LABEL = re.compile(
    r"\s*(?:the )?(?:(?:english|chinese|simplified chinese) )?(?:translation|translated text|answer|output)\s*[:：]\s*"
    r"|\s*(?:译文|翻译(?:结果)?|中文|英文|(?:简体)?中文翻译|英文翻译|答案)(?:如下)?\s*[:：]\s*",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"\s*(?:sure|certainly|of course|okay|here(?:'s| is| are)|the translation|好的|当然|以下是|这是)[^\n]*[:：]\s*\n+",
    re.IGNORECASE,
)
# What begins a remark after a translation, on a line of its own or in brackets at the end.
REMARK = re.compile(
    r"(?:\*{0,2})(?:note|notes|explanation|remark|alternatively|literal(?:ly)?|pinyin|注意|注|备注|说明|解释|拼音|或者)\b"
    r"[^\n]{0,12}?[:：]",
    re.IGNORECASE,
)
_BRACKETS = re.compile(
    r"\s*[(（]\s*(?:note|literal(?:ly)?|i\.e\.|pinyin|注|说明|解释)\s*[:：,，][^()（）]*[)）]\s*$", re.IGNORECASE
)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_QUOTES = (('"', '"'), ("“", "”"), ("‘", "’"), ("'", "'"), ("「", "」"), ("『", "』"), ("`", "`"))


def clean_answer(answer: str, source: str) -> str:
    """The translation in an answer to `source`: without thoughts, labels, fences, remarks, quotes of the model's own.

    What is left may still not be one; `teachers.filters` judges that.
    """
    text = _THOUGHT.sub("", answer, count=1) if "<think>" not in source else answer
    if "```" not in source and (fenced := _FENCE.fullmatch(text)):
        text = fenced[1]
    if not _OPENING.match(source):
        text = _OPENING.sub("", text, count=1)
    if not _LABEL.match(source) and (label := _LABEL.match(text)):
        text = text[label.end() :]
    text = _without_remarks(text.strip(), source)
    if "**" not in source and "__" not in source:
        text = _BOLD.sub(r"\2", text)
    return _without_quotes(text.strip(), source)


def _without_remarks(text: str, source: str) -> str:
    lines = text.split("\n")
    if "\n" not in source.strip() and not REMARK.match(source):
        first = next(
            (number for number, line in enumerate(lines) if number and REMARK.match(line.strip(" (（-"))), None
        )
        text = "\n".join(lines[:first]).rstrip()
    return text if _BRACKETS.search(source) else _BRACKETS.sub("", text)


def _without_quotes(text: str, source: str) -> str:
    if source.strip()[:1] in {mark for pair in _QUOTES for mark in pair}:
        return text
    for left, right in _QUOTES:
        inner = text[1:-1]
        if len(text) > 2 and text[0] == left and text[-1] == right and left not in inner and right not in inner:
            return inner.strip()
    return text
