"""Bounds on the number of words, of thoughts and of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Place, Plain
from data_builders.rows import Row
from resa.errors import ConfigError


@dataclass(frozen=True)
class LengthFilter(Plain):
    """Attributes: bounds in words, both inclusive; None is no bound. Thoughts are measured only where wanted."""

    place: ClassVar[Place | None] = Place.LENGTH

    name: str = "length"
    min_thought: int | None = None
    max_thought: int | None = None
    min_answer: int | None = 1
    max_answer: int | None = None

    def __post_init__(self) -> None:
        for low, high, part in (
            (self.min_thought, self.max_thought, "thought"),
            (self.min_answer, self.max_answer, "answer"),
        ):
            if low is not None and high is not None and low > high:
                raise ConfigError(f"min_{part} {low} exceeds max_{part} {high}", where="filters.length")

    def reason(self, row: Row) -> str | None:
        thought = _outside(row.thought or "", "thought", self.min_thought, self.max_thought) if row.thinks else None
        return thought or _outside(row.answer, "answer", self.min_answer, self.max_answer)


def _outside(text: str, part: str, low: int | None, high: int | None) -> str | None:
    words = len(text.split())
    if low is not None and words < low:
        return f"{part} too short: {words} words, fewer than {low}"
    if high is not None and words > high:
        return f"{part} too long: {words} words, more than {high}"
    return None
