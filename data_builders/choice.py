"""Of several candidates a row, one is taken: the best by a judge's score, the first where they are equal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from data_builders.funnel import Step
from data_builders.rows import Row
from data_builders.teachers.base import Drafts


class Choice:
    """The choice of one run. Rows of which no candidate gets that far are counted and named."""

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._offered = 0

    def offered(self, drafts: Drafts) -> Drafts:
        """A teacher's drafts as they are, their rows remembered."""
        for row, reason in drafts:
            if row.candidate == 0:
                self._waiting[row.id] = None
                self._offered += 1
            yield row, reason

    def taken(self, candidates: Iterable[Row], step: Step) -> Iterator[Row]:
        """One row for each group of candidates, which follow one another."""
        for name, group in itertools.groupby(candidates, key=lambda row: row.id):
            rows = list(group)
            best = max(rows, key=lambda row: (row.score or 0.0, -row.candidate))
            for row in rows:
                step.let(None if row is best else "another was taken", id=row.id, candidate=row.candidate)
            self._waiting.pop(name, None)
            yield best

    def notes(self) -> list[str]:
        """What a reader of the data card must know."""
        if not self._waiting:
            return []
        first = next(iter(self._waiting))
        missed = f"{len(self._waiting)} of {self._offered} rows have no candidate that passed"
        return [f"teacher: {missed}; the first: {first}"]
