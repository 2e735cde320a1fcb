"""What every judge's configuration says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from eval.measures import JUDGED, Measure, OpenJudge
from resa.artifacts import digest
from resa.errors import ConfigError


class Judge(Protocol):
    """Configuration of a judge: a frozen dataclass in a module that imports nothing heavy."""

    name: str
    cached: bool
    """Whether its verdicts cost enough to be kept across runs and models."""

    def identity(self) -> dict[str, Any]:
        """Everything configured that shapes a verdict; JSON values."""
        ...

    def measures(self) -> frozenset[str]:
        """The names of :data:`eval.measures.JUDGED` that it can judge."""
        ...

    def judged_by(self, measure: str) -> str:
        """Who gives the verdict: a model id, a service, or the judge's own name. A figure is comparable with the
        published one where this is the measure's ``paper_judge``."""
        ...

    def version(self, measure: str) -> str:
        """Fingerprint of the rules, model and prompt behind a measure's verdicts."""
        ...

    def needs(self) -> tuple[str, ...]:
        """Names of the data roots that it reads."""
        ...

    def open(self, places: Mapping[str, str]) -> AbstractContextManager[OpenJudge]:
        """Get ready to judge. ``places``: the data roots (:class:`resa.places.Places`)."""
        ...


def is_paper_judge(judge: Judge, measure: str) -> bool:
    """Whether a figure that rests on ``measure`` used the judge that the paper used."""
    return judge.judged_by(measure) == JUDGED[measure].paper_judge


def reason_unjudged(judge: Judge, measure: str) -> str:
    """Why a figure that rests on ``measure`` has no value under this judge."""
    return (
        f"no judge: {measure!r} needs a judge and judge={judge.name} does not give it "
        f"(the paper used {JUDGED[measure].paper_judge})"
    )


def text_version(*parts: Any) -> str:
    """8 hex digits of whatever shapes a verdict."""
    return digest(list(parts))[:8]


def check_arguments(measure: Measure) -> None:
    """Raises:
    ConfigError: a judged measure lacks an argument, or has one that no judge reads.
    """
    known = JUDGED[measure.name]
    missing = [name for name in known.arguments if name not in measure.arguments]
    unknown = [name for name in measure.arguments if name not in (*known.arguments, *known.optional)]
    if missing or unknown:
        raise ConfigError(
            f"measure {measure.name!r}: missing arguments {missing}, unknown arguments {unknown}",
            where="the task that asks for it",
        )
