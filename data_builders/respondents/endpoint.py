"""A respondent behind any OpenAI-compatible endpoint, a vLLM server included. It is sent the images themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from data_builders.respondents.base import Keep, Question, Reply, Session
from resa import endpoint as endpoints
from resa.errors import ConfigError, EngineError


@dataclass(frozen=True)
class EndpointRespondent(endpoints.Endpoint):
    """Attributes:
    max_tokens: of a reply.
    tolerated_failures: calls that may fail for good (after all attempts) in a finished dataset; with more, the run
        stops and the next one asks for just these again.
    The others: see :class:`resa.endpoint.Endpoint`.
    """

    group: ClassVar[str] = "respondent"

    name: str = "openai"
    max_tokens: int = 1024
    tolerated_failures: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_tokens < 1 or self.tolerated_failures < 0:
            raise ConfigError("max_tokens must be at least 1, tolerated_failures not negative", where=self.group)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": self.name, **self.asked_for(), "max_tokens": self.max_tokens}

    def respond(self, questions: Iterable[Question], total: int, keep: Keep, session: Session) -> Mapping[str, Reply]:
        from data_builders.progress import track

        passing: dict[str, Reply] = {}
        with track(session.label, total, session.progress) as advance:

            def take(outcomes: Sequence[endpoints.Outcome]) -> None:
                final: dict[str, Reply] = {}
                for ask, outcome in outcomes:
                    if isinstance(outcome, endpoints.Reply):
                        final[ask.key] = Reply(outcome.text, outcome.cut, None, outcome.tokens_in, outcome.tokens_out)
                    else:
                        (passing if outcome.transient else final)[ask.key] = Reply(error=outcome.error)
                    advance()
                keep(final)

            endpoints.ask_all(self, self._asks(questions), take)
        if len(passing) > self.tolerated_failures:
            first = next(iter(passing.values())).error
            raise EngineError(
                f"{len(passing)} of {total} {self.group} calls failed; the first: {first}",
                where=self.place,
                remedy="run the same command again: only these are asked for, the others are kept; or allow them with "
                f"{self.group}.tolerated_failures={len(passing)}",
            )
        return passing

    def _asks(self, questions: Iterable[Question]) -> Iterator[endpoints.Ask]:
        return (endpoints.Ask(question.key, question.turns, self.max_tokens) for question in questions)
