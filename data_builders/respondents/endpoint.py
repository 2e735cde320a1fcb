"""A respondent behind any OpenAI-compatible endpoint, a vLLM server included. It is sent the images themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from data_builders.respondents.base import Keep, Question, Reply, Session
from data_builders.respondents.spending import Budget, Spending
from data_builders.shards import Shard
from resa import endpoint as endpoints
from resa.errors import ConfigError, EngineError


@dataclass(frozen=True)
class EndpointRespondent(Budget, endpoints.Endpoint):
    """Attributes:
    max_tokens: of a reply.
    tolerated_failures: calls that may fail for good (after all attempts) in a finished dataset; with more, the run
        stops and the next one asks for just these again.
    The others: see :class:`resa.endpoint.Endpoint` and :class:`data_builders.respondents.spending.Budget`. Of them all,
    only what :meth:`identity` names shapes a reply.
    """

    group: ClassVar[str] = "respondent"

    name: str = "openai"
    max_tokens: int = 1024
    tolerated_failures: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_budget()
        if self.max_tokens < 1 or self.tolerated_failures < 0:
            raise ConfigError("max_tokens must be at least 1, tolerated_failures not negative", where=self.group)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": self.name, **self.asked_for(), "max_tokens": self.max_tokens}

    def respond(self, questions: Iterable[Question], total: int, keep: Keep, session: Session) -> Mapping[str, Reply]:
        """As :meth:`data_builders.respondents.base.Respondent.respond`.

        Raises:
            EngineError: also where the budget is reached before all are answered; what was in flight has been kept.
        """
        from data_builders.respondents.meter import metered

        shard = Shard.of_writer(session.writer)
        till = _Till(self.split(shard.number, shard.count) if shard else self, session.spent)
        passing: dict[str, Reply] = {}
        with metered(session, total, self) as meter:

            def take(outcomes: Sequence[endpoints.Outcome]) -> None:
                final: dict[str, Reply] = {}
                for ask, outcome in outcomes:
                    reply = _reply(outcome)
                    again = isinstance(outcome, endpoints.Failure) and outcome.transient
                    (passing if again else final)[ask.key] = reply
                    till.ended(reply, kept=not again)
                    meter.count(reply)
                keep(final)

            endpoints.ask_all(self, self._asks(questions, till), take)
        if till.closed_by is not None:
            raise self._spent_up(till, total, shard)
        if len(passing) > self.tolerated_failures:
            first = next(iter(passing.values())).error
            raise EngineError(
                f"{len(passing)} of {total} {self.group} calls failed; the first: {first}",
                where=self.place,
                remedy="run the same command again: only these are asked for, the others are kept; or allow them with "
                f"{self.group}.tolerated_failures={len(passing)}",
            )
        return passing

    def _asks(self, questions: Iterable[Question], till: _Till) -> Iterator[endpoints.Ask]:
        for question in questions:
            if not till.may_ask():
                return
            yield endpoints.Ask(question.key, question.turns, self.max_tokens)

    def _spent_up(self, till: _Till, total: int, shard: Shard | None) -> EngineError:
        share = f", the share of shard {shard}" if shard else ""
        return EngineError(
            f"the budget is reached: {till.closed_by}{share}; {till.answered:,} of {total:,} questions of this run are "
            f"answered. Spent, earlier runs included: {self.in_words(till.spent)}",
            where=self.place,
            remedy=f"raise {self.group}.{str(till.closed_by).partition('=')[0]} and run the same command again: what "
            "is answered is kept",
        )


@dataclass
class _Till:
    """Watches a budget while questions are asked in one thread and replies kept in another.

    Attributes:
        spent: so far, earlier runs included; underway: begun, and not ended; answered: kept in this run.
        closed_by: the limit that was reached while a question was still to be asked.
    """

    budget: Budget
    spent: Spending
    underway: int = 0
    answered: int = 0
    closed_by: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may_ask(self) -> bool:
        """Whether one more question may be asked, which then counts as underway."""
        with self.lock:
            self.closed_by = self.budget.reached(self.spent, self.underway)
            self.underway += self.closed_by is None
            return self.closed_by is None

    def ended(self, reply: Reply, kept: bool) -> None:
        with self.lock:
            self.underway -= 1
            if kept:
                self.answered += 1
                self.spent = self.spent.plus(reply.error is not None, reply.tokens_in, reply.tokens_out)


def _reply(outcome: endpoints.Reply | endpoints.Failure) -> Reply:
    if isinstance(outcome, endpoints.Failure):
        return Reply(error=outcome.error)
    return Reply(outcome.text, outcome.cut, None, outcome.tokens_in, outcome.tokens_out)
