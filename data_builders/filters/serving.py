"""An answer to be forgotten must be one that serves: to forget refusals would teach the opposite of safety."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Place, Plain
from data_builders.refusals import refuses
from data_builders.rows import Row


@dataclass(frozen=True)
class ServingFilter(Plain):
    """Rows without a rejected answer stay."""

    place: ClassVar[Place | None] = Place.BEHAVIOUR

    name: str = "serving"

    def reason(self, row: Row) -> str | None:
        return "the answer to forget refuses" if row.rejected is not None and refuses(row.rejected) else None
