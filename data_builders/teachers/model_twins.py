"""Benign twins written by a model: it sees the image and the request to decline, and writes a harmless one that
resembles it, with its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data_builders.policies import Policies
from data_builders.refusals import refuses
from data_builders.respondents.base import Question, Reply
from data_builders.respondents.inquiry import Inquiry
from data_builders.rows import Row
from data_builders.teachers.asking import brief, question
from data_builders.teachers.base import Drafts
from data_builders.twins import twin_of

FORM = re.compile(r"<request>(.+?)</request>\s*<answer>(.+?)</answer>", re.DOTALL)


@dataclass(frozen=True)
class ModelTwins:
    """Attributes:
    inquiry: whom to ask; policies: what is not allowed, by category.
    """

    inquiry: Inquiry
    policies: Policies

    def can(self, row: Row) -> bool:
        return True

    def make(self, rows: Iterable[Row]) -> Drafts:
        for row, (reply,) in self.inquiry.replies(rows, self._ask):
            request, answer, reason = twin_in(reply)
            yield (row, reason) if reason else (twin_of(row, request, answer), None)

    def _ask(self, row: Row) -> Sequence[Question]:
        return [question(row, brief(row, self.policies, "regenerated", 0, "twin"))]


def twin_in(reply: Reply) -> tuple[str, str, str | None]:
    """(request, answer, None), or ("", "", why there is none)."""
    if reply.error is not None:
        return "", "", f"failed: {reply.error}"
    if reply.cut:
        return "", "", "cut: the reply reached its length limit"
    found = FORM.findall(reply.text)
    if len(found) != 1:
        return "", "", "unparsed: not one <request> and one <answer>"
    request, answer = (part.strip() for part in found[0])
    if not request or not answer:
        return "", "", "empty: a blank request or answer"
    if refuses(answer):
        return "", "", f"refused: {answer[:120]}"
    return request, answer, None
