"""The answer must do what the label says: refuse what is harmful, serve what is benign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Place, Plain
from data_builders.refusals import refuses
from data_builders.rows import Row


@dataclass(frozen=True)
class RefusalFilter(Plain):
    """Rows without a label stay."""

    place: ClassVar[Place | None] = Place.BEHAVIOUR

    name: str = "refusal"

    def reason(self, row: Row) -> str | None:
        if row.label is None or refuses(row.answer) == (row.label == "harmful"):
            return None
        return "harmful: but the answer serves" if row.label == "harmful" else "benign: but the answer refuses"
