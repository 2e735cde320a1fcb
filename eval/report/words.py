"""Figures as text: the same in the terminal, on the page and in Markdown."""

from __future__ import annotations

from eval.report.names import aspect_of
from eval.report.rows import Difference, Row
from resa.types import Score

NOTHING = "–"
PARTIAL, LOWER = "*", "↓"
UP, DOWN, LEVEL = "▲", "▼", "·"


def figure(score: Score | None, digits: int = 1) -> str:
    """``62.1``, or a dash."""
    return NOTHING if score is None or score.value is None else f"{_settled(score.value, digits):.{digits}f}"


def interval(score: Score | Difference | None, digits: int = 1) -> str:
    """``[58.0, 66.0]``; empty where there is none."""
    if score is None or score.low is None or score.high is None:
        return ""
    return f"[{_settled(score.low, digits):.{digits}f}, {_settled(score.high, digits):.{digits}f}]"


def half_width(score: Score | Difference | None, digits: int = 1) -> str:
    """``±4.0``: half of the interval, where there is no room for both ends."""
    if score is None or score.low is None or score.high is None:
        return ""
    return f"±{(score.high - score.low) / 2:.{digits}f}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def signed(difference: Difference | None, digits: int = 1) -> str:
    """``+16.9``, or a dash."""
    return NOTHING if difference is None else f"{_settled(difference.value, digits):+.{digits}f}"


def mark(difference: Difference | None) -> str:
    """``▲`` better and ``▼`` worse where the interval excludes zero; ``·`` where it does not; empty where unknown."""
    if difference is None or difference.low is None:
        return ""
    if not difference.significant:
        return LEVEL
    return UP if difference.better else DOWN


def tone(difference: Difference | None) -> str:
    """``better``, ``worse`` or ``level``: what the colour of a difference says."""
    if difference is None or not difference.significant:
        return "level"
    return "better" if difference.better else "worse"


def label(row: Row) -> str:
    """``T.I Inherent deficiency *``, ``T1 Basic world understanding``, ``Over-refusal ↓``."""
    name = f"{row.key} {row.title}" if aspect_of(row.key) else row.title
    return f"{name}{' ' + LOWER if row.lower else ''}{' ' + PARTIAL if row.partial else ''}"


def how_compared(rows: list[Row]) -> str:
    """How the differences' intervals were made, in one sentence; empty where there are none."""
    kinds = {row.difference.paired for row in rows if row.difference}
    if not kinds:
        return ""
    if kinds == {True}:
        return "95 % intervals; a difference is marked where its paired bootstrap interval excludes zero"
    if kinds == {False}:
        return (
            "95 % intervals; a difference is marked where zero is outside its interval, both models taken as "
            "independent"
        )
    return (
        "95 % intervals; a difference is marked where its interval excludes zero: paired bootstrap where both models "
        "answered the same items, else taken as independent"
    )


def _settled(value: float, digits: int) -> float:
    """Rounded, and never minus zero."""
    return round(value, digits) + 0.0
