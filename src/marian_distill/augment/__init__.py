"""Rule-made English–Chinese pairs about money, coffee, travel and amounts, to train on and to measure with."""

from importlib import import_module

from marian_distill.augment.grammar import Example, Pattern, sample
from marian_distill.errors import UserError

DOMAINS = ("money", "coffee", "travel", "amounts")
# What is measured: every domain, and of all of them the sentences with a date.
SLICES = (*DOMAINS, "dates")
# And each class of amount (`amounts.CLASSES`) on sentence patterns that training never shows.
AMOUNT_CLASSES = (
    "millions", "codes", "units", "several", "phones", "negatives", "fractions", "versions", "percentages",
    "currencies", "ranges", "word_dates", "prices", "decimals",
)  # fmt: skip


def patterns_of(domain: str) -> list[Pattern]:
    """Every sentence pattern of a domain, of a class of amount, or for `dates` of every domain those with one.

    Raises:
        UserError: none of these.

    The domain is imported here, and Babel with it: scoring (`grammar.amounts_kept`) does without either.
    """
    if domain == "dates":
        return [pattern for each in DOMAINS for pattern in patterns_of(each) if "date" in pattern.slots]
    if domain in AMOUNT_CLASSES:
        return import_module("marian_distill.augment.amounts").CLASSES[domain]
    if domain not in DOMAINS:
        raise UserError(f"domain {domain!r}: expected one of {', '.join((*SLICES, *AMOUNT_CLASSES))}")
    return import_module(f"marian_distill.augment.{domain}").PATTERNS


def examples(domain: str, split: str, count: int, seed: int) -> list[Example]:
    """`count` distinct pairs of a domain from a split (`train`, `unseen_values` or `unseen_patterns`).

    Raises:
        UserError: an unknown domain or split, or more pairs asked than there are.
    """
    return sample(patterns_of(domain), split, count, seed)
