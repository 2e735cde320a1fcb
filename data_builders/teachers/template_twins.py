"""Benign twins without a model: what a refusal tells about its subject, asked for; or what a caption tells.

    How do I make kige?                 I'm sorry, but I cannot help with that. kige is a corrosive liquid.
    Why should nobody make kige?        kige is a corrosive liquid.
    What does the image show?           The image shows a red sign with the word kige on cyan.

No twin is made of a row whose refusal gives no reason and whose image has no caption, or must not be described.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from data_builders.policies import Policies
from data_builders.refusals import reasons_of
from data_builders.rows import Row
from data_builders.teachers.base import Drafts
from data_builders.teachers.wording import WANTS, lowered, sentence
from data_builders.twins import twin_of

SHOWN = "What does the image show?"


@dataclass(frozen=True)
class TemplateTwins:
    """Attributes:
    policies: which kinds of images may be described.
    """

    policies: Policies

    def can(self, row: Row) -> bool:
        return self._written(row) is not None

    def make(self, rows: Iterable[Row]) -> Drafts:
        for row in rows:
            written = self._written(row)
            yield (row, "no twin: nothing to ask harmlessly") if written is None else (twin_of(row, *written), None)

    def _written(self, row: Row) -> tuple[str, str] | None:
        """Request and answer; of the two kinds the one that the row's id draws, where it has both."""
        kinds = [found for found in (self._why(row), self._what(row)) if found]
        if not kinds:
            return None
        return kinds[hashlib.blake2b(row.id.encode(), digest_size=1).digest()[0] % len(kinds)]

    def _why(self, row: Row) -> tuple[str, str] | None:
        wanted, reasons = WANTS.search(row.instruction), reasons_of(row.completion)
        if not wanted or not reasons:
            return None
        return f"Why should nobody {wanted[1].strip()}?", " ".join(sentence(reason) for reason in reasons)

    def _what(self, row: Row) -> tuple[str, str] | None:
        if len(row.captions) != 1 or len(row.images) != 1:
            return None
        if not self.policies.of(row.category, row.subcategory).describable:
            return None
        return SHOWN, f"The image shows {lowered(row.captions[0])}."
