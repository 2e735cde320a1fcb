"""Figures: what is measured of one dataset variant, as a function of sums over its samples.

Every figure of the benchmark (rates, accuracies, F1, correlations, chi-square p-values) is a smooth function of sums of
a few columns over the samples. So a figure says which columns a sample has (:attr:`Figure.columns`) and what the sums
give (:attr:`Figure.finish`); statistics then resamples any of them by weighting the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from eval.metrics import chi_square_p
from eval.rules import STRICT
from resa.types import Judgement, Response, Sample

Profile = Literal["paper", "strict"]
PROFILES: tuple[Profile, ...] = ("paper", "strict")
Array = npt.NDArray[np.float64]


class Why(StrEnum):
    """Why a sample has no part in a figure."""

    ERROR = "error"
    INCOMPLETE = "incomplete"
    UNPARSED = "unparsed"
    UNJUDGED = "unjudged"


Reading = float | Why
Read = Callable[["Row"], Reading]


@dataclass(frozen=True)
class Row:
    """A sample with its response and the verdicts on it, read in one profile."""

    sample: Sample
    response: Response
    verdicts: Mapping[tuple[str, str], Judgement]
    profile: Profile

    @property
    def incomplete(self) -> bool:
        """Whether a thought never came to an answer."""
        return self.response.status == "unclosed_thought" and not self.response.answer

    def number(self, measure: str, part: str = "answer", unparsed: float | None = None) -> Reading:
        """A verdict. What failed is in no figure of either profile. An incomplete answer counts in profile ``paper`` as
        the empty text that the official code would have read: 0 for every parser and judge.

        Args:
            unparsed: the value that the official code gives what it cannot read; None where it drops it.
        """
        if self.response.status == "error":
            return Why.ERROR
        found = self.verdicts.get((measure, part))
        if found is None:
            return Why.UNJUDGED
        if found.status == "error":
            return Why.ERROR
        if found.value is not None:
            return found.value
        if self.incomplete and part == "answer":
            return 0.0 if self.profile == "paper" else Why.INCOMPLETE
        return unparsed if unparsed is not None and self.profile == "paper" else Why.UNPARSED

    def rule(self, name: str, unparsed: float | None = None) -> Reading:
        """The verdict of a rule that has a reading for each profile."""
        return self.number(name if self.profile == "paper" else name + STRICT, unparsed=unparsed)

    def judged(self, measure: str) -> Reading:
        """The verdict of a yes-or-no judge, whose unreadable words are officially a no."""
        return self.number(measure, unparsed=0.0)

    def right(self, reading: Reading) -> Reading:
        """For accuracies: what was not said, or cannot be read, is not right; only failures are left out."""
        return 0.0 if reading in (Why.INCOMPLETE, Why.UNPARSED) else reading


@dataclass(frozen=True)
class Figure:
    """One figure of one variant.

    Attributes:
        variant: its samples'; subset: only those of this subset; rows_of: another variant whose samples stand in.
        name: of the metric (``accuracy``, ``asr``, ``rta`` ...).
        columns: the numbers of a sample that are summed, or why it has none.
        finish: sums (..., columns) -> the figure (...), in its official unit (mostly a rate, 0-1).
    """

    variant: str
    name: str
    columns: Callable[[Row], Sequence[float] | Why]
    finish: Callable[[Array], Array]
    subset: str | None = None
    rows_of: str | None = None

    @property
    def key(self) -> str:
        return f"{self.variant}:{self.name}"


def mean(variant: str, name: str, read: Read, subset: str | None = None) -> Figure:
    """The mean of a reading."""

    def columns(row: Row) -> Sequence[float] | Why:
        found = read(row)
        return found if isinstance(found, Why) else (float(found), 1.0)

    return Figure(variant, name, columns, ratio, subset)


def ratio(sums: Array) -> Array:
    """First column over the second; NaN over nothing."""
    return divide(sums[..., 0], sums[..., 1])


def divide(above: Array, below: Array, otherwise: float = np.nan) -> Array:
    """Element by element; ``otherwise`` where the denominator is 0."""
    quotient: Array = np.divide(above, below, out=np.full(np.shape(above), otherwise), where=below != 0)
    return quotient


def agrees_with_target(rule: str = "yes_no") -> Read:
    """1 where a rule's verdict equals the sample's target; what says neither is not right."""

    def read(row: Row) -> Reading:
        found = row.rule(rule)
        return row.right(found) if isinstance(found, Why) else float(found == float(row.sample.target))

    return read


def judged_right(measure: str) -> Read:
    """1 where the judge says so; an answer that never came is not right."""
    return lambda row: row.right(row.judged(measure))


def either(*reads: Read) -> Read:
    """1 where any reading is 1; undecided where none is and one has no value."""

    def read(row: Row) -> Reading:
        found = [one(row) for one in reads]
        missing = [one for one in found if isinstance(one, Why)]
        if Why.UNJUDGED in missing:
            return Why.UNJUDGED
        return 1.0 if 1.0 in found else missing[0] if missing else 0.0

    return read


def opposite(read: Read) -> Read:
    """1 minus a reading."""

    def turned(row: Row) -> Reading:
        found = read(row)
        return found if isinstance(found, Why) else 1.0 - found

    return turned


def binary(variant: str, rule: str = "yes_no") -> tuple[Figure, ...]:
    """Accuracy, precision, recall and F1 of a yes-or-no rule against the sample's target."""

    def columns(row: Row) -> Sequence[float] | Why:
        found, truth = row.rule(rule), float(row.sample.target)
        if found in (Why.INCOMPLETE, Why.UNPARSED):
            found = 1.0 - truth
        if isinstance(found, Why):
            return found
        hit = float(found == 1.0 and truth == 1.0)
        return float(found == truth), 1.0, hit, found, truth

    finishes: dict[str, Callable[[Array], Array]] = {
        "accuracy": ratio,
        "precision": lambda s: divide(s[..., 2], s[..., 3], 0.0),
        "recall": lambda s: divide(s[..., 2], s[..., 4], 0.0),
        "f1": lambda s: divide(2 * s[..., 2], s[..., 3] + s[..., 4], 0.0),
    }
    return tuple(Figure(variant, name, columns, finish) for name, finish in finishes.items())


def correlation(variant: str, name: str, read: Read) -> Figure:
    """Pearson's correlation of a reading with the target, over the samples that can be read. NaN without spread."""

    def columns(row: Row) -> Sequence[float] | Why:
        found, y = read(row), float(row.sample.target)
        return found if isinstance(found, Why) else (1.0, found, y, found * found, y * y, found * y)

    def finish(s: Array) -> Array:
        n, x, y, xx, yy, xy = np.moveaxis(s, -1, 0)
        spread = np.maximum(n * xx - x * x, 0.0) * np.maximum(n * yy - y * y, 0.0)
        return divide(n * xy - x * y, np.sqrt(np.where(spread > 1e-9 * (1 + n**2), spread, 0.0)))

    return Figure(variant, name, columns, finish)


def independence(variant: str, name: str, attribute: str, groups: Sequence[str], read: Read) -> Figure:
    """P-value of the chi-square test of a 0/1 reading against a group in the sample's meta."""

    def columns(row: Row) -> Sequence[float] | Why:
        found = read(row)
        if isinstance(found, Why):
            return found
        cells = np.zeros((len(groups), 2))
        cells[list(groups).index(row.sample.meta[attribute]), int(found)] = 1.0
        return [float(cell) for cell in cells.ravel()]

    return Figure(variant, name, columns, lambda s: chi_square_p(s.reshape(*s.shape[:-1], len(groups), 2)))
