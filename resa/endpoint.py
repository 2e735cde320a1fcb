"""One client for every OpenAI-compatible endpoint: engines, judges and teachers ask through it.

Asynchronous with bounded concurrency; retries with jitter; a server's ``Retry-After`` is honoured; a request that fails
for good comes back as a :class:`Failure`, never as text. The key comes from the environment and is never stored.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain, islice
from typing import Any, ClassVar
from urllib.parse import urlsplit

from resa.chat_protocol import (
    HOPELESS,
    RETRIED,
    Ask,
    Failure,
    Reply,
    is_out_of_quota,
    message_of,
    messages_of,
    read_reply,
    retry_after,
)
from resa.errors import ConfigError, DataError, EngineError, did_you_mean

__all__ = ["Ask", "Endpoint", "Failure", "Outcome", "Reply", "ask_all", "models_at"]

LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


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
        backoff_s, max_wait_s: the n-th wait is random in (0.5, 1) x backoff_s x 2^n, at most max_wait_s; a server's
            Retry-After, where longer, is waited out in full.
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
    attempts: int = 8
    backoff_s: float = 1.0
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
    last call, one call at a time, in another thread: writing it to disk neither holds up the requests in flight nor
    costs a flush each.

    Raises:
        EngineError: the key is missing or refused, the model is unknown, or the endpoint is down
            (``give_up_after`` failures in a row). Outcomes that came before have been handed over.
    """
    waiting = iter(asks)
    first = list(islice(waiting, endpoint.concurrency))
    if first:
        asyncio.run(_ask_all(endpoint, chain(first, waiting), len(first), on_outcomes))


async def _ask_all(endpoint: Endpoint, waiting: Iterator[Ask], workers: int, on_outcomes: OnOutcomes) -> None:
    streak, delivery = _FailureStreak(endpoint), _Delivery(on_outcomes)
    delivering = asyncio.create_task(delivery.run())
    async with _client(endpoint) as client:

        async def work() -> None:
            for request in waiting:
                if delivering.done():  # it raised: nobody takes what would be asked now
                    return
                outcome = await _ask(client, endpoint, request)
                delivery.put((request, outcome))
                streak.note(outcome)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            delivery.close()
            await delivering


class _Delivery:
    """Hands outcomes over in groups, as many as have gathered while the last group was dealt with."""

    def __init__(self, on_outcomes: OnOutcomes) -> None:
        self.on_outcomes = on_outcomes
        self._gathered: list[Outcome] = []
        self._arrived, self._closed = asyncio.Event(), False

    def put(self, outcome: Outcome) -> None:
        self._gathered.append(outcome)
        self._arrived.set()

    def close(self) -> None:
        """Nothing more will be put; :meth:`run` ends when all is handed over."""
        self._closed = True
        self._arrived.set()

    async def run(self) -> None:
        while self._gathered or not self._closed:
            await self._arrived.wait()
            self._arrived.clear()
            group, self._gathered = self._gathered, []
            if group:
                await asyncio.to_thread(self.on_outcomes, group)


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


def _client(endpoint: Endpoint) -> Any:
    import openai

    key = os.environ.get(endpoint.api_key_env)
    if not key and endpoint.base_url is None:
        raise EngineError(
            "no API key",
            where=f"environment variable {endpoint.api_key_env}",
            remedy=f"export {endpoint.api_key_env}=...",
        )
    # A server on this very machine is not asked through the proxy that the outside world is reached by.
    own = endpoint.base_url is not None and urlsplit(endpoint.base_url).hostname in LOOPBACK
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=key or "none",
        timeout=endpoint.timeout_s,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False) if own else None,
    )


def models_at(endpoint: Endpoint) -> list[str]:
    """The names of the models that a server has.

    Raises:
        EngineError: it cannot be reached, or does not say.
    """

    async def ask() -> list[str]:
        async with _client(endpoint) as client:
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


async def _ask(client: Any, endpoint: Endpoint, request: Ask) -> Reply | Failure:
    import openai

    started = time.monotonic()
    try:
        body = await asyncio.to_thread(_body, endpoint, request)  # reads and encodes the images
    except DataError as error:
        return Failure(str(error), 0, 0.0)
    said = "not tried"
    for attempt in range(1, endpoint.attempts + 1):
        wait_at_least = 0.0
        try:
            # The library's own timeout restarts with every byte; a server that dribbles must not hold a slot.
            async with asyncio.timeout(endpoint.timeout_s):
                raw = await client.chat.completions.with_raw_response.create(**body)
            return read_reply(raw.http_response.content, attempt, time.monotonic() - started)
        except openai.APIStatusError as error:
            said = f"HTTP {error.status_code}: {message_of(error, client.api_key)}"
            if error.status_code in HOPELESS or is_out_of_quota(error):
                raise _hopeless(endpoint, said) from None
            if error.status_code not in RETRIED:
                return Failure(said, attempt, time.monotonic() - started)
            wait_at_least = retry_after(error.response.headers)
        except (openai.APITimeoutError, TimeoutError):
            said = f"no answer within {endpoint.timeout_s:g} s"
        except openai.APIConnectionError as error:
            said = f"connection failed: {error.__cause__ or error}"
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            said = f"unreadable answer: {error}"
        if attempt < endpoint.attempts:
            jittered = endpoint.backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
            await asyncio.sleep(max(wait_at_least, min(jittered, endpoint.max_wait_s)))
    said = f"{said} (tried {endpoint.attempts} times)"
    return Failure(said, endpoint.attempts, time.monotonic() - started, transient=True)


def _body(endpoint: Endpoint, request: Ask) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": messages_of(request.turns),
        endpoint.token_limit_field: request.max_tokens,
    }
    if endpoint.temperature is not None:
        body["temperature"] = endpoint.temperature
    if endpoint.extra:
        body["extra_body"] = dict(endpoint.extra)
    return body


def _hopeless(endpoint: Endpoint, said: str) -> EngineError:
    return EngineError(
        f"the endpoint refuses every request: {said}",
        where=endpoint.place,
        remedy=f"check the URL, the model's name and the key in {endpoint.api_key_env}",
    )
