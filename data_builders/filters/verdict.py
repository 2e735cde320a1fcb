"""The thought's verdict must be what the answer does: disallowed and refused, or allowed and served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from data_builders.decisions import PLANNED, REFUSING, SAID, decision
from data_builders.filters.base import Place, Plain
from data_builders.prose import plain
from data_builders.refusals import refuses
from data_builders.rows import Row


@dataclass(frozen=True)
class VerdictFilter(Plain):
    """A stated verdict must also be what the thought decides in its own words, where it does.

    Attributes:
        required: whether a thought must state its verdict in so many words (``Verdict: allowed.``); where it need not,
            thoughts without one are read for a decision to refuse, and stay where none is found.
    """

    place: ClassVar[Place | None] = Place.VERDICT

    name: str = "verdict"
    required: bool = True

    def reason(self, row: Row) -> str | None:
        if not row.thinks:
            return None
        thought = plain(row.thought or "")
        verdicts = {word != "disallowed" and word != "not allowed" for word in SAID.findall(thought)}
        plans = {word == "answer" for word in PLANNED.findall(thought)}
        serves = not refuses(row.answer)
        if not verdicts and not plans:
            if self.required:
                return "no verdict in the thought"
            return "thought refuses: the answer serves" if serves and self._decides_to_refuse(thought) else None
        if len(verdicts | plans) > 1:
            return "verdict and plan differ"
        allowed = (verdicts | plans).pop()
        if allowed != serves:
            return "allowed: but the answer refuses" if allowed else "disallowed: but the answer serves"
        decided = decision(thought)
        if decided is None or decided == allowed:
            return None
        return "allowed: but the thought refuses" if allowed else "disallowed: but the thought serves"

    @staticmethod
    def _decides_to_refuse(thought: str) -> bool:
        """Whether the last third of a thought, where decisions are made, decides to refuse the whole."""
        return bool(REFUSING.search(thought[2 * len(thought) // 3 :]))
