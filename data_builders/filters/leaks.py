"""Phrases that betray how the data was made: a teacher that speaks of a reference answer, a caption or a regulation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from data_builders.decisions import own_words
from data_builders.filters.base import Check, Place, Plain, Surroundings
from data_builders.prose import plain
from data_builders.recogniser.model import trained
from data_builders.rows import Row
from resa.errors import ConfigError


@dataclass(frozen=True)
class LeakFilter(Plain):
    """Attributes:
    anywhere: regular expressions that neither thought nor answer may hold (lower case, straight apostrophes).
    in_thought, in_answer: further ones for one of the two.
    citations: ways of citing a policy. An answer never may, because its reader never saw one; a thought may where
        ``citing_thoughts`` says so (published sets whose thoughts argue from a policy, as STAR-1).
    sure: how sure the trained recogniser (``data_builders/recogniser``) must be that a sentence is a leak which no
        expression knows; None: it is not asked. Of thoughts that may cite it is not: it would take a citation for one.
    """

    place: ClassVar[Place | None] = Place.WORDS

    name: str = "leaks"
    anywhere: Sequence[str] = ()
    in_thought: Sequence[str] = ()
    in_answer: Sequence[str] = ()
    citations: Sequence[str] = ()
    citing_thoughts: bool = False
    sure: float | None = 0.7

    def __post_init__(self) -> None:
        for pattern in (*self.anywhere, *self.in_thought, *self.in_answer, *self.citations):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigError(
                    f"not a regular expression: {pattern!r} ({error})", where="filters.leaks", remedy="mend the pattern"
                ) from error
        if self.sure is not None and not 0 < self.sure < 1:
            raise ConfigError("sure must lie between 0 and 1", where=f"filters.leaks.sure={self.sure}")

    def open(self, surroundings: Surroundings) -> Check:
        cited = () if self.citing_thoughts else self.citations
        thought = _union((*self.anywhere, *self.in_thought, *cited))
        answer = _union((*self.anywhere, *self.in_answer, *self.citations))
        recogniser = trained()

        def check(row: Row) -> str | None:
            for part, text, pattern in (("thought", row.thought, thought), ("answer", row.answer, answer)):
                found = pattern.search(plain(text or "")) if pattern else None
                if found:
                    return f"leak in the {part}: {found[0]!r}"
                if self.sure is not None and not (self.citing_thoughts and part == "thought"):
                    for sentence in own_words(text or ""):
                        if recogniser.sure("leak", sentence) >= self.sure:
                            return f"reads like a leak in the {part}: {sentence!r}"
            return None

        return check


def _union(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
