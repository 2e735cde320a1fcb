"""LLaVA's conversation JSON, which most multimodal instruction sets are published in: parsing of one record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resa.types import Role, Turn

TAG = "<image>"
ROLES: Mapping[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}


def image_names(record: Mapping[str, Any]) -> list[str]:
    """The image files that a record names, under ``image`` or ``images``.

    Raises:
        ValueError: they are not file names.
    """
    given = record.get("image", record.get("images")) or []
    names = [given] if isinstance(given, str) else list(given)
    if any(not isinstance(name, str) or not name.strip() for name in names):
        raise ValueError("an image is not a file name")
    return names


def turns_of(says: Any, images: list[Path]) -> tuple[Turn, ...]:
    """The turns of ``[{"from": "human" | "gpt", "value"} ...]`` (``role`` and ``content`` are understood too). Image
    tags are taken out of the text and bind the images to turns, in order; without any tag, all belong to the first
    user turn.

    Raises:
        ValueError: turns do not alternate, do not end with an answer, are blank, or tags and images differ in number.
        KeyError, TypeError, AttributeError: fields are missing or of the wrong type.
    """
    if not isinstance(says, list) or not says:
        raise ValueError("no conversation")
    waiting = [str(image) for image in images]
    turns: list[Turn] = []
    tags = sum(str(say.get("value", say.get("content"))).count(TAG) for say in says)
    if tags not in (0, len(images)):
        raise ValueError(f"{tags} image tags, but {len(images)} images")
    for say in says:
        role = ROLES.get(say.get("from", say.get("role")))
        value = say["value"] if "value" in say else say["content"]
        if role is None or not isinstance(value, str):
            raise ValueError(f"not a turn: {str(say)[:80]}")
        first = role == "user" and not any(turn.role == "user" for turn in turns)
        bound = len(waiting) if not tags and first else value.count(TAG)
        if bound and role != "user":
            raise ValueError("an image tag outside a user turn")
        words = value.replace(f"{TAG}\n", "").replace(f"\n{TAG}", "").replace(TAG, "").strip()
        if not words:
            raise ValueError("a blank turn")
        turns.append(Turn(role, words, tuple(waiting[:bound])))
        waiting = waiting[bound:]
    check_order(turns)
    return tuple(turns)


def check_order(turns: list[Turn]) -> None:
    """Raises:
    ValueError: user and assistant do not alternate, or the last word is not the assistant's."""
    said = [turn.role for turn in turns if turn.role != "system"]
    if "system" in [turn.role for turn in turns[1:]]:
        raise ValueError("a system turn after the first")
    if not said or said != ["user", "assistant"] * (len(said) // 2):
        raise ValueError("user and assistant do not alternate, ending with the assistant")
