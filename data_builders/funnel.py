"""What goes into a dataset and what is kept out of it, step by step: counted, with reasons and ten examples each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 10


@dataclass
class Step:
    """One step's counts.

    Attributes:
        name: of the step; entered, passed: rows or records; reasons: why the others did not pass;
        examples: the first ten of them, named.
    """

    name: str
    entered: int = 0
    passed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def let(self, reason: str | None, **example: Any) -> bool:
        """Count one that comes in; True where there is no reason to keep it out."""
        self.entered += 1
        if reason is None:
            self.passed += 1
            return True
        self.reasons[reason.partition(":")[0]] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append({"reason": reason, **example})
        return False

    @property
    def dropped(self) -> int:
        return self.entered - self.passed

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.name,
            "in": self.entered,
            "out": self.passed,
            "dropped": dict(sorted(self.reasons.items())),
            "examples": self.examples,
        }
