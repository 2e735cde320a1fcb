"""The chain-of-thought format: ``<think>thought</think>answer``. Render, parse, strip, check.

A completion is one of three things: an answer without a thought, a closed thought with an answer, or a thought that
never closes. The last is an *incomplete* answer, never an empty one (spec: lighteval#869 counts it as empty).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True)
class Reasoned:
    """A parsed completion.

    Attributes:
        thought: the reasoning, stripped; None where the completion has none.
        answer: what the user reads, stripped. For an unclosed thought this is the empty string and ``closed`` is False.
        closed: False only for a thought that never ends.
    """

    thought: str | None
    answer: str
    closed: bool = True


def render(thought: str | None, answer: str) -> str:
    """The completion that :func:`parse` reads back.

    Raises:
        ValueError: a part contains one of the two tags, or the thought is blank.
    """
    for name, part in (("thought", thought or ""), ("answer", answer)):
        if OPEN in part or CLOSE in part:
            raise ValueError(f"the {name} contains {OPEN} or {CLOSE}; remove the tag before rendering")
    if thought is None:
        return answer.strip()
    if not thought.strip():
        raise ValueError("a thought must not be blank; pass None for an answer without one")
    return f"{OPEN}{thought.strip()}{CLOSE}\n{answer.strip()}"


@lru_cache(maxsize=64)  # a row's thought and answer are asked for again and again, one row after the other
def parse(completion: str) -> Reasoned:
    """Split a completion into thought and answer. Never fails: whatever a model writes has a reading.

    A ``</think>`` without its opening tag closes a thought that the chat template opened. Everything after the last
    closing tag is the answer, so that a second thought is never shown to a user as an answer.
    """
    head, close, tail = completion.rpartition(CLOSE)
    if close:
        reopened, tag, rest = tail.partition(OPEN)
        thought = head.replace(OPEN, "").replace(CLOSE, "").strip()
        if tag:
            return Reasoned(f"{thought}\n{rest.strip()}".strip(), reopened.strip(), closed=bool(reopened.strip()))
        return Reasoned(thought, tail.strip())
    before, tag, rest = completion.partition(OPEN)
    if tag:
        return Reasoned(rest.replace(OPEN, "").strip(), before.strip(), closed=False)
    return Reasoned(None, completion.strip())


def strip(completion: str) -> str:
    """Only the answer."""
    return parse(completion).answer


def problems(completion: str) -> tuple[str, ...]:
    """What is wrong with a training completion: names among ``unclosed``, ``nested``, ``no_thought``,
    ``empty_thought``, ``empty_answer``; empty where it is well formed."""
    found = []
    if completion.count(OPEN) > 1 or completion.count(CLOSE) > 1:
        found.append("nested")
    reading = parse(completion)
    if not reading.closed:
        found.append("unclosed")
    elif reading.thought is None:
        found.append("no_thought")
    elif not reading.thought:
        found.append("empty_thought")
    if reading.closed and not reading.answer:
        found.append("empty_answer")
    return tuple(found)
