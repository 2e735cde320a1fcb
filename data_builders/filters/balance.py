"""Balance: no harm category dominates, and harmful rows do not crowd out the benign ones.

Which rows of a category stay depends on nothing but seed and ids (as a part's draw does), not on their order. To know
how many there are, a filter of this kind must have seen every row: they wait in a temporary file meanwhile, and sixteen
bytes of each in memory.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from data_builders.filters.base import Place, Plain, Surroundings
from data_builders.filters.waiting import Waiting
from data_builders.rows import Row
from resa.errors import ConfigError, DataError

BY = ("category", "subcategory")
NONE = -1
LABELS = ("benign", "harmful")
STAYS, CROWDED, HARMFUL = range(3)
"""What becomes of a row: it stays, its category has too many, there are too many harmful ones."""


@dataclass(frozen=True)
class BalanceFilter(Plain):
    """Attributes:
    parts: the recipe's parts that are balanced, taken together; () means all. Rows of others pass.
    by: what a row's category is: ``category`` or ``subcategory``. Benign rows belong to none, whatever they name.
    max_share: of the rows with a category that stay, those of one category at most; None: no bound.
    max_rows: of one category, at most; None: no bound.
    min_benign: of the rows with a label that stay, benign ones at least, by leaving out harmful ones; None: no bound.
    seed: of the draw.
    """

    each_candidate: ClassVar[bool] = False
    place: ClassVar[Place | None] = Place.BALANCE

    name: str = "balance"
    parts: Sequence[str] = ()
    by: str = "category"
    max_share: float | None = None
    max_rows: int | None = None
    min_benign: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        where = f"filters.{self.name}"
        if self.by not in BY:
            raise ConfigError(f"by must be one of {', '.join(BY)}, not {self.by!r}", where=f"{where}.by")
        for key in ("max_share", "min_benign"):
            value = getattr(self, key)
            if value is not None and not 0 < value < 1:
                raise ConfigError(f"{key} must be between 0 and 1, not {value}", where=f"{where}.{key}")
        if self.max_rows is not None and self.max_rows < 1:
            raise ConfigError(f"max_rows must be at least 1, not {self.max_rows}", where=f"{where}.max_rows")

    def sift(self, rows: Iterable[Row], surroundings: Surroundings) -> Iterator[tuple[Row, str | None]]:
        """Each row, in order, and why it must not stay.

        Raises:
            DataError: the bounds cannot be met by leaving out rows.
        """
        names: dict[str, int] = {}
        kinds, labels, ranks = array("i"), array("b"), array("Q")
        with Waiting() as waiting:
            for row in rows:
                waiting.add(row)
                ours = not self.parts or row.part in self.parts
                name = getattr(row, self.by) if ours and row.label != "benign" else None
                kinds.append(NONE if name is None else names.setdefault(name, len(names)))
                labels.append(LABELS.index(row.label) if ours and row.label else NONE)
                ranks.append(self._rank(row.id))
            reasons = self._reasons(Counted(kinds, labels, ranks), list(names))
            yield from zip(waiting, reasons, strict=True)

    def _rank(self, name: str) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self.seed}|{name}".encode(), digest_size=8).digest())

    def _reasons(self, counted: Counted, names: Sequence[str]) -> Iterator[str | None]:
        """One for each row. Categories are bounded once more after harmful rows went, whose draw is even, not exact."""
        before = counted.by_kind()
        self._bound_categories(counted)
        harmful, benign = counted.with_label("harmful"), counted.with_label("benign")
        self._bound_harmful(counted, harmful, benign)
        self._bound_categories(counted)
        after = counted.by_kind()
        for fate, kind in zip(counted.fates.tolist(), counted.kinds.tolist(), strict=True):
            if fate == CROWDED:
                yield f"category over its bound: {names[kind]!r} has {before[kind]} rows, {after[kind]} stay"
            elif fate == HARMFUL:
                yield f"harmful rows over their bound: {harmful} for {benign} benign ones"
            else:
                yield None

    def _bound_categories(self, counted: Counted) -> None:
        counts = counted.by_kind()
        if (self.max_share is None and self.max_rows is None) or not counts:
            return
        cap = min(max(counts), self.max_rows or max(counts))
        if self.max_share is not None:
            # c <= share * sum(min(n, c)) holds from 0 up to one largest c, because the right side is concave in c.
            share = self.max_share
            cap = bisect_left(range(1, cap + 1), True, key=lambda c: c > share * sum(min(n, c) for n in counts) + 1e-9)
        if not cap:
            raise DataError(
                f"{len([n for n in counts if n])} categories cannot each have at most {self.max_share:.0%} of the rows",
                where=f"filters.{self.name}.max_share",
                remedy="raise max_share, or bound max_rows instead",
            )
        counted.keep_lowest_of_kinds(cap)

    def _bound_harmful(self, counted: Counted, harmful: int, benign: int) -> None:
        if self.min_benign is None or not harmful:
            return
        allowed = int(benign * (1 - self.min_benign) / self.min_benign + 1e-9)
        if not allowed:
            raise DataError(
                f"{benign} benign rows are too few for {harmful} harmful ones: none of these could stay",
                where=f"filters.{self.name}.min_benign",
                remedy="add benign rows (twins), name their part in filters.balance.parts, or set min_benign to null",
            )
        counted.keep_lowest_harmful(allowed)


class Counted:
    """What is remembered of the rows: their category's number, label and rank in the draw, and whether they stay."""

    def __init__(self, kinds: array[int], labels: array[int], ranks: array[int]) -> None:
        import numpy

        self.kinds = numpy.asarray(kinds)
        self._labels, self._ranks = numpy.asarray(labels), numpy.asarray(ranks)
        self.fates = numpy.zeros(len(kinds), numpy.uint8)

    def by_kind(self) -> list[int]:
        """Rows of each category that stay."""
        import numpy

        found: list[int] = numpy.bincount(self.kinds[(self.fates == STAYS) & (self.kinds != NONE)]).tolist()
        return found

    def with_label(self, label: str) -> int:
        """Rows of this label that stay."""
        return int(((self.fates == STAYS) & (self._labels == LABELS.index(label))).sum())

    def keep_lowest_of_kinds(self, cap: int) -> None:
        """Let ``cap`` rows of each category stay, those that rank lowest."""
        self._keep(self.kinds, self.kinds != NONE, cap, CROWDED)

    def keep_lowest_harmful(self, cap: int) -> None:
        """Let ``cap`` harmful rows stay, those that rank lowest."""
        self._keep(self._labels, self._labels == LABELS.index("harmful"), cap, HARMFUL)

    def _keep(self, groups: Any, among: Any, cap: int, fate: int) -> None:
        import numpy

        places = numpy.nonzero(among & (self.fates == STAYS))[0]
        order = places[numpy.lexsort((self._ranks[places], groups[places]))]
        sorted_groups = groups[order]
        starts = numpy.searchsorted(sorted_groups, sorted_groups)  # where each one's group begins
        self.fates[order[numpy.arange(len(order)) - starts >= cap]] = fate
