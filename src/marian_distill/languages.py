"""Directions, language tags and sentence-final punctuation: the facts that every wing shares."""

from typing import Literal, get_args

from marian_distill.errors import UserError

Language = Literal["en", "zh"]
Direction = Literal["en-zh", "zh-en"]

# Tags of the Tatoeba-challenge OPUS-MT models; the source starts with the tag of the TARGET language.
TAGS: dict[Language, str] = {"en": ">>eng<<", "zh": ">>cmn_Hans<<"}
FULL_STOPS: dict[Language, str] = {"en": ".", "zh": "。"}
# Longest word n-grams of the character F-score that decides between translations: 2 is chrF++. Text without spaces has
# next to no words, and one sentence with a space in it would move chrF++ by points: for Chinese characters alone.
CHRF_WORD_ORDER: dict[Language, int] = {"en": 2, "zh": 0}
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


def languages_of(direction: str) -> tuple[Language, Language]:
    """Source and target language of `en-zh` or `zh-en`."""
    if direction == "en-zh":
        return "en", "zh"
    if direction == "zh-en":
        return "zh", "en"
    raise UserError(f"direction {direction!r}: expected en-zh or zh-en")


def directions_of(option: str) -> tuple[Direction, ...]:
    """The directions that `--direction en-zh|zh-en|both` stands for."""
    if option == "both":
        return DIRECTIONS
    languages_of(option)
    return (option,)  # pyright: ignore[reportReturnType]


def is_han(character: str) -> bool:
    """Whether a character is a Han ideograph (URO, extensions A–H, compatibility ideographs, and 〇)."""
    code = ord(character)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x323AF
        or code == 0x3007
    )
