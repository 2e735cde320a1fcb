"""How texts are put into the form in which they are compared, and cut into sentences."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Lower case, straight apostrophes, single blanks."""
    straight = text.replace("\u2019", "'").replace("\u2018", "'").replace("\u02bc", "'")
    return " ".join(straight.lower().split())


def sentences(text: str) -> list[str]:
    """A text's sentences, in order. Good for plain prose; abbreviations are cut at their dots."""
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if part.strip()]
