"""What teachers that are models have in common: the brief, several candidates a row, and replies made completions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from data_builders.policies import DEFAULT, load_policies, policy_file
from data_builders.respondents.base import Question, Reply, Respondent, Session
from data_builders.respondents.inquiry import Inquiry
from data_builders.respondents.log import ReplyLog
from data_builders.rows import Row
from data_builders.teachers.asking import brief, brief_digest, brief_file, brief_form, completion_of, question
from data_builders.teachers.base import Answers, Drafts, Rewrite, TwinMaker, Workshop, needs_thought
from resa.artifacts import file_digest
from resa.errors import ConfigError


@dataclass(frozen=True)
class ModelTeacher:
    """Attributes:
    policies: a policy set, by name or file.
    brief: how it is asked: ``thought`` (it knows the row's label and answer), ``self`` (it knows neither: it thinks,
        looks out for risk, and refuses or serves as it finds right, as RealSafe-R1's data were made), or the path of a
        Jinja file of your own.
    words: asked for in a thought, at most.
    candidates: drafts of each row; the filters drop what is bad, and the best of the others is taken.
    """

    group: ClassVar[str] = "teacher"

    policies: str = DEFAULT
    brief: str = "thought"
    words: int = 150
    candidates: int = 1

    def __post_init__(self) -> None:
        if self.words < 10 or self.candidates < 1:
            raise ConfigError("words must be at least 10, candidates at least 1", where=self.group)
        if self.candidates > 1 and not getattr(self, "temperature", 0):
            raise ConfigError(
                f"{self.candidates} candidates at temperature 0 would all be the same",
                where="teacher.candidates",
                remedy="teacher.temperature=0.6, or teacher.candidates=1",
            )
        policy_file(self.policies)
        brief_file(self.brief)

    def shape(self) -> dict[str, Any]:
        """What of this shapes its drafts."""
        return {
            "words": self.words,
            "policies": file_digest(policy_file(self.policies)),
            "brief": brief_digest(self.brief),
            "twin_brief": brief_digest("twin"),
            **({"candidates": self.candidates} if self.candidates > 1 else {}),
        }

    def needs(self) -> tuple[str, ...]:
        return ()

    def can(self, answers: Answers) -> bool:
        """A teacher that is not told the row's answer cannot lead up to it."""
        return self.brief != "self" or answers == "regenerated"

    def questions(self, row: Row, turns: Sequence[Any]) -> list[Question]:
        return [question(row, tuple(turns), number) for number in range(self.candidates)]

    def _inquiry(
        self, workshop: Workshop, respondent: Respondent, what: str, usable: Callable[[Reply], bool]
    ) -> Inquiry:
        log = ReplyLog(workshop.drafts, respondent.name, respondent.identity(workshop.model), workshop.writer)
        label = f"{what} {respondent.name}"
        return Inquiry(
            respondent, log, Session(label, workshop.model, workshop.progress, usable=usable, writer=workshop.writer)
        )

    @contextmanager
    def pairing(self, workshop: Workshop, respondent: Respondent) -> Iterator[TwinMaker]:
        """Writes benign twins."""
        from data_builders.teachers.model_twins import ModelTwins, twin_in

        inquiry = self._inquiry(workshop, respondent, "twins", lambda reply: twin_in(reply)[2] is None)
        yield ModelTwins(inquiry, load_policies(self.policies))

    @contextmanager
    def teaching(self, workshop: Workshop, respondent: Respondent) -> Iterator[Rewrite]:
        """Writes thoughts."""
        inquiry = self._inquiry(
            workshop, respondent, "teacher", lambda reply: completion_of(reply, "-", workshop.answers)[1] is None
        )
        policies, form = load_policies(self.policies), brief_form(self.brief)

        def ask(row: Row) -> Sequence[Question]:
            if not needs_thought(row):
                return ()
            return self.questions(row, brief(row, policies, workshop.answers, self.words, form=form))

        def rewrite(rows: Iterable[Row]) -> Drafts:
            for row, replies in inquiry.replies(rows, ask):
                if not replies:
                    yield row, None
                for number, reply in enumerate(replies):
                    completion, reason = completion_of(reply, row.completion, workshop.answers)
                    candidate = replace(row, candidate=number)
                    yield (candidate, reason) if reason else (replace(candidate, completion=completion), None)

        yield rewrite
