"""The form of a completion: one closed thought and an answer where a thought is wanted, a plain answer elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Place, Plain
from data_builders.rows import Row
from resa.reasoning import CLOSE, OPEN, problems


@dataclass(frozen=True)
class ParseFilter(Plain):
    """Keeps out thoughts that never close, blank or doubled ones, and empty answers."""

    place: ClassVar[Place | None] = Place.FORM

    name: str = "parse"

    def reason(self, row: Row) -> str | None:
        found = problems(row.completion)
        if row.thinks:
            return found[0].replace("_", " ") if found else None
        if OPEN in row.completion or CLOSE in row.completion:
            return "a thought where none is wanted"
        return "empty answer" if not row.completion.strip() else None
