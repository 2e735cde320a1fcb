"""Repeated prompts: the same words on the same images (by content) are learnt from once, the first time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Check, Place, Plain, Surroundings
from data_builders.filters.words import prompt_key
from data_builders.rows import Row


@dataclass(frozen=True)
class DuplicateFilter(Plain):
    """Words are compared without case, punctuation and spacing. Sixteen bytes a row are remembered."""

    each_candidate: ClassVar[bool] = False
    place: ClassVar[Place | None] = Place.REPEATS

    name: str = "duplicates"

    def open(self, surroundings: Surroundings) -> Check:
        seen: set[bytes] = set()

        def check(row: Row) -> str | None:
            said = "\x1e".join(f"{turn.role}:{prompt_key(turn.text)}" for turn in row.prompt)
            pair = (
                "" if row.rejected is None else f"\x1f{row.completion}\x1f{row.rejected}"
            )  # a prompt may have several
            key = hashlib.blake2b(f"{said}\x1f{row.image_hashes}{pair}".encode(), digest_size=16).digest()
            if key in seen:
                return "repeated prompt"
            seen.add(key)
            return None

        return check
