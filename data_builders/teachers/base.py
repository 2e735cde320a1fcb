"""Teachers write thoughts. What all of them are, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from data_builders.rows import Row

Answers = Literal["kept", "revised", "regenerated"]
"""``kept``: the record's answer stands, the teacher writes the thought that leads to it. ``revised``: the teacher sees
it and may better it. ``regenerated``: the teacher answers without having seen it."""
ANSWERS: tuple[Answers, ...] = ("kept", "revised", "regenerated")

Drafts = Iterator[tuple[Row, str | None]]
"""Each row with its completion rewritten, and None; or the row as it was, and why there is no draft
(``refused: ...``, ``cut: ...``, ``failed: ...``). Several candidates of a row follow one another."""
Rewrite = Callable[[Iterable[Row]], Drafts]
"""Rewrites the rows that need a thought (:func:`needs_thought`) and passes the others on, all in their order."""


@dataclass(frozen=True)
class Workshop:
    """What a teacher works with.

    Attributes:
        answers: what becomes of the record's own answers.
        drafts: folder where a teacher keeps every answer as it arrives, across runs.
        roots: names of datasets -> paths; model: the configuration's model node, for a model that teaches itself.
        progress: whether to show a progress bar.
        writer: name of the log file that replies are appended to, for a shard of a larger work; None: the common one.
    """

    answers: Answers
    drafts: Path
    roots: Mapping[str, str]
    model: Mapping[str, Any]
    progress: bool = False
    writer: str | None = None


class TwinMaker(Protocol):
    """Writes harmless requests that resemble harmful ones, and their answers (:mod:`data_builders.twins`)."""

    def can(self, row: Row) -> bool:
        """Whether it may try on this harmful row."""
        ...

    def make(self, rows: Iterable[Row]) -> Drafts:
        """The twin of each row, and None; or the row, and why it has none."""
        ...


class Teacher(Protocol):
    """A frozen dataclass whose module imports nothing heavy. ``name``: of the teacher; ``policies``: a policy set, by
    name or file; ``candidates``: drafts of each row."""

    name: str
    policies: str
    candidates: int

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that shapes what it writes; JSON values. ``model``: the configuration's model node."""
        ...

    def needs(self) -> tuple[str, ...]:
        """Names of the roots it reads besides the sources'."""
        ...

    def can(self, answers: Answers) -> bool:
        """Whether it can treat the records' answers so."""
        ...

    def open(self, workshop: Workshop) -> AbstractContextManager[Rewrite]:
        """Start working; leaving the context frees what was loaded."""
        ...

    def twinning(self, workshop: Workshop) -> AbstractContextManager[TwinMaker]:
        """The same, to make benign twins."""
        ...


def needs_thought(row: Row) -> bool:
    """Whether a teacher must write a thought: one is wanted, and the record brought none."""
    return row.thinks and not row.has_thought
