"""What every filter is: configuration that says, row by row, why a row must not be learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from data_builders.rows import Row

Check = Callable[[Row], str | None]
"""None where the row may stay, else the reason; what stands before a colon in it is counted."""


@dataclass(frozen=True)
class Surroundings:
    """What a filter may look at besides the row.

    Attributes:
        roots: names of datasets -> paths, where they are set.
        drafts: folder where what models say is kept across runs; writer: as in a teacher's workshop.
        model: the configuration's model node; progress: whether to show a progress bar.
    """

    roots: Mapping[str, str]
    drafts: Path | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    progress: bool = False
    writer: str | None = None


class Filter(Protocol):
    """A frozen dataclass whose module imports nothing heavy. What a run remembers lives in the check it opens.

    Attributes:
        each_candidate: whether it looks at every candidate of a row, and so stands before one of them is taken.
    """

    name: str

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

    def needs(self) -> tuple[str, ...]:
        return ()

    def open(self, surroundings: Surroundings) -> Check:
        return self.reason

    def notes(self, surroundings: Surroundings) -> list[str]:
        return []

    def reason(self, row: Row) -> str | None:
        """Why the row must not stay."""
        raise NotImplementedError
