"""The plot that the project is about: what a fix gains in trust, and what it loses in utility."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eval.report import words
from eval.report.drawing import bars, new_figure
from eval.report.leaderboard import PAPER_FIGURES, place
from eval.report.rows import cost_rows, overall_row
from resa.types import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Colours = Mapping[str, str]
LEAST = 15.0
"""Points of score shown on each side of the middle, at least: small differences shall look small."""


@dataclass(frozen=True)
class Point:
    """A model: ``x`` its utility, ``y`` its overall trust, with the scores they are the values of."""

    name: str
    x: float
    y: float
    utility: Score
    trust: Score
    is_base: bool


def draw_trade_off(summary: Mapping[str, Any], profile: str, colours: Colours) -> Figure:
    """Utility (across) against overall trust (up), base and method with intervals. Where the figures compare
    with published ones, the overall scores of the paper's base and of RESA are two lines, labelled so: their utility is
    not known."""
    figure = new_figure(5.0, 4.3)
    axes: Axes = figure.subplots()
    points = points_of(summary, profile)
    for point in points:
        _draw_point(axes, point, colours, above=point.y == max(other.y for other in points))
    if len(points) == 2:
        base, method = points
        pointer = {"arrowstyle": "->", "color": colours["quiet"], "shrinkA": 9, "shrinkB": 9, "linestyle": (0, (3, 2))}
        axes.annotate("", (method.x, method.y), (base.x, base.y), arrowprops=pointer)
    published = PAPER_FIGURES if place(summary).rank is not None else {}
    axes.set(xlabel="utility, 0-100", ylabel=f"overall trust, 0-100 ({profile} profile)")
    axes.set_xlim(_limits(_ends([point.utility for point in points])))
    axes.set_ylim(_limits([*_ends([point.trust for point in points]), *published.values()]))
    axes.set_xticks(_ticks(axes.get_xticks(), axes.get_xlim()))
    axes.set_yticks(_ticks(axes.get_yticks(), axes.get_ylim()))
    for name, value in published.items():
        axes.axhline(value, color=colours["quiet"], linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        start = (axes.get_xlim()[0], value)
        axes.annotate(f" {name}, published: {value}", start, color=colours["quiet"], fontsize=7, va="bottom")
    return figure


def points_of(summary: Mapping[str, Any], profile: str) -> list[Point]:
    """Base and method, where they have both figures."""
    trust = overall_row(summary, profile)
    utility = next((row for row in cost_rows(summary) if row.key == "utility"), None)
    if utility is None:
        return []
    named = (("base", utility.base, trust.base, True), (str(summary["method"]), utility.method, trust.method, False))
    return [
        Point(name, across.value, up.value, across, up, is_base)
        for name, across, up, is_base in named
        if across and up and across.value is not None and up.value is not None
    ]


def _draw_point(axes: Axes, point: Point, colours: Colours, *, above: bool) -> None:
    """A point with its intervals and words; the lower one's stand below it, clear of arrow and interval."""
    colour = colours["base" if point.is_base else "method"]
    face = colours["paper"] if point.is_base else colour
    axes.errorbar(
        point.x, point.y, xerr=bars(point.utility), yerr=bars(point.trust), color=colour, elinewidth=1.2, marker="o",
        markersize=9, markerfacecolor=face, markeredgewidth=1.6, zorder=3,
    )  # fmt: skip
    said = f"{point.name}\n{words.figure(point.trust)} trust, {words.figure(point.utility)} utility"
    end = (point.trust.high if above else point.trust.low) or point.y
    axes.annotate(
        said, (point.x, end), (0, 10 if above else -10), "data", "offset points", color=colour, ha="center",
        va="bottom" if above else "top", fontsize=8,
    )  # fmt: skip


def _ends(scores: Sequence[Score]) -> list[float]:
    return [end for score in scores for end in (score.low, score.value, score.high) if end is not None]


def _limits(ends: Sequence[float]) -> tuple[float, float]:
    """The axis around what it shows, with room for words."""
    if not ends:
        return 0.0, 100.0
    middle, half = (min(ends) + max(ends)) / 2, max(LEAST, (max(ends) - min(ends)) / 2 + 9)
    low = max(-8.0, min(middle - half, 108 - 2 * half))
    return low, max(low + 2 * half, max(ends) + 8)


def _ticks(ticks: Iterable[float], limits: tuple[float, float]) -> list[float]:
    """Those that are scores."""
    return [tick for tick in ticks if max(0.0, limits[0]) <= tick <= min(100.0, limits[1])]
