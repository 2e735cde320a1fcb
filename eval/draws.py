"""The resampled scores themselves, so that two runs on the same samples can be compared draw by draw.

Both runs weight the same clusters by the same random numbers (eval/statistics.py), so the difference of two scores'
draws is a draw of their difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from eval.aggregation import Trust
from eval.benchmark import MultiTrust
from eval.tasks.base import average
from eval.tasks.figures import Array, Profile

DIGITS = 4
GROUPS = ("utility", "over_refusal")


def draws_of(benchmark: MultiTrust, trusts: Mapping[Profile, Trust]) -> dict[str, list[float | None]]:
    """Dotted path of a score in ``scores.json`` (``profiles.paper.sub_aspects.S.J``) -> its draws, 0-100; None where a
    draw has no figure. Scores without a value have no draws."""
    found: dict[str, Array] = {}
    for profile, trust in trusts.items():
        found |= {f"profiles.{profile}.{name}": values for name, values in _of_profile(benchmark, trust)}
    for group in GROUPS:
        tasks = {
            name: trusts["strict"].tasks.get(name) for name, task in benchmark.chosen.items() if task.group == group
        }
        scored = {name: values for name, values in tasks.items() if values is not None}
        if scored:
            found[group] = average(*scored.values())
            found |= {f"{group}_parts.{name}": values for name, values in scored.items()}
    return {name: [_plain(value) for value in values[1:]] for name, values in found.items()}


def _of_profile(benchmark: MultiTrust, trust: Trust) -> Iterator[tuple[str, Array]]:
    if trust.overall is not None:
        yield "overall", trust.overall
    for name, values in trust.aspects.items():
        yield f"aspects.{name}", values
    for name, values in trust.sub_aspects.items():
        yield f"sub_aspects.{name}", values
    for name, values in trust.tasks.items():
        if benchmark.chosen[name].group not in GROUPS:
            yield f"tasks.{name}", values


def _plain(value: float) -> float | None:
    return round(float(value), DIGITS) if math.isfinite(value) else None
