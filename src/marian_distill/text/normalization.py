"""The text normalisation that is compiled into the .spm, so that Python, phone and board all apply the same one.

SentencePiece's own rules (NFKC) turn `，？！：` into ASCII; Chinese output must keep them. These rules do four things:
full-width letters, digits and signs (`％＄＋＠＃`, no punctuation) become ASCII, every kind of space becomes a space,
invisible characters and controls go, and decomposed characters are composed (NFC). How SentencePiece applies them:
longest match first, once, left to right
(https://github.com/google/sentencepiece/blob/master/doc/normalization.md).
"""

import unicodedata
from collections.abc import Iterator

import sentencepiece

# Hangul composes by arithmetic; its 11,172 rules would be half of the table and no text here needs them.
HANGUL = range(0xAC00, 0xD7A4)
# What belongs to an amount, an address or a formula; `，！？：；（）～` is punctuation.
FULL_WIDTH_SIGNS = "＃＄％＆＊＋－．／＜＝＞＠＾＿｜"


def normalization_rules() -> dict[str, str]:
    """What SentencePiece replaces: a character or sequence → its replacement (empty: removed), longest match first."""
    rules: dict[str, str] = {}
    for character in _characters():
        composed = unicodedata.normalize("NFC", character)
        decomposed = unicodedata.normalize("NFD", character)
        if composed != character:
            rules[character] = composed
        elif decomposed != character:
            rules[decomposed] = composed
            rules[_one_step(character)] = composed  # "ê" + acute: composed but for the last mark
        elif (replacement := _replacement(character)) is not None:
            rules[character] = replacement
    return rules


def normalizer() -> sentencepiece.SentencePieceNormalizer:
    """The compiled rules, to be built into a model by `SentencePieceTrainer.train(normalizer=…)`.

    They are given as a table, not as a file: SentencePiece would write the file's path into the model. The model names
    its rules "nmt_nfkc" all the same, the default of a field that nothing reads once they are compiled.
    """
    sentencepiece.set_min_log_level(2)
    return sentencepiece.SentencePieceNormalizer(norm_map=sorted(normalization_rules().items()))


def _characters() -> Iterator[str]:
    for code in range(1, 0x30000):
        if code not in HANGUL and unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs"):
            yield chr(code)


def _replacement(character: str) -> str | None:
    category = unicodedata.category(character)
    if category.startswith("Z") or character in "\t\n\r\v\f\x85":
        return " " if character != " " else None
    if category in ("Cc", "Cf"):
        return ""
    full_width = "\uff01" <= character <= "\uff5e" and category in ("Lu", "Ll", "Nd")
    if full_width or character in FULL_WIDTH_SIGNS:
        return unicodedata.normalize("NFKC", character)
    return None


def _one_step(character: str) -> str:
    return "".join(chr(int(code, 16)) for code in unicodedata.decomposition(character).split())
