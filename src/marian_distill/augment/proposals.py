"""Sentence patterns from outside the program: proposed by a language model, checked by rule, corrected by a person.

They are kept as a CSV with the header `en,zh`, a pattern a line as in the domains' own tables, slots in braces.
"""

import csv
import random
import re
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from marian_distill.augment import patterns_of
from marian_distill.augment.grammar import SLOT, Pattern, Slot, amounts_kept, draw_values, fill, read_patterns
from marian_distill.edited import check_unedited, unedited_writer
from marian_distill.errors import UserError
from marian_distill.languages import is_han
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.filters import is_traditional
from marian_distill.teachers.llm.prompt import Conversation, check_keys, check_slots
from marian_distill.teachers.llm.prompt import fill as fill_prompt
from marian_distill.teachers.llm.teacher import Backend
from marian_distill.yaml_file import read_yaml_object

HEADER = ["en", "zh"]
ENDS = {".": "。", "?": "？", "!": "！"}
WORDS, CHARACTERS = range(2, 25), range(2, 41)  # of a pattern, a slot counting as one
# Chinese characters and slots for an English word or slot, in the domains' own patterns: 0.6 to 2.8.
RATIO = (0.5, 3.0)
_ASCII_PUNCTUATION = re.compile(r"[,;:?!.]")
_NUMBERING = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s*")
_SLOT_KEYS = {"count", "domain", "slot_list", "example_list"}
ASKED_AT_ONCE = 20
MAX_NEW_TOKENS = 2000
EXAMPLES = 12
PATIENCE = 3  # rounds in a row without a new pattern


def slots_of(domain: str) -> Mapping[str, Slot]:
    """A domain's slots by name."""
    return import_module(f"marian_distill.augment.{domain}").SLOTS


def fault_of_pattern(en: str, zh: str, slots: Mapping[str, Slot], known: Collection[str]) -> str:
    """Why a pair of templates is no pattern; "" when it is one.

    Args:
        en, zh: the templates.
        slots: what may be filled in.
        known: English templates that are there, as `plain` has them.
    """
    if plain(en) in known:
        return "is there already"
    names = [[match["name"] + match["index"] for match in SLOT.finditer(side)] for side in (en, zh)]
    unknown = [name for name in names[0] + names[1] if name.rstrip("0123456789") not in slots]
    if unknown:
        return f"no slot {{{unknown[0]}}} in this domain"
    if sorted(names[0]) != sorted(names[1]) or len(set(names[0])) != len(names[0]):
        return "the slots are not the same on both sides, each once"
    rest_en, rest_zh = SLOT.sub("", en), SLOT.sub("", zh)
    if set("{}|") & set(rest_en + rest_zh):
        return "braces or bars that belong to no slot"
    if ENDS.get(en[-1:]) != zh[-1:]:
        return "one side ends with another punctuation mark than the other"
    if any(map(is_han, rest_en)) or not rest_en.isascii() or not re.search("[A-Za-z]", rest_en):
        return "the English is not English"
    if re.search("[A-Za-z]", rest_zh) or not any(map(is_han, rest_zh)) or any(map(is_traditional, rest_zh)):
        return "the Chinese is not simplified Chinese"
    if _ASCII_PUNCTUATION.search(rest_zh):
        return "English punctuation in the Chinese"
    words = len(SLOT.sub(" X ", en).split())
    characters = len(re.sub(r"[，。？！：；、\s]", "", SLOT.sub("字", zh)))
    if words not in WORDS or characters not in CHARACTERS or not RATIO[0] <= characters / words <= RATIO[1]:
        return "one side is too long or too short"
    return fault_when_filled(en, zh, slots)


def fault_when_filled(en: str, zh: str, slots: Mapping[str, Slot]) -> str:
    """What goes wrong when a pattern is filled a few times: a form that a value lacks, an amount that is lost."""
    (pattern,) = read_patterns("proposed", slots, f"{en} | {zh}")
    rng = random.Random(f"{en} {zh}")
    for _ in range(3):
        try:
            example = fill(pattern, draw_values(pattern, rng, unseen=False))
        except KeyError as error:
            return f"a slot has no form {error}"
        if not (amounts_kept(example, example.en, "en") and amounts_kept(example, example.zh, "zh")):
            return "an amount runs into what stands beside it"
    return ""


def plain(en: str) -> str:
    """What makes two English templates the same: their words, without case, forms and punctuation."""
    return " ".join(re.findall(r"\{[a-z_]+\d?|[a-z0-9']+", re.sub(r"\.\w+(?=\})", "", en.lower())))


def read_pattern_file(path: Path, domain: str) -> list[Pattern]:
    """The patterns of a CSV for a domain; a bad row is a `UserError` that names it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = csv.reader(stream, strict=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise UserError(f"{path}: not a CSV in UTF-8 with the header {','.join(HEADER)} ({error})") from error
    if header != HEADER:
        raise UserError(f"{path}: its header is {','.join(header)[:80]!r}, expected {','.join(HEADER)}")
    slots, known, patterns = slots_of(domain), {plain(one.en) for one in patterns_of(domain)}, []
    for number, row in enumerate(rows, start=2):
        if not any(row):
            continue
        if len(row) != len(HEADER):
            raise UserError(f"{path}: row {number} has {len(row)} columns, expected {len(HEADER)}")
        en, zh = map(str.strip, row)
        if fault := fault_of_pattern(en, zh, slots, known):
            raise UserError(f"{path}: row {number}, {en[:60]!r}: {fault}. Correct the row, or remove it.")
        known.add(plain(en))
        patterns += read_patterns(domain, slots, f"{en} | {zh}")
    return patterns


def write_proposals(
    path: Path, domain: str, count: int, backend: Backend, prompt: Mapping[str, str], seed: int
) -> None:
    """Ask a language model for patterns until there are `count`, or nothing new comes, and write them to a CSV.

    What broke a rule is counted by reason in the report beside the file.
    """
    check_unedited(path)
    asks = ask_for_patterns(prompt, domain, backend, seed)
    slots, known = slots_of(domain), {plain(one.en) for one in patterns_of(domain)}
    kept: list[tuple[str, str]] = []
    faults: dict[str, int] = {}
    idle = 0
    while len(kept) < count and idle < PATIENCE:
        before = len(kept)
        for en, zh in next(asks):
            if fault := fault_of_pattern(en, zh, slots, known):
                reason = re.sub(r" \{.*?\}", "", fault)
                faults[reason] = faults.get(reason, 0) + 1
            elif len(kept) < count:
                kept.append((en, zh))
                known.add(plain(en))
        idle = idle + 1 if len(kept) == before else 0
    if not kept:
        told = "; ".join(f"{reason} ({number})" for reason, number in faults.items()) or "no line was a pattern"
        raise UserError(f"--patterns-from-llm: nothing that the model proposed passes the rules: {told}")
    report = {**backend.provenance, "domain": domain, "seed": seed, "patterns": len(kept), "rejected": faults}
    with unedited_writer(path, report) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([HEADER, *kept])
    print(f"{path}: {len(kept)} patterns of {count}; {sum(faults.values())} proposals broke a rule. Read them over.")


def ask_for_patterns(
    prompt: Mapping[str, str], domain: str, backend: Backend, seed: int
) -> Iterator[list[tuple[str, str]]]:
    """What the model proposes, round after round, each with other patterns of the domain as examples."""
    rng = random.Random(f"{domain} {seed}")
    own = [pattern for pattern in patterns_of(domain) if not pattern.held_out]
    sampling = Sampling(temperature=0.8, top_p=0.95, max_new_tokens=MAX_NEW_TOKENS)
    while True:
        shown = rng.sample(own, min(EXAMPLES, len(own)))
        values = {
            "count": str(ASKED_AT_ONCE),
            "domain": domain,
            "slot_list": "\n".join(described(domain, rng)),
            "example_list": "\n".join(f"{pattern.en} | {pattern.zh}" for pattern in shown),
        }
        conversation: Conversation = [
            {"role": role, "content": fill_prompt(prompt[role], values)}
            for role in ("system", "user")
            if prompt.get(role)
        ]
        yield [pair for answer in backend.answer([conversation], 1, sampling)[0] for pair in pairs_of(answer.text)]


def described(domain: str, rng: random.Random) -> list[str]:
    """A line a slot: its name as the domain's patterns write it, and values of both languages."""
    lines = []
    written = {match[0]: match for one in patterns_of(domain) for match in SLOT.finditer(one.en)}
    for text, match in sorted(written.items()):
        slot, form = slots_of(domain)[match["name"]], match["form"] or ""
        values = [slot.draw(rng, rng.random()).forms[form] for _ in range(2)]
        lines.append(f"{text}: " + "; ".join(f"{en} = {zh}" for en, zh in values))
    return lines


def pairs_of(answer: str) -> list[tuple[str, str]]:
    """The lines `English | 中文` of an answer."""
    parts = [[part.strip() for part in _NUMBERING.sub("", line).split("|")] for line in answer.splitlines()]
    return [(part[0], part[1]) for part in parts if len(part) == 2 and all(part)]


def read_pattern_prompt(path: Path) -> dict[str, str]:
    """The prompt file: `user`, with `{count}`, `{domain}`, `{slot_list}` and `{example_list}`, and `system`."""
    values: dict[str, Any] = read_yaml_object(path, "'key: value' lines")
    check_keys(values, {"user", "system"}, f"{path}")
    for name, text in values.items():
        if not isinstance(text, str):
            raise UserError(f"{path}: {name} is {str(text)[:40]!r}, expected a text")
    check_slots(f"{path}: user", values.get("user", ""), {*_SLOT_KEYS, "slots"}, sorted(_SLOT_KEYS))
    return values
