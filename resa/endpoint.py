"""One client for every OpenAI-compatible endpoint: engines, judges and teachers ask through it.

Asynchronous with bounded concurrency; retries with jitter; a server's ``Retry-After`` is honoured; a request that fails
for good comes back as a :class:`Failure`, never as text. The key comes from the environment and is never stored.
"""

from __future__ import annotations

import asyncio
import base64
import json
import mimetypes
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resa.errors import ConfigError, DataError, EngineError
from resa.types import Turn

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
HOPELESS = frozenset({401, 403, 404})


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and how patiently.

    Attributes:
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

    model: str
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
        if not self.model:
            raise ConfigError(
                "an endpoint needs the model's name", where="model", remedy="for example engine.model=gpt-4o"
            )
        if self.concurrency < 1 or self.attempts < 1 or self.timeout_s <= 0 or self.give_up_after < 1:
            raise ConfigError(
                "concurrency, attempts and give_up_after must be at least 1 and timeout_s above 0", where=self.model
            )
        if self.token_limit_field not in ("max_tokens", "max_completion_tokens"):
            raise ConfigError("unknown token_limit_field", where=self.token_limit_field, remedy="use max_tokens")

    def identity(self) -> dict[str, Any]:
        """What shapes an answer."""
        return {
            "base_url": self.base_url,
            "model": self.model,
            "temperature": self.temperature,
            "extra": dict(self.extra),
        }


@dataclass(frozen=True)
class Ask:
    """One request. ``key`` names it to the caller; ``turns`` may carry images (sent as they are, base64)."""

    key: Any
    turns: tuple[Turn, ...]
    max_tokens: int


@dataclass(frozen=True)
class Reply:
    """What the endpoint said. ``thought`` is a reasoning field sent beside the text; ``cut`` = it hit the limit."""

    text: str
    thought: str | None
    cut: bool
    tokens_in: int
    tokens_out: int
    seconds: float
    attempts: int


@dataclass(frozen=True)
class Failure:
    """A request that failed for good: the last error in words, and how often it was tried. ``transient`` is True where
    the endpoint failed, not the request: asking again later may help."""

    error: str
    attempts: int
    seconds: float
    transient: bool = False


Outcome = tuple[Ask, Reply | Failure]
OnOutcomes = Callable[[Sequence[Outcome]], None]


def ask_all(endpoint: Endpoint, asks: Sequence[Ask], on_outcomes: OnOutcomes) -> None:
    """Send every request. ``on_outcomes`` gets whatever has ended since its last call, one call at a time, in another
    thread: writing it to disk neither holds up the requests in flight nor costs a flush each.

    Raises:
        EngineError: the key is missing or refused, the model is unknown, or the endpoint is down
            (``give_up_after`` failures in a row). Outcomes that came before have been handed over.
    """
    if asks:
        asyncio.run(_ask_all(endpoint, asks, on_outcomes))


async def _ask_all(endpoint: Endpoint, asks: Sequence[Ask], on_outcomes: OnOutcomes) -> None:
    waiting, streak, delivery = iter(asks), _FailureStreak(endpoint), _Delivery(on_outcomes)
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
                for _ in range(min(endpoint.concurrency, len(asks))):
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
                where=f"{self.endpoint.base_url or 'api.openai.com'} ({self.endpoint.model})",
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
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url, api_key=key or "none", timeout=endpoint.timeout_s, max_retries=0
    )


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
            return _read(raw.http_response.content, attempt, time.monotonic() - started)
        except openai.APIStatusError as error:
            said = f"HTTP {error.status_code}: {_message(error, client.api_key)}"
            if error.status_code in HOPELESS or _out_of_quota(error):
                raise _hopeless(endpoint, said) from None
            if error.status_code not in RETRIED:
                return Failure(said, attempt, time.monotonic() - started)
            wait_at_least = _retry_after(error.response.headers)
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


def _read(content: bytes, attempts: int, seconds: float) -> Reply | Failure:
    """Parse the body by hand: the library's lenient models would turn a broken one into an object of Nones. What the
    provider's own filter blocked is a failure: the model itself did not refuse.

    Raises:
        ValueError, KeyError, TypeError, IndexError: it is not a chat completion.
    """
    value = json.loads(content)
    choice = value["choices"][0]
    message = choice["message"]
    text = message.get("content")
    thought = message.get("reasoning_content") or message.get("reasoning")
    refusal = message.get("refusal")
    if text is None and refusal is None and choice.get("finish_reason") == "content_filter":
        return Failure("blocked by the provider's content filter", attempts, seconds)
    if text is None and refusal is None and not thought:
        raise ValueError("the message has no content")
    if text is not None and not isinstance(text, str):
        raise TypeError("the content is not text")
    usage = value.get("usage") or {}
    return Reply(
        text=text if text is not None else str(refusal or ""),
        thought=str(thought) if thought else None,
        cut=choice.get("finish_reason") == "length",
        tokens_in=int(usage.get("prompt_tokens") or 0),
        tokens_out=int(usage.get("completion_tokens") or 0),
        seconds=seconds,
        attempts=attempts,
    )


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds the server asks for, in any of the header's forms; 0 where it asks for nothing readable."""
    from email.utils import parsedate_to_datetime

    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) * scale)
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError):
            continue
    return 0.0


def _message(error: Any, key: str) -> str:
    """The server's words, without the key, which some servers repeat."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return str(said or error.response.text or error.message).replace(key, "[key]")[:300]


def _out_of_quota(error: Any) -> bool:
    return error.status_code == 429 and getattr(error, "code", None) == "insufficient_quota"


def _hopeless(endpoint: Endpoint, said: str) -> EngineError:
    return EngineError(
        f"the endpoint refuses every request: {said}",
        where=f"{endpoint.base_url or 'api.openai.com'} ({endpoint.model})",
        remedy=f"check the URL, the model's name and the key in {endpoint.api_key_env}",
    )


def messages_of(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Turns as chat messages, images as data URLs before the text.

    Raises:
        DataError: an image cannot be read.
    """
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if not turn.images:
            messages.append({"role": turn.role, "content": turn.text})
            continue
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": _data_url(Path(image))}} for image in turn.images
        ]
        messages.append({"role": turn.role, "content": [*parts, {"type": "text", "text": turn.text}]})
    return messages


def _data_url(image: Path) -> str:
    try:
        raw = image.read_bytes()
    except OSError as error:
        raise DataError(f"the image cannot be read: {error.strerror}", where=str(image)) from error
    kind = mimetypes.guess_type(image.name)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"
