"""Benign twins: beside a request to refuse, a harmless one on the same image or in the same words.

A model that is taught with requests to refuse alone learns to refuse what *looks* like them (STAR-1 added benign twins
against it, arXiv 2504.01903; VLGuard's safe pictures carry a request of both kinds). Where a part has too few benign
rows, twins of its harmful rows are made until it has its share.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from data_builders.rows import Row
from resa.types import Turn

TWIN = "~twin"
"""Ends the id of a twin."""


@dataclass(frozen=True)
class Plan:
    """Which rows of a part get a twin.

    Attributes:
        harmful, benign: rows of the part as they are; wanted: twins that give it its share.
        chosen: ids of the rows that get one; fewer than ``wanted`` where no more can have one.
    """

    harmful: int
    benign: int
    wanted: int
    chosen: frozenset[str]

    @staticmethod
    def of(rows: Iterable[Row], share: float, can: Callable[[Row], bool], seed: int) -> Plan:
        """Plan over a part's rows, read once. Rows on images that have no benign request yet come first; among those,
        and then among the others, the draw is by hash of seed and id."""
        labels = {"harmful": 0, "benign": 0}
        served: set[bytes] = set()
        able: list[tuple[int, str, bytes | None]] = []
        for row in rows:
            if row.label is not None:
                labels[row.label] += 1
            pictures = _digest("|".join(row.images)) if row.images else None
            if row.label == "benign" and pictures:
                served.add(pictures)
            elif row.label == "harmful" and can(row):
                able.append((int.from_bytes(_digest(f"{seed}|twin|{row.id}")), row.id, pictures))
        wanted = twins_wanted(labels["harmful"], labels["benign"], share)
        first = heapq.nsmallest(wanted, able, key=lambda item: (item[2] in served, item[0]))
        return Plan(labels["harmful"], labels["benign"], wanted, frozenset(name for _, name, _ in first))


def twins_wanted(harmful: int, benign: int, share: float) -> int:
    """How many benign rows are missing for their share of all rows, themselves counted."""
    return max(0, math.ceil((share * (harmful + benign) - benign) / (1 - share) - 1e-9))


def twin_of(row: Row, request: str, answer: str) -> Row:
    """The twin's row: the same images, another request, an answer that serves it. What was said before is left out."""
    system = tuple(turn for turn in row.prompt if turn.role == "system")
    prompt = (*system, Turn("user", request, row.images))
    return replace(row, id=f"{row.id}{TWIN}", prompt=prompt, completion=answer, label="benign", rejected=None)


def noted(part: str, plan: Plan, made: int, share: float) -> Iterator[str]:
    """What a reader of the data card must know."""
    benign, rows = plan.benign + made, plan.harmful + plan.benign + made
    if plan.wanted:
        yield f"{part}: {benign} of {rows} labelled rows are benign ({100 * benign / rows:.1f} %), {made} of them twins"
    if made < plan.wanted:
        yield (
            f"{part}: {plan.wanted} twins were wanted for a share of {100 * share:g} %, {made} could be made; a model "
            "as teacher writes twins of any row, and the filter balance caps the harmful ones"
        )


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
