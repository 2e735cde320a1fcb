"""Which rows a page shows: a fixed number, chosen by a hash of their ids, the same ones each time."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from typing import Any

MOST = 500


def choose(rows: Iterable[Mapping[str, Any]], most: int = MOST) -> tuple[list[int], int]:
    """The rows to show, by their number, ascending; and how many there are in all.

    Every combination of part, label, category and subcategory gives one row, as far as ``most`` reaches, so that a rare
    one is there to be read; the others are drawn evenly. What is kept is the numbers, so that any dataset can be gone
    through.
    """
    lowest: list[tuple[int, int]] = []
    firsts: dict[tuple[Any, ...], tuple[int, int]] = {}
    total = 0
    for number, row in enumerate(rows):
        rank = int.from_bytes(hashlib.sha256(row["id"].encode("utf-8", "surrogatepass")).digest()[:8], "big")
        group = tuple(row.get(name) for name in ("part", "label", "category", "subcategory"))
        firsts[group] = min(firsts.get(group, (rank, number)), (rank, number))
        # The heap's first is the worst of the best.
        (heapq.heappush if len(lowest) < most else heapq.heappushpop)(lowest, (-rank, -number))
        total += 1
    shown = {number for _, number in sorted(firsts.values())[:most]}
    for _, number in sorted(lowest, reverse=True):
        if len(shown) >= most:
            break
        shown.add(-number)
    return sorted(shown), total
