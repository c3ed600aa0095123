"""Whether numbers come through a translation to the character."""

import re

# A number as it is written: 8, 19.99, 1,234.56, 8:45, 2026-04-20, 3/4.
NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*", re.ASCII)


def survives(kept: str, hypothesis: str) -> bool:
    """Whether `kept` stands in `hypothesis` to the character and not as a part of something longer.

    `9.99` does not survive in `19.99` or `9.995`, nor `B12` in `AB12`.
    """
    before = r"(?<!\d)(?<!\d[.,:])" if kept[0].isdecimal() else r"(?<![A-Za-z])"
    after = r"(?!\d)(?![.,:]\d)" if kept[-1].isdecimal() else r"(?![A-Za-z])"
    return re.search(before + re.escape(kept) + after, hypothesis) is not None


def numbers_kept(source: str, hypothesis: str) -> bool:
    """Whether every number of the source stands in the hypothesis to the character, and not inside a longer one."""
    return all(survives(number, hypothesis) for number in NUMBER.findall(source))
