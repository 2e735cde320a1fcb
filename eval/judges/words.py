"""Words compared as words: case, punctuation and spacing do not count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

NUMBER = re.compile(r"-?\d*\.?\d+")
WORD = re.compile(r"[^\W_]+")
APOSTROPHES = str.maketrans("", "", "'’")


def words(text: str) -> str:
    """Lower-case words and numbers, one space between and around them, so that ``" b " in words("a, B.")``."""
    return f" {' '.join(WORD.findall(text.lower().translate(APOSTROPHES)))} "


def contains(text: str, phrase: str) -> bool:
    """Whether the words of ``phrase`` occur in ``text``, whole and in a row. An empty phrase never does."""
    wanted = words(phrase)
    return bool(wanted.strip()) and wanted in words(text)


def contains_any(text: str, phrases: Iterable[str]) -> bool:
    return any(contains(text, phrase) for phrase in phrases)


def alternatives(target: Any) -> list[str]:
    """A target as the texts of which one must be met."""
    return [str(item) for item in target] if isinstance(target, list | tuple) else [str(target)]


def first_word(text: str) -> str:
    """The first word, lower-cased; empty where there is none."""
    return (words(text).split() or [""])[0]


def box_of(text: str) -> tuple[float, float, float, float] | None:
    """The first four numbers of a text as a box (x1, y1, x2, y2); None where there are fewer."""
    found = [float(number) for number in NUMBER.findall(text)[:4]]
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 else None


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes (x1, y1, x2, y2); 0 where one has no area."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (a, b)]
    if width <= 0 or height <= 0 or 0.0 in areas:
        return 0.0
    return width * height / (sum(areas) - width * height)
