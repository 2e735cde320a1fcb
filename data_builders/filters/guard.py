"""A guard model reads thought and answer, each by itself, after the prompt and its images.

Both, because a student learns the thought too, and an unsafe thought may end in a safe answer (SafeMLRM, arXiv
2504.08813: 16.9 % of them do). ``every_candidate`` is SafeChain's rule (arXiv 2502.12025): a prompt stays only where
the guard passes all that was drawn for it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from data_builders.filters.asking import WORDINGS, AskingFilter, said, why_silent
from data_builders.filters.base import Place, Surroundings
from data_builders.respondents.base import Question, Reply
from data_builders.rows import Row
from data_builders.wording import render, wording_file
from resa.artifacts import file_digest
from resa.types import Turn

CHAT = "chat"
"""The wording of a guard whose own chat template asks: it is given the conversation, and the part as its last turn."""
SAFE = re.compile(r"\W*(?:safety\W+)?safe[^\w\n]*(?:\n|$)", re.IGNORECASE)
UNSAFE = re.compile(r"\W*(?:safety\W+)?unsafe\b\W*(?:categor(?:y|ies)\W+)?(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class GuardFilter(AskingFilter):
    """Attributes:
    wording: how it is asked: ``chat`` (Llama Guard and its like: its chat template says what is wanted), ``guard`` (any
        instruct model, in our words), or the path of a Jinja file of your own.
    every_candidate: whether a row goes with all its candidates where one of them fails. Counted are the candidates
        that come this far.
    The others: see :class:`data_builders.filters.asking.AskingFilter`.
    """

    place: ClassVar[Place | None] = Place.GUARD

    name: str = "guard"
    wording: str = "guard"
    every_candidate: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wording != CHAT:
            wording_file(WORDINGS, self.wording, "filters.guard.wording")

    def shape(self, model: Mapping[str, Any]) -> dict[str, Any]:
        words = CHAT if self.wording == CHAT else file_digest(wording_file(WORDINGS, self.wording, "wording"))
        return {**super().shape(model), "wording": words, "every_candidate": self.every_candidate}

    def sift(self, rows: Iterable[Row], surroundings: Surroundings) -> Iterator[tuple[Row, str | None]]:
        judged = (
            (row, self._objection(row, replies, surroundings))
            for row, replies in self.asked(rows, self.questions, surroundings)
        )
        if not self.every_candidate:
            yield from judged
            return
        for _, group in itertools.groupby(judged, key=lambda pair: pair[0].id):
            candidates = list(group)
            worst = next((why for _, why in candidates if why), None)
            for row, why in candidates:
                yield row, why or (worst and f"another candidate fails: {worst}")

    def questions(self, row: Row) -> Sequence[Question]:
        """One for the thought, where there is one, and one for the answer."""
        return [self.question(row, self._turns(row, part, text)) for part, text in _parts(row)]

    def _turns(self, row: Row, part: str, text: str) -> tuple[Turn, ...]:
        if self.wording == CHAT:
            return (
                *_without_system(replace(turn, images=self.shown(turn)) for turn in row.prompt),
                Turn("assistant", text),
            )
        words = render(
            wording_file(WORDINGS, self.wording, "wording"),
            part=part,
            text=text,
            instruction=row.instruction,
            history="\n".join(f"{turn.role}: {turn.text}" for turn in row.prompt[:-1]),
            images=len(row.images) if self.images else 0,
        )
        return (Turn("user", words, row.images if self.images else ()),)

    def _objection(self, row: Row, replies: Sequence[Reply], around: Surroundings) -> str | None:
        for (part, _), reply in zip(_parts(row), replies, strict=True):
            found = read_verdict(reply)
            if found is None:
                silent = self.silent(f"no verdict on the {part}: {why_silent(reply)}", around)
                if silent:
                    return silent
            elif not found[0]:
                return f"unsafe {part}: {found[1] or 'no category given'}"
        return None


def read_verdict(reply: Reply) -> tuple[bool, str] | None:
    """(whether it is safe, the categories it names), or None where the reply does not begin with a verdict."""
    text = said(reply) if reply.error is None else None
    if text is None:
        return None
    if SAFE.match(text):  # alone in its line: "safe to say that ..." is no verdict
        return True, ""
    unsafe = UNSAFE.match(text)
    return (False, " ".join(unsafe[1].split())[:120]) if unsafe else None


def _parts(row: Row) -> list[tuple[str, str]]:
    thought = [("thought", row.thought)] if row.thought else []
    return [*thought, ("answer", row.answer)]


def _without_system(turns: Iterable[Turn]) -> Iterator[Turn]:
    """The turns of a guard's template, which takes users and assistants alone: what the system says stands before what
    the user says next."""
    before: list[str] = []
    for turn in turns:
        if turn.role == "system":
            before.append(turn.text)
            continue
        yield replace(turn, text="\n\n".join([*before, turn.text])) if before else turn
        before = []
