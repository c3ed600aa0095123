"""Prompt files: how a language model is asked to translate, as YAML that a person writes (docs/llm_teacher.md)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NotRequired, TypedDict, get_type_hints

from marian_distill.errors import UserError
from marian_distill.languages import Language, is_han, languages_of
from marian_distill.runtime.generation import Sampling
from marian_distill.schema import fault_of
from marian_distill.yaml_file import nearest_name, read_yaml_object

SLOT = re.compile(r"\{([a-z_]+)\}")
LANGUAGE_SLOTS = frozenset({"source_language", "target_language"})
# Of what is drawn when several translations are wanted; a file's `sampling` says otherwise.
DRAWN = Sampling(temperature=0.7, top_p=0.9)


class Message(TypedDict):
    """One turn of a conversation: `system`, `user` or `assistant`, and what is said."""

    role: str
    content: str


Conversation = list[Message]


class Pair(TypedDict):
    """An example, or a term, in both languages."""

    en: str
    zh: str


class SamplingKeys(TypedDict):
    """What a prompt file may say of drawing."""

    temperature: NotRequired[float]
    top_k: NotRequired[int]
    top_p: NotRequired[float]
    repetition_penalty: NotRequired[float]


class PromptFile(TypedDict):
    """The keys of a prompt file."""

    user: str
    system: NotRequired[str]
    languages: NotRequired[dict[str, str]]
    examples: NotRequired[list[Pair]]
    terminology: NotRequired[list[Pair]]
    terms: NotRequired[str]
    term: NotRequired[str]
    term_separator: NotRequired[str]
    sampling: NotRequired[SamplingKeys]
    chat_template_kwargs: NotRequired[dict[str, Any]]


@dataclass(frozen=True)
class Prompt:
    """How a text is put to a language model.

    Attributes:
        user: the user's message, with `{source}`; also `{terms}` and the slots of `system`.
        system: the system message, with `{source_language}` and `{target_language}`; "": none.
        languages: what the languages are called in those slots.
        examples: pairs that are shown as earlier turns, in either direction.
        terminology: pairs whose translation is given where the source has them.
        terms: what stands for `{terms}` where the source has some; `{term_list}` are they.
        term: one of them, with `{source_term}` and `{target_term}`.
        term_separator: between two of them.
        sampling: how several translations are drawn; the likeliest alone is taken with its repetition penalty.
        chat_template_kwargs: for the model's chat template, such as `enable_thinking: false`.
    """

    user: str
    system: str = ""
    languages: Mapping[Language, str] = field(default_factory=lambda: {"en": "English", "zh": "Simplified Chinese"})
    examples: Sequence[Pair] = ()
    terminology: Sequence[Pair] = ()
    terms: str = "{term_list}\n"
    term: str = "{source_term} = {target_term}"
    term_separator: str = "\n"
    sampling: Sampling = DRAWN
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def conversation(self, source: str, direction: str) -> Conversation:
        """What is said before the model's turn."""
        languages = languages_of(direction)
        source_language, target_language = (self.languages[one] for one in languages)
        named = {"source_language": source_language, "target_language": target_language}
        turns: Conversation = []
        if self.system:
            turns.append({"role": "system", "content": fill(self.system, named)})
        pairs = [(pair[languages[0]], pair[languages[1]]) for pair in self.examples]
        for text, translation in pairs:
            turns.append({"role": "user", "content": self._question(text, named, languages)})
            turns.append({"role": "assistant", "content": translation})
        return [*turns, {"role": "user", "content": self._question(source, named, languages)}]

    def _question(self, source: str, named: Mapping[str, str], languages: tuple[Language, Language]) -> str:
        found = [(pair[languages[0]], pair[languages[1]]) for pair in self.terminology]
        terms = [fill(self.term, {"source_term": s, "target_term": t}) for s, t in found if has_term(source, s)]
        listed = fill(self.terms, {"term_list": self.term_separator.join(terms)}) if terms else ""
        return fill(self.user, {**named, "terms": listed, "source": source})

    def drawing(self, count: int, max_new_tokens: int) -> Sampling:
        """How `count` translations of a text are made: the likeliest alone, or so many that are drawn."""
        temperature = 0.0 if count == 1 else self.sampling.temperature
        return replace(self.sampling, temperature=temperature, max_new_tokens=max_new_tokens)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its `{slots}` filled; other braces stay."""
    return SLOT.sub(lambda match: values.get(match[1], match[0]), template)


def has_term(source: str, term: str) -> bool:
    """Whether a text holds a term: Chinese anywhere, other words whole, in upper or lower case."""
    if any(map(is_han, term)):
        return term in source
    return re.search(rf"(?<!\w){re.escape(term)}(?!\w)", source, re.IGNORECASE) is not None


def read_prompt(path: str | Path) -> Prompt:
    """Read a prompt file.

    Raises:
        UserError: no such file, no YAML, an unknown key, a value of another kind, a slot that is missing or unknown.
    """
    path = Path(path)
    values = read_yaml_object(path, "'key: value' lines")
    check_keys(values, get_type_hints(PromptFile), f"{path}")
    if fault := fault_of(values, PromptFile, ""):
        raise UserError(f"{path}: {fault}")
    check_keys(values.get("sampling", {}), get_type_hints(SamplingKeys), f"{path}: sampling")
    check_slots(f"{path}: system", values.get("system", ""), LANGUAGE_SLOTS)
    check_slots(f"{path}: user", values["user"], LANGUAGE_SLOTS | {"source", "terms"}, {"source"})
    if values.get("terminology"):
        check_slots(f"{path}: user", values["user"], LANGUAGE_SLOTS | {"source", "terms"}, {"terms"})
    check_slots(f"{path}: terms", values.get("terms", Prompt.terms), {"term_list"}, {"term_list"})
    both = {"source_term", "target_term"}
    check_slots(f"{path}: term", values.get("term", Prompt.term), both, both)
    languages = {"en": "English", "zh": "Simplified Chinese", **values.get("languages", {})}
    check_keys(languages, {"en", "zh"}, f"{path}: languages")
    sampling = replace(DRAWN, **values.get("sampling", {}))
    if not (sampling.temperature > 0 and 0 < sampling.top_p <= 1 and sampling.top_k >= 0):
        raise UserError(f"{path}: sampling: expected temperature above 0, top_p up to 1, top_k 0 or more")
    if sampling.repetition_penalty <= 0:
        raise UserError(f"{path}: sampling: repetition_penalty {sampling.repetition_penalty}: expected above 0")
    return Prompt(**{**values, "languages": languages, "sampling": sampling})


def check_keys(given: Collection[Any], known: Collection[str], place: str) -> None:
    """`UserError` for the first key that is not known."""
    for key in given:
        if key not in known:
            near = nearest_name(str(key), known)
            raise UserError(f"{place}: unknown key {key!r}" + (f"; did you mean {near}?" if near else ""))


def check_slots(place: str, template: str, known: Collection[str], needed: Collection[str] = ()) -> None:
    """`UserError` for a slot that is not known, or one that must be there and is not."""
    slots = SLOT.findall(template)
    for slot in slots:
        if slot not in known:
            raise UserError(f"{place}: unknown slot {{{slot}}}; there are {', '.join(sorted(known))}")
    for slot in needed:
        if slot not in slots:
            raise UserError(f"{place}: {{{slot}}} is missing")
