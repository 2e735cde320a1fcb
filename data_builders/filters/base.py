"""What every filter is: configuration that says, row by row, why a row must not be learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from data_builders.rows import Row

Check = Callable[[Row], str | None]
"""None where the row may stay, else the reason; what stands before a colon in it is counted."""


class Place(IntEnum):
    """Where a filter stands among the others, whatever the order in which they are configured: cheap before dear, and
    what looks at every candidate before what counts rows."""

    FORM = 0
    WORDS = 1
    VERDICT = 2
    BEHAVIOUR = 3
    GUARD = 4
    JUDGE = 5
    LENGTH = 6
    BALANCE = 7
    REPEATS = 8
    EVALUATION = 9


@dataclass(frozen=True)
class Surroundings:
    """What a filter may look at besides the row.

    Attributes:
        roots: names of datasets -> paths, where they are set.
        drafts: folder where what models say is kept across runs; writer: as in a teacher's workshop.
        model: the configuration's model node; progress: whether to show a progress bar.
        remarks: what a reader of the data card must know of rows that stayed, counted.
    """

    roots: Mapping[str, str]
    drafts: Path | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    progress: bool = False
    writer: str | None = None
    remarks: Counter[str] = field(default_factory=Counter)


class Filter(Protocol):
    """A frozen dataclass whose module imports nothing heavy. What a run remembers lives in the check it opens.

    Attributes:
        each_candidate: whether it looks at every candidate of a row, and so stands before one of them is taken.
        place: where it stands among the others; None: after the one that a recipe names before it.
    """

    name: str

    @property
    def place(self) -> Place | None: ...

    @property
    def each_candidate(self) -> bool: ...

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
class Shaped(Protocol):
    """A filter with options that change nothing in what it lets pass (how a model is reached, how patiently)."""

    def shape(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that shapes what it lets pass; JSON values. ``model``: the configuration's model node."""
        ...


@runtime_checkable
class Sieve(Protocol):
    """A filter that must see many rows before it can say of one, or that asks a model: it takes the stream itself."""

    def sift(self, rows: Iterable[Row], surroundings: Surroundings) -> Iterator[tuple[Row, str | None]]:
        """Every row, in order, with None where it may stay, else the reason.

        Raises:
            EngineError: a model cannot be asked.
        """
        ...


class Plain:
    """A filter that needs nothing but the row: give it ``reason``."""

    each_candidate: ClassVar[bool] = True
    place: ClassVar[Place | None] = None

    def needs(self) -> tuple[str, ...]:
        return ()

    def open(self, surroundings: Surroundings) -> Check:
        return self.reason

    def notes(self, surroundings: Surroundings) -> list[str]:
        return []

    def reason(self, row: Row) -> str | None:
        """Why the row must not stay."""
        raise NotImplementedError


def in_order(filters: Mapping[str, Filter]) -> dict[str, Filter]:
    """Filters by their places; those of one place, and those without, stay as they were named."""
    keyed: list[tuple[Place, str]] = []
    place = Place.FORM
    for name, chosen in filters.items():
        place = chosen.place if chosen.place is not None else place
        keyed.append((place, name))
    return {name: filters[name] for _, name in sorted(keyed, key=lambda pair: pair[0])}
