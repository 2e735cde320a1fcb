"""The letter that a multiple-choice answer names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from eval.rules.text import has_words

LETTER = re.compile(
    r"^\W*(?:(?i:the )?(?i:correct |right |best )?(?i:answer|option|choice)(?i: is)?\W*)?"
    r"([A-J])(?=\W*$|[.):,*\]\n]| is\b)"
)
DECLARED = re.compile(r"(?i:answer|option|choice)(?i: is)?\s*:?\s*\W?\b([A-J])\b(?!')")


def read(text: str, label: str, options: Mapping[str, str]) -> float | None:
    """1 where the answer names the option ``label``, 0 where it names another; None where it names none or several.

    It is read by its leading or last declared letter, else by the only option whose words it repeats.

    Args:
        options: letter -> the option's text.
    """
    leading = LETTER.match(text.strip())
    if leading and leading[1] in options:
        return float(leading[1] == label)
    declared = [letter for letter in DECLARED.findall(text) if letter in options]
    if declared:
        return float(declared[-1] == label)
    repeated = [letter for letter, option in options.items() if has_words(text, option)]
    return float(repeated[0] == label) if len(repeated) == 1 else None
