"""Sentence patterns × slots: English–Chinese pairs made by rule, with a held-out split by pattern and by slot value.

A pattern is one line, `English | 中文`, with `{slots}` on both sides. A slot's value knows its forms in both languages
and which strings of it must survive translation. `{cup.a}` asks for the form "a"; `{city1}` and `{city2}` are two
different values of the slot `city`. A line that begins with `* ` is a held-out pattern: never in the training split.
"""

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from marian_distill.errors import UserError
from marian_distill.text.numbers import survives

Split = Literal["train", "unseen_values", "unseen_patterns"]
SPLITS: tuple[Split, ...] = get_args(Split)

HELD_OUT_ONE_IN = 10  # this share of the values of an open slot (or of a pattern's combinations) is never trained on
NO_FULL_STOP, LOWER_CASE = 0.2, 0.2  # shares of pairs written as people type: without the full stop, in lower case
PATIENCE = 30  # a pattern that gave nothing new this many times in a row is exhausted

SLOT = re.compile(r"\{(?P<name>[a-z_]+)(?P<index>\d?)(?:\.(?P<form>\w+))?\}")


@dataclass(frozen=True)
class Value:
    """What may stand in a slot.

    Attributes:
        forms: form name → (English, Chinese); the plain form is `""`.
        key: identity of the value, whichever form it takes; held-out values are chosen by its hash.
        keep_in_en, keep_in_zh: strings that a right translation into English, or into Chinese, must hold.
    """

    forms: Mapping[str, tuple[str, str]]
    key: str
    keep_in_en: tuple[str, ...] = ()
    keep_in_zh: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slot:
    """A source of values. `draw(rng, theme)`: `theme` is one number in [0, 1) a sentence, so that its amounts agree.

    The values of an open slot (amounts, dates, flight numbers) are held out themselves. A word that was never seen
    cannot be translated, so of closed slots (drinks, cities) only combinations within a pattern are held out.
    """

    draw: Callable[[random.Random, float], Value]
    open: bool


@dataclass(frozen=True)
class Pattern:
    """An English and a Chinese template over the same slots. The English template is the pattern's name."""

    domain: str
    en: str
    zh: str
    slots: Mapping[str, Slot]
    held_out: bool


@dataclass(frozen=True)
class Example:
    """A pair: its texts, where it comes from, and the strings that must stand in a translation of it."""

    en: str
    zh: str
    domain: str
    pattern: str
    values: tuple[str, ...]
    keep_in_en: tuple[str, ...]
    keep_in_zh: tuple[str, ...]


def one(en: str, zh: str, keep: Sequence[str] = (), **forms: tuple[str, str]) -> Value:
    """A value with a plain form, the strings kept in both languages, and further forms by name."""
    return Value({"": (en, zh), **forms}, key=en, keep_in_en=tuple(keep), keep_in_zh=tuple(keep))


def closed(values: Sequence[Value]) -> Slot:
    """A slot over a closed list of words."""
    return Slot(lambda rng, theme: rng.choice(values), open=False)


def one_of(*slots: Slot) -> Slot:
    """An open slot over the values of several; the amounts of one sentence are of one kind."""

    def draw(rng: random.Random, theme: float) -> Value:
        slot, theme = divmod(theme * len(slots), 1)
        return slots[int(slot)].draw(rng, theme)

    return Slot(draw, open=True)


def words(table: str) -> tuple[Value, ...]:
    """Values from `en = zh, en = zh, …`."""
    return tuple(one(en, zh) for en, zh in _entries(table))


def nouns(measure: str, table: str) -> tuple[Value, ...]:
    """Countable nouns that share a measure word, from `singular / plural = zh`; a regular plural may be left out.

    Forms: plain (latte 拿铁), `a` (a latte 一杯拿铁), `this` (this latte 这杯拿铁), `many` (lattes 拿铁) and, for the
    Chinese side alone, `measure` (杯).
    """
    return tuple(noun(en, zh, measure) for en, zh in _entries(table))


def noun(en: str, zh: str, measure: str) -> Value:
    """One countable noun, `singular` or `singular / plural`, with the forms of `nouns`."""
    singular, _, irregular = en.partition(" / ")
    return one(
        singular,
        zh,
        a=(with_article(singular), f"一{measure}{zh}"),
        this=(f"this {singular}", f"这{measure}{zh}"),
        many=(irregular or plural(singular), zh),
        measure=("", measure),
    )


def _entries(table: str) -> list[tuple[str, str]]:
    """The (en, zh) pairs of a comma-separated table."""
    pairs = [entry.split("=") for entry in table.replace("\n", " ").split(",") if entry.strip()]
    return [(en.strip(), zh.strip()) for en, zh in pairs]


def with_article(phrase: str) -> str:
    """`a latte`, `an espresso`."""
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"


def plural(singular: str) -> str:
    """Regular English plural of a noun phrase's last word."""
    if singular.endswith("y") and singular[-2] not in "aeiou":
        return f"{singular[:-1]}ies"
    return singular + ("es" if singular.endswith(("s", "x", "ch", "sh")) else "s")


def read_patterns(domain: str, slots: Mapping[str, Slot], table: str) -> list[Pattern]:
    """Patterns from a table, one `English | 中文` a line (`* ` in front: held out)."""
    patterns = []
    for line in filter(None, map(str.strip, table.splitlines())):
        en, zh = (side.strip() for side in line.removeprefix("* ").split(" | "))
        used = {match["name"] + match["index"]: slots[match["name"]] for match in SLOT.finditer(en)}
        patterns.append(Pattern(domain, en, zh, used, held_out=line.startswith("* ")))
    return patterns


def held_out(key: str) -> bool:
    """Whether a value is held out: a stable hash, the same in every run and on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % HELD_OUT_ONE_IN == 0


def sample(patterns: Sequence[Pattern], split: str, count: int, seed: int) -> list[Example]:
    """Draw `count` distinct pairs, each pattern about as often as the others; the same arguments, the same pairs.

    `train` has training patterns with training values, `unseen_values` training patterns with held-out values, and
    `unseen_patterns` held-out patterns with training values.

    Raises:
        UserError: an unknown split, or more pairs asked than there are.
    """
    if split not in SPLITS:
        raise UserError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    rng = random.Random(f"{patterns[0].domain} {split} {seed}")
    pool = [pattern for pattern in patterns if pattern.held_out == (split == "unseen_patterns")]
    found: dict[str, Example] = {}
    misses = dict.fromkeys((pattern.en for pattern in pool), 0)
    while len(found) < count:
        pool = [pattern for pattern in pool if misses[pattern.en] < PATIENCE]
        if not pool:
            raise UserError(
                f"{patterns[0].domain}, split {split}: {count} distinct examples asked, but the grammar gave only "
                f"{len(found)}. Ask for at most that many (repeats may multiply them)."
            )
        rng.shuffle(pool)
        for pattern in pool[: count - len(found)]:
            values = draw_values(pattern, rng, unseen=split == "unseen_values")
            example = fill(pattern, values, full_stop=rng.random() >= NO_FULL_STOP, lower=rng.random() < LOWER_CASE)
            new = is_held_out(pattern, values) == (split == "unseen_values") and example.en not in found
            misses[pattern.en] = 0 if new else misses[pattern.en] + 1
            if new:
                found[example.en] = example
    return list(found.values())


def draw_values(pattern: Pattern, rng: random.Random, unseen: bool) -> dict[str, Value]:
    """A value for each slot, no two the same; those of open slots all held out, or none of them."""
    theme = rng.random()
    values: dict[str, Value] = {}
    for name, slot in pattern.slots.items():
        taken = {value.key for value in values.values()}
        value = slot.draw(rng, theme)
        while value.key in taken or (slot.open and held_out(value.key) != unseen):
            value = slot.draw(rng, theme)
        values[name] = value
    return values


def is_held_out(pattern: Pattern, values: Mapping[str, Value]) -> bool:
    """Whether a filled pattern belongs to `unseen_values`: by its open values or, having none, by the combination."""
    keys = {name: value.key for name, value in values.items()}
    if open_keys := [keys[name] for name, slot in pattern.slots.items() if slot.open]:
        return any(map(held_out, open_keys))
    return bool(keys) and held_out(" | ".join((pattern.en, *keys.values())))


def fill(pattern: Pattern, values: Mapping[str, Value], full_stop: bool = True, lower: bool = False) -> Example:
    """The pair that a pattern and its values give.

    Args:
        pattern: the pattern.
        values: a value for each of its slots, by name.
        full_stop: keep the final full stop, where there is one, on both sides.
        lower: write the English in lower case, all but the slot values (names, codes, currencies stay as they are).
    """
    en = _render(pattern.en.lower() if lower else pattern.en, values, side=0)
    zh = _render(pattern.zh, values, side=1)
    if not lower:
        en = re.sub(r"(?:^|(?<=[.?!] ))[a-z]", lambda match: match[0].upper(), en)
    if not full_stop:
        en, zh = en.removesuffix("."), zh.removesuffix("。")
    return Example(
        en=en,
        zh=zh,
        domain=pattern.domain,
        pattern=pattern.en,
        values=tuple(value.key for value in values.values()),
        keep_in_en=tuple(kept for value in values.values() for kept in value.keep_in_en),
        keep_in_zh=tuple(kept for value in values.values() for kept in value.keep_in_zh),
    )


def _render(template: str, values: Mapping[str, Value], side: int) -> str:
    """One side of a template (0 English, 1 Chinese) with its slots filled."""
    return SLOT.sub(lambda m: values[m["name"] + m["index"]].forms[m["form"] or ""][side], template)


def amounts_kept(example: Example, hypothesis: str, language: Literal["en", "zh"] = "zh") -> bool:
    """Whether a translation of `example` into `language` holds every amount, date and code to the character."""
    kept = example.keep_in_zh if language == "zh" else example.keep_in_en
    return all(survives(string, hypothesis) for string in kept)
