"""What a data card says in numbers: rows by source, label and category; lengths of thoughts and answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from data_builders.rows import Row

BOUNDS = (0, 10, 20, 30, 45, 60, 100, 150, 200, 250, 300, 400, 600, 1000)
"""Lower bounds of the length histogram's bins, in words."""


@dataclass
class Statistics:
    """Counts over the rows that are kept."""

    by_part: Counter[str] = field(default_factory=Counter)
    by_label: Counter[str] = field(default_factory=Counter)
    by_category: Counter[str] = field(default_factory=Counter)
    by_category_and_label: Counter[tuple[str, str]] = field(default_factory=Counter)
    thoughts: Counter[int] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count a row."""
        self.by_part[f"{row.part} ({row.source})"] += 1
        self.by_label[row.label or "unknown"] += 1
        category = " / ".join(name for name in (row.category, row.subcategory) if name) or "none"
        self.by_category_and_label[category, row.label or "unknown"] += 1
        if row.label != "benign":
            self.by_category[category] += 1
        self.images[len(row.images)] += 1
        self.turns[len([turn for turn in row.prompt if turn.role == "user"])] += 1
        self.answers[_bin(row.answer)] += 1
        if row.thought is not None:
            self.thoughts[_bin(row.thought)] += 1

    def to_json(self) -> dict[str, Any]:
        return {
            "by_part": dict(sorted(self.by_part.items())),
            "by_label": dict(sorted(self.by_label.items())),
            "by_category": dict(sorted(self.by_category.items())),
            "by_category_and_label": _nested(self.by_category_and_label),
            "images_a_row": {str(count): self.images[count] for count in sorted(self.images)},
            "user_turns_a_row": {str(count): self.turns[count] for count in sorted(self.turns)},
            "thought_words": _histogram(self.thoughts),
            "answer_words": _histogram(self.answers),
        }


def _bin(text: str) -> int:
    words = len(text.split())
    return max(place for place, bound in enumerate(BOUNDS) if words >= bound)


def _histogram(counts: Counter[int]) -> dict[str, int]:
    def name(place: int) -> str:
        last = place + 1 == len(BOUNDS)
        return f"{BOUNDS[place]}+" if last else f"{BOUNDS[place]}-{BOUNDS[place + 1] - 1}"

    return {name(place): counts[place] for place in range(len(BOUNDS)) if counts[place]}


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (outer, inner), count in sorted(counts.items()):
        nested.setdefault(outer, {})[inner] = count
    return nested
