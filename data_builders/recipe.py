"""What a method is taught with: parts drawn from sources, whether they think, and what is filtered out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_builders.filters.base import Filter, in_order
from data_builders.rows import Turns
from data_builders.sources.base import Source
from data_builders.teachers.base import ANSWERS, Answers
from resa.errors import ConfigError, did_you_mean

TURNS: tuple[Turns, ...] = ("each", "last", "alone")
PAIRS = ("none", "all", "some")
EQUAL = ("error", "drop")


@dataclass(frozen=True)
class Part:
    """A share of a recipe.

    Attributes:
        source: where its records come from.
        limit: rows at most, drawn evenly by the recipe's seed; None takes all.
        turns: how dialogues become rows, see :data:`data_builders.rows.Turns`.
        own_thoughts: what becomes of thoughts that records bring: ``keep``, or ``rewrite`` by the teacher.
        twins: share of the labelled rows that benign ones must have at least (0.35); the teacher makes twins of
            harmful rows until they do (:mod:`data_builders.twins`). None: none are made.
    """

    source: Source
    limit: int | None = None
    turns: Turns = "each"
    own_thoughts: str = "keep"
    twins: float | None = None

    @staticmethod
    def of(name: str, value: Part | Mapping[str, Any]) -> Part:
        """A part from its configuration node.

        Raises:
            ConfigError: an unknown key or a bad value.
        """
        if isinstance(value, Part):
            return value
        known = [item.name for item in dataclasses.fields(Part)]
        where = f"data.parts.{name}"
        for key in value:
            if key not in known:
                raise ConfigError(f"unknown key {key!r}. {did_you_mean(str(key), known)}", where=f"{where}.{key}")
        part = Part(**value)
        if part.turns not in TURNS:
            raise ConfigError(
                f"unknown turns {part.turns!r}. {did_you_mean(str(part.turns), TURNS)}", where=f"{where}.turns"
            )
        if part.limit is not None and part.limit < 1:
            raise ConfigError(f"limit must be at least 1, not {part.limit}", where=f"{where}.limit", remedy="null: all")
        if part.own_thoughts not in ("keep", "rewrite"):
            raise ConfigError(f"unknown own_thoughts {part.own_thoughts!r}", where=where, remedy="keep or rewrite")
        if part.twins is not None and not 0 < part.twins < 1:
            raise ConfigError(f"twins must lie between 0 and 1, not {part.twins}", where=f"{where}.twins")
        return part


@dataclass(frozen=True)
class Recipe:
    """The ``data`` slot of a method.

    Attributes:
        parts: name -> part, in order; configuration mappings are turned into :class:`Part`.
        thoughts: whether completions have thoughts; those that records lack are the teacher's.
        answers: what becomes of the records' own answers (``kept``, ``revised``, ``regenerated``).
        filters: name -> filter, put in the order of :class:`data_builders.filters.base.Place`.
        seed: of the draw and of the order of rows.
        strict: whether a record that cannot be used is an error, instead of being kept out and counted.
        pairs: ``none``: rejected answers are left out; ``all``: every row is a preference pair, and one that has no
            rejected answer is kept out; ``some``: rows keep the rejected answer that they have.
        equal_answers: what becomes of a pair whose two answers are the same, and which teaches nothing: ``error``, or
            ``drop`` it, counted and named.
    """

    name: str
    parts: Mapping[str, Part]
    thoughts: bool = False
    answers: Answers = "kept"
    filters: Mapping[str, Filter] = field(default_factory=dict)
    seed: int = 0
    strict: bool = False
    pairs: str = "none"
    equal_answers: str = "error"

    def __post_init__(self) -> None:
        for name, choices in (("pairs", PAIRS), ("equal_answers", EQUAL)):
            value = str(getattr(self, name))
            if value not in choices:
                raise ConfigError(f"unknown {name} {value!r}. {did_you_mean(value, choices)}", where=f"data.{name}")
        if self.pairs != "none" and self.thoughts:
            raise ConfigError(
                "preference pairs are kept as they are: a teacher gives thoughts to the chosen answer alone",
                where="data.thoughts",
                remedy="thoughts=false, or pairs=none",
            )
        if not self.parts:
            raise ConfigError("a recipe needs at least one part", where="data.parts")
        if self.answers not in ANSWERS:
            raise ConfigError(
                f"unknown answers {self.answers!r}. {did_you_mean(str(self.answers), ANSWERS)}", where="data.answers"
            )
        if self.answers != "kept" and not self.thoughts:
            raise ConfigError(
                f"answers={self.answers} needs a teacher, but thoughts is false",
                where="data.answers",
                remedy="thoughts=true, or answers=kept",
            )
        parts = {name: Part.of(name, part) for name, part in self.parts.items()}
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "filters", in_order(self.filters))

    @property
    def taught(self) -> bool:
        """Whether a teacher is needed: for thoughts, or for twins."""
        return self.thoughts or any(part.twins for part in self.parts.values())

    @property
    def sources(self) -> Sequence[Source]:
        return [part.source for part in self.parts.values()]

    def roots(self) -> list[str]:
        """Names of the datasets it is made from."""
        return sorted({source.root for source in self.sources})
