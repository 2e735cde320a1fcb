"""What filters that ask a model share: a respondent, its log, and what becomes of a reply without a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_builders.filters.base import Check, Plain, Surroundings
from data_builders.respondents.base import Question, Reply, Respondent, Session
from data_builders.respondents.inquiry import Inquiry
from data_builders.respondents.log import ReplyLog
from data_builders.rows import Row
from resa.artifacts import digest
from resa.errors import ConfigError, did_you_mean
from resa.reasoning import parse
from resa.types import Turn

WORDINGS = Path(__file__).parent / "wordings"
UNREADABLE = ("drop", "keep")


@dataclass(frozen=True)
class AskingFilter(Plain):
    """Attributes:
    respondent: who is asked: a model behind an endpoint, or in this process.
    images: whether it is sent the row's images; false for a model that reads text alone.
    unreadable: what becomes of a row on which it gives no verdict: ``drop``, or ``keep``; counted either way.
    """

    respondent: Respondent
    name: str = "asking"
    images: bool = True
    unreadable: str = "drop"

    def __post_init__(self) -> None:
        if self.unreadable not in UNREADABLE:
            what = f"unknown unreadable {self.unreadable!r}. {did_you_mean(self.unreadable, UNREADABLE)}"
            raise ConfigError(what, where=f"filters.{self.name}.unreadable")

    def shape(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """What every verdict depends on; subclasses add theirs."""
        return {
            "name": self.name,
            "respondent": self.respondent.identity(model),
            "images": self.images,
            "unreadable": self.unreadable,
        }

    def open(self, surroundings: Surroundings) -> Check:
        raise NotImplementedError("a filter that asks a model takes the stream: call sift")

    def asked(
        self, rows: Iterable[Row], questions_of: Callable[[Row], Sequence[Question]], surroundings: Surroundings
    ) -> Iterator[tuple[Row, tuple[Reply, ...]]]:
        """Rows with the replies to their questions, in order; what the log holds is not asked again.

        Raises:
            EngineError: the model cannot be asked, or more calls failed than are tolerated.
        """
        if surroundings.drafts is None:
            raise ConfigError("there is no folder for the replies", where=f"filters.{self.name}")
        known = self.respondent.identity(surroundings.model)
        log = ReplyLog(surroundings.drafts, f"{self.name}-{self.respondent.name}", known, surroundings.writer)
        session = Session(f"filter {self.name}", surroundings.model, surroundings.progress, writer=surroundings.writer)
        return Inquiry(self.respondent, log, session).replies(rows, questions_of)

    def question(self, row: Row, turns: tuple[Turn, ...]) -> Question:
        """A question about a row; its key is what the reply depends on: words, roles and images."""
        shown = row.image_hashes if self.images else ()
        return Question(digest([[[turn.role, turn.text] for turn in turns], shown])[:32], turns)

    def silent(self, reason: str, surroundings: Surroundings) -> str | None:
        """The reason, where a row without a verdict is dropped; where it is kept, that is remarked."""
        if self.unreadable == "drop":
            return reason
        surroundings.remarks[f"{self.name}: kept with {reason.partition(':')[0]}"] += 1
        return None

    def shown(self, turn: Turn) -> tuple[str, ...]:
        """The images of a turn that the model is sent."""
        return turn.images if self.images else ()


def said(reply: Reply) -> str | None:
    """What a reply says after any thinking; None where it never came to that."""
    reading = parse(reply.text)
    return reading.answer if reading.closed and reading.answer else None


def why_silent(reply: Reply) -> str:
    """For a reason: why a reply is no verdict."""
    if reply.error is not None:
        return f"failed: {reply.error}"
    return f"{'cut off, ' if reply.cut else ''}{reply.text.strip()[:120]!r}"
