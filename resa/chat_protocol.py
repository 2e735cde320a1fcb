"""The OpenAI chat protocol, both ways: prompts to request messages, response bodies to replies.

Replies are parsed by hand: the client library's lenient models would turn a broken body into an object of Nones.
"""

from __future__ import annotations

import base64
import json
import mimetypes
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from resa.errors import DataError
from resa.types import Turn

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
HOPELESS = frozenset({401, 403, 404})


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


class Unconnected(Exception):
    """No whole HTTP answer: the message says why."""


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


def read_reply(content: bytes, attempts: int, seconds: float) -> Reply | Failure:
    """The reply in a response body. What the provider's own filter blocked is a failure: the model did not refuse.

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


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds the server asks for, in any of the header's forms; 0 where it asks for nothing readable."""
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


def message_of(body: bytes, key: str) -> str:
    """The words of an error's body, without the key, which some servers repeat."""
    error = _error_in(body)
    said = error.get("message") if isinstance(error, Mapping) else None
    return str(said or body.decode("utf-8", "replace")).replace(key, "[key]")[:300]


def is_out_of_quota(status: int, body: bytes) -> bool:
    """Whether an error says that money, not time, is needed."""
    error = _error_in(body)
    return status == 429 and isinstance(error, Mapping) and error.get("code") == "insufficient_quota"


def _error_in(body: bytes) -> Any:
    """What an error's body says: ``{"error": {...}}``, or the object itself; None where it is no JSON object."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value.get("error", value) if isinstance(value, Mapping) else None
