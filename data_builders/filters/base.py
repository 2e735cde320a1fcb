"""What every filter is: configuration that says, row by row, why a row must not be learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from data_builders.rows import Row

Check = Callable[[Row], str | None]
"""None where the row may stay, else the reason; what stands before a colon in it is counted."""


@dataclass(frozen=True)
class Surroundings:
    """What a filter may look at besides the row: names of datasets -> paths, where they are set."""

    roots: Mapping[str, str]


class Filter(Protocol):
    """A frozen dataclass whose module imports nothing heavy. What a run remembers lives in the check it opens."""

    name: str

    def needs(self) -> tuple[str, ...]:
        """Names of the roots it reads, where they are set."""
        ...

    def open(self, surroundings: Surroundings) -> Check:
        """A check for one run over the rows, in order."""
        ...

    def notes(self, surroundings: Surroundings) -> list[str]:
        """What a reader of the data card must know of how it worked here."""
        ...


@runtime_checkable
class Settling(Protocol):
    """A filter that must have seen every row before it judges the first; :meth:`Filter.open` is not called then."""

    def settle(self, rows: Iterable[Row]) -> Iterator[tuple[Row, str | None]]:
        """Each row, in order, and why it must not stay; None where it may."""
        ...


def judged(chosen: Filter, rows: Iterable[Row], surroundings: Surroundings) -> Iterator[tuple[Row, str | None]]:
    """Each row with what a filter says of it."""
    if isinstance(chosen, Settling):
        yield from chosen.settle(rows)
        return
    check = chosen.open(surroundings)
    for row in rows:
        yield row, check(row)


class Plain:
    """A filter that needs nothing but the row: give it ``reason``."""

    def needs(self) -> tuple[str, ...]:
        return ()

    def open(self, surroundings: Surroundings) -> Check:
        return self.reason

    def notes(self, surroundings: Surroundings) -> list[str]:
        return []

    def reason(self, row: Row) -> str | None:
        """Why the row must not stay."""
        raise NotImplementedError
