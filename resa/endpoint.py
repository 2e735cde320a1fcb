"""One client for every OpenAI-compatible endpoint: engines, judges and teachers ask through it.

Asynchronous with bounded concurrency; retries with jitter; a server's ``Retry-After`` is honoured; a request that fails
for good comes back as a :class:`Failure`, never as text. The key comes from the environment and is never stored.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any, ClassVar

from resa.chat_protocol import (
    HOPELESS,
    RETRIED,
    Ask,
    Failure,
    Reply,
    Unconnected,
    is_out_of_quota,
    message_of,
    messages_of,
    read_reply,
    retry_after,
)
from resa.errors import ConfigError, DataError, EngineError, did_you_mean
from resa.flight import Delivery, Places
from resa.line import Line, connected, library_client

__all__ = ["Ask", "Endpoint", "Failure", "Outcome", "Reply", "ask_all", "models_at"]

LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and how patiently: the one definition of these options, which engine, judge and teacher inherit.

    Attributes:
        group: the configuration group that a class stands for; named in messages.
        must_name_model: whether ``model`` has to be given.
        model: the name the server knows the model by.
        base_url: ``http://host:port/v1``; None is OpenAI itself.
        api_key_env: environment variable that holds the key; a local server needs none.
        concurrency: requests in flight at most.
        timeout_s: seconds one attempt may take; attempts: tries per request, the first included.
        backoff_s, max_wait_s: from the beginning of an attempt to that of the next passes a time random in (0.5, 1) x
            backoff_s x 2^(n - 1) after the n-th, at most max_wait_s: one that ran into ``timeout_s`` has waited
            already. A server's Retry-After, counted from its answer and where longer, is waited out in full.
        give_up_after: this many requests failing in a row stop the run, since the endpoint is then down.
        token_limit_field: ``max_tokens`` (understood everywhere) or ``max_completion_tokens`` (OpenAI's newer models).
        temperature: None leaves it out, for models that refuse it.
        extra: further fields of the request body (``{"seed": 0}`` ...).
    """

    group: ClassVar[str] = "engine"
    must_name_model: ClassVar[bool] = True

    model: str | None = None
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = 16
    timeout_s: float = 120.0
    attempts: int = 9
    backoff_s: float = 0.25
    max_wait_s: float = 60.0
    give_up_after: int = 50
    token_limit_field: str = "max_tokens"
    temperature: float | None = 0.0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.must_name_model and not self.model:
            raise ConfigError(
                "an endpoint needs the model's name",
                where=f"{self.group}.model",
                remedy=f"add {self.group}.model=NAME, and {self.group}.base_url=URL unless it is OpenAI's own",
            )
        for name in ("concurrency", "attempts", "give_up_after"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1", where=f"{self.group}.{name}={getattr(self, name)}")
        if self.timeout_s <= 0:
            raise ConfigError("timeout_s must be above 0", where=f"{self.group}.timeout_s={self.timeout_s}")
        if self.token_limit_field not in LIMIT_FIELDS:
            raise ConfigError(
                f"unknown field {self.token_limit_field!r}. {did_you_mean(self.token_limit_field, LIMIT_FIELDS)}",
                where=f"{self.group}.token_limit_field",
            )

    def at(self, base_url: str, model: str) -> Endpoint:
        """The same options for another place."""
        given = {item.name: getattr(self, item.name) for item in fields(Endpoint)}
        return Endpoint(**{**given, "base_url": base_url, "model": model})

    @property
    def place(self) -> str:
        """For messages: where it is, and the model's name there."""
        return f"{self.base_url or 'api.openai.com'} ({self.model})"

    def asked_for(self) -> dict[str, Any]:
        """What of this shapes an answer; part of an artifact's key."""
        return {
            "base_url": self.base_url,
            "model": self.model,
            "temperature": self.temperature,
            "extra": dict(self.extra),
        }


Outcome = tuple[Ask, Reply | Failure]
OnOutcomes = Callable[[Sequence[Outcome]], None]


def ask_all(endpoint: Endpoint, asks: Iterable[Ask], on_outcomes: OnOutcomes) -> None:
    """Send every request; each is drawn when a place is free for it. ``on_outcomes`` gets whatever has ended since its
    last call, one call at a time, in another thread: writing it to disk does not hold up the requests in flight. A
    place is free again when what was in it has been handed over, so that a kill loses no more than was in flight.

    A request that waits for its next attempt holds no place, as long as no more than ``concurrency`` of them wait.

    Raises:
        EngineError: the key is missing or refused, the model is unknown, or the endpoint is down
            (``give_up_after`` failures in a row). Outcomes that came before have been handed over.
    """
    waiting = iter(asks)
    first = next(waiting, None)
    if first is not None:
        asyncio.run(_ask_all(endpoint, chain([first], waiting), on_outcomes))


async def _ask_all(endpoint: Endpoint, waiting: Iterator[Ask], on_outcomes: OnOutcomes) -> None:
    streak, delivery, places = _FailureStreak(endpoint), Delivery(on_outcomes), Places(endpoint.concurrency)
    delivering = asyncio.create_task(delivery.run())

    async def settle(line: Line, request: Ask) -> None:
        try:
            outcome = await _ask(line, endpoint, request, places)
            await delivery.hand_over((request, outcome))
        finally:
            places.leave()
        streak.note(outcome)

    try:
        async with connected(endpoint) as line, asyncio.TaskGroup() as group:
            while True:
                await places.take()
                request = next(waiting, None)
                if request is None:
                    break
                group.create_task(settle(line, request))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        delivery.close()
        await delivering


class _FailureStreak:
    """Tells a dead endpoint from bad requests: counts the endpoint's failures with no other outcome between them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, self.length = endpoint, 0

    def note(self, outcome: Reply | Failure) -> None:
        if not (isinstance(outcome, Failure) and outcome.transient):
            self.length = 0
            return
        self.length += 1
        if self.length >= self.endpoint.give_up_after:
            raise EngineError(
                f"the endpoint failed {self.length} requests in a row; the last: {outcome.error}",
                where=self.endpoint.place,
                remedy="see that the server is up and run the same command again: finished answers are kept",
            )


def models_at(endpoint: Endpoint) -> list[str]:
    """The names of the models that a server has.

    Raises:
        EngineError: it cannot be reached, or does not say.
    """

    async def ask() -> list[str]:
        async with library_client(endpoint) as client:
            return [str(model.id) for model in (await client.models.list()).data]

    import openai

    try:
        return asyncio.run(ask())
    except (openai.OpenAIError, TypeError, AttributeError) as error:
        raise EngineError(
            f"the server does not say which models it has: {error}",
            where=str(endpoint.base_url),
            remedy=f"see that it is up, or name the model: {endpoint.group}.model=NAME",
        ) from error


async def _ask(line: Line, endpoint: Endpoint, request: Ask, places: Places) -> Reply | Failure:
    started = time.monotonic()
    try:
        if any(turn.images for turn in request.turns):  # they are read and encoded, which may take its time
            body = await asyncio.to_thread(_body, endpoint, request)
        else:
            body = _body(endpoint, request)
    except DataError as error:
        return Failure(str(error), 0, 0.0)
    said = "not tried"
    for attempt in range(1, endpoint.attempts + 1):
        wait_at_least, begun = 0.0, time.monotonic()
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                status, headers, content = await line.post(body)
            if status < 300:
                return read_reply(content, attempt, time.monotonic() - started)
            said = f"HTTP {status}: {message_of(content, line.key)}"
            if 300 <= status < 400:
                raise _hopeless(endpoint, f"HTTP {status}: it has moved to {headers.get('location')}")
            if status in HOPELESS or is_out_of_quota(status, content):
                raise _hopeless(endpoint, said)
            if status not in RETRIED:
                return Failure(said, attempt, time.monotonic() - started)
            wait_at_least = retry_after(headers)
        except TimeoutError:
            said = f"no answer within {endpoint.timeout_s:g} s"
        except Unconnected as error:
            said = f"connection failed: {error}"
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            said = f"unreadable answer: {error}"
        if attempt < endpoint.attempts:
            spacing = min(endpoint.backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.0), endpoint.max_wait_s)
            await places.rest(max(wait_at_least, spacing - (time.monotonic() - begun)))
    said = f"{said} (tried {endpoint.attempts} times)"
    return Failure(said, endpoint.attempts, time.monotonic() - started, transient=True)


def _body(endpoint: Endpoint, request: Ask) -> bytes:
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages_of(request.turns),
        endpoint.token_limit_field: request.max_tokens,
    }
    if endpoint.temperature is not None:
        body["temperature"] = endpoint.temperature
    return json.dumps({**body, **endpoint.extra}).encode()


def _hopeless(endpoint: Endpoint, said: str) -> EngineError:
    return EngineError(
        f"the endpoint refuses every request: {said}",
        where=endpoint.place,
        remedy=f"check the URL, the model's name and the key in {endpoint.api_key_env}",
    )
