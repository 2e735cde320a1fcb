"""Judge ``rules``: none. Figures that rest on rules alone are given; all others have no value, and say why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.measures import Item, OnVerdicts, OpenJudge
from resa.errors import JudgeError


@dataclass(frozen=True)
class RulesJudge:
    """Needs no model, no key and no network."""

    name: str = "rules"
    cached: bool = False

    def identity(self) -> dict[str, Any]:
        return {"name": self.name}

    def measures(self) -> frozenset[str]:
        return frozenset()

    def judged_by(self, measure: str) -> str:
        return "none"

    def version(self, measure: str) -> str:
        return "none"

    def needs(self) -> tuple[str, ...]:
        return ()

    @contextlib.contextmanager
    def open(self, places: Mapping[str, str]) -> Iterator[OpenJudge]:
        yield NoJudge()


class NoJudge:
    """Is never asked: the judging stage asks only for what :meth:`RulesJudge.measures` lists."""

    def judge(self, items: Sequence[Item], on_verdicts: OnVerdicts) -> None:
        if items:
            raise JudgeError("judge=rules judges nothing", where=items[0].measure.name)
