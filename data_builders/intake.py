"""From sources to rows: reading, sampling, and keeping out what is malformed, repeated or unreadable, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_builders.funnel import Step
from data_builders.rows import Row, Turns, rows_of
from data_builders.sources.base import Problem, Source
from resa.errors import DataError
from resa.images import read_rgb
from resa.types import Conversation


@dataclass(frozen=True)
class Drawing:
    """How a part is drawn from its source. ``limit``: rows at most, drawn evenly by ``seed``; None takes all.
    ``strict``: a record that cannot be used is an error."""

    part: str
    turns: Turns
    limit: int | None = None
    seed: int = 0
    strict: bool = False


class Images:
    """Image files, decoded once to see that they can be, and known by their content."""

    def __init__(self) -> None:
        self._known: dict[str, bytes | str] = {}

    def look(self, image: str) -> tuple[str | None, str]:
        """(SHA-256 in hex, "") of a readable image, or (None, what is wrong)."""
        found = self._known.get(image)
        if found is None:
            try:
                read_rgb(image)
                found = hashlib.sha256(Path(image).read_bytes()).digest()
            except (DataError, OSError) as error:
                found = error.what if isinstance(error, DataError) else str(error)
            self._known[image] = found
        return (found.hex(), "") if isinstance(found, bytes) else (None, found)


@dataclass
class Intake:
    """Rows of one part, in the source's order. Reading it fills ``records`` (by record) and ``images`` (by row)."""

    source: Source
    root: Path
    drawing: Drawing
    looked: Images
    records: Step = field(init=False)
    images: Step = field(init=False)
    offered: int = 0

    def __post_init__(self) -> None:
        self.records = Step(f"{self.drawing.part}: records of {self.source.name}")
        self.images = Step(f"{self.drawing.part}: images can be read")

    def __iter__(self) -> Iterator[Row]:
        """Raises:
        DataError: the source is missing or broken; no record can be used; or, where ``strict``, one cannot.
        """
        wanted = self._wanted()
        for row in self._rows(self.records):
            if wanted is None or wanted(row.id):
                reason, row = self._with_hashes(row)
                if self.images.let(reason, id=row.id):
                    yield row
                elif self.drawing.strict:
                    raise self._refused(f"{row.id}: {reason}")
        self._check_any()

    def _rows(self, step: Step) -> Iterator[Row]:
        seen: set[bytes] = set()
        for record in self.source.read(self.root):
            fault = record if isinstance(record, Problem) else None
            if isinstance(record, Conversation) and self.source.unique_ids:
                key = hashlib.blake2b(record.id.encode(), digest_size=12).digest()
                if key in seen:
                    fault = Problem(str(self.root), step.entered, "repeated id", f"repeated id {record.id!r}")
                seen.add(key)
            if not step.let(f"{fault.kind}: {fault}" if fault else None):
                if self.drawing.strict:
                    raise self._refused(str(fault))
                continue
            assert isinstance(record, Conversation)
            yield from rows_of(record, self.drawing.part, self.drawing.turns)

    def _wanted(self) -> Callable[[str], bool] | None:
        """Which rows are drawn: those whose ids hash lowest, so that a draw depends on nothing but seed and ids."""
        limit = self.drawing.limit
        if limit is None:
            return None
        ranks = sorted(self._rank(row.id) for row in self._rows(Step("")))
        self.offered = len(ranks)
        if len(ranks) <= limit:
            return None
        threshold = ranks[limit]
        return lambda name: self._rank(name) < threshold

    def _rank(self, name: str) -> int:
        key = f"{self.drawing.seed}|{name}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())

    def _with_hashes(self, row: Row) -> tuple[str | None, Row]:
        found = [self.looked.look(image) for image in row.images]
        for image, (_, wrong) in zip(row.images, found, strict=True):
            if wrong:
                return f"{wrong.partition(':')[0]}: {wrong} ({image})", row
        return None, replace(row, image_hashes=tuple(digest for digest, _ in found if digest))

    def _check_any(self) -> None:
        for step in (self.records, self.images):
            if step.entered and not step.passed:
                first = step.examples[0]
                raise DataError(
                    f"none of the {step.entered} {'records' if step is self.records else 'rows'} can be used",
                    where=f"{self.root}; the first: {first['reason']}",
                    remedy=f"see that paths.{self.source.root} is a whole copy in its official layout",
                )
        if not self.records.entered:
            raise DataError("the source is empty", where=str(self.root), remedy=f"set paths.{self.source.root}")

    def _refused(self, what: str) -> DataError:
        return DataError(
            f"a record cannot be used: {what}",
            where=str(self.root),
            remedy="mend it, or set strict=false to keep it out",
        )
