"""Rule-made English–Chinese pairs about money, coffee and travel, for training and for measuring what was learnt."""

from importlib import import_module

from marian_distill.augment.grammar import Example, Pattern, sample
from marian_distill.errors import UserError

DOMAINS = ("money", "coffee", "travel")
# What is measured: every domain, and of all of them the sentences with a date.
SLICES = (*DOMAINS, "dates")


def patterns_of(domain: str) -> list[Pattern]:
    """Every sentence pattern of a domain, or for `dates` those of every domain that have one; else a `UserError`.

    The domain is imported here, and Babel with it: scoring (`grammar.amounts_kept`) does without either.
    """
    if domain == "dates":
        return [pattern for each in DOMAINS for pattern in patterns_of(each) if "date" in pattern.slots]
    if domain not in DOMAINS:
        raise UserError(f"domain {domain!r}: expected one of {', '.join(SLICES)}")
    return import_module(f"marian_distill.augment.{domain}").PATTERNS


def examples(domain: str, split: str, count: int, seed: int) -> list[Example]:
    """`count` distinct pairs of a domain from a split (`train`, `unseen_values` or `unseen_patterns`).

    Raises:
        UserError: an unknown domain or split, or more pairs asked than there are.
    """
    return sample(patterns_of(domain), split, count, seed)
