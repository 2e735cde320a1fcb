"""Respondents answer questions about rows: what teachers, guards and judges have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from data_builders.respondents.spending import Spending
from resa.types import Turn


@dataclass(frozen=True)
class Question:
    """One thing to ask: its key in the log (all that the reply depends on, besides the respondent), and the words."""

    key: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Reply:
    """What a respondent said, as it is kept.

    Attributes:
        cut: whether it ended at its length limit; error: why it said nothing at all, None where it did.
        tokens_in, tokens_out: what it took, where the respondent says so.
    """

    text: str = ""
    cut: bool = False
    error: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0


Keep = Callable[[Mapping[str, Reply]], None]
"""Takes replies that are final, by key, as they arrive."""


class Respondent(Protocol):
    """A frozen dataclass whose module imports nothing heavy. ``name``: of the log it keeps."""

    @property
    def name(self) -> str: ...

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that shapes what it says; JSON values. ``model``: the configuration's model node."""
        ...

    def respond(self, questions: Iterable[Question], total: int, keep: Keep, session: Session) -> Mapping[str, Reply]:
        """Answer questions, which come one by one; returns the failures that may pass, by key: a later run asks again.

        Args:
            questions: drawn when there is room for one more.
            total: how many there are; keep: takes every other reply.

        Raises:
            EngineError: it cannot be asked, or too much of it failed; what came before has been kept.
        """
        ...


@dataclass(frozen=True)
class Session:
    """What a respondent is told of the run.

    Attributes:
        label: for the progress bar; model: the configuration's model node, for a model that answers for itself;
        progress: whether to show a bar.
        usable: whether a reply is what was asked for; None where that is not known.
        writer: of the log, as in a teacher's workshop.
        spent: before this run, of what a budget is for; of one of several shards, with its share of what others spent.
    """

    label: str
    model: Mapping[str, Any]
    progress: bool = False
    usable: Callable[[Reply], bool] | None = None
    writer: str | None = None
    spent: Spending = field(default_factory=Spending)
