"""Phrases that betray how the data was made: a teacher that speaks of a reference answer, a caption or a regulation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Check, Place, Plain, Surroundings
from data_builders.refusals import plain
from data_builders.rows import Row
from resa.errors import ConfigError


@dataclass(frozen=True)
class LeakFilter(Plain):
    """Attributes:
    anywhere: regular expressions that neither thought nor answer may hold (lower case, straight apostrophes).
    in_thought, in_answer: further ones for one of the two.
    citations: ways of citing a policy. An answer never may, because its reader never saw one; a thought may where
        ``citing_thoughts`` says so (published sets whose thoughts argue from a policy, as STAR-1).
    """

    place: ClassVar[Place | None] = Place.WORDS

    name: str = "leaks"
    anywhere: Sequence[str] = ()
    in_thought: Sequence[str] = ()
    in_answer: Sequence[str] = ()
    citations: Sequence[str] = ()
    citing_thoughts: bool = False

    def __post_init__(self) -> None:
        for pattern in (*self.anywhere, *self.in_thought, *self.in_answer, *self.citations):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigError(
                    f"not a regular expression: {pattern!r} ({error})", where="filters.leaks", remedy="mend the pattern"
                ) from error

    def open(self, surroundings: Surroundings) -> Check:
        cited = () if self.citing_thoughts else self.citations
        thought = _union((*self.anywhere, *self.in_thought, *cited))
        answer = _union((*self.anywhere, *self.in_answer, *self.citations))

        def check(row: Row) -> str | None:
            for part, text, pattern in (("thought", row.thought, thought), ("answer", row.answer, answer)):
                found = pattern.search(plain(text or "")) if pattern else None
                if found:
                    return f"leak in the {part}: {found[0]!r}"
            return None

        return check


def _union(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
