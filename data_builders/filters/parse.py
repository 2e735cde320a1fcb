"""The form of a completion: one closed thought and an answer where a thought is wanted, a plain answer elsewhere."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Place, Plain
from data_builders.rows import Row
from resa.reasoning import CLOSE, OPEN, problems

STRAY = re.compile(
    r"[<\[]\s*/?\s*(?:think\w*|thoughts?|reason\w*|reflect\w*|analysis|rationale|scratchpad|answer|response|reply|"
    r"final[\w ]*|verdict)\s*/?\s*[>\]]|<\|\w+\|>",
    re.IGNORECASE,
)
"""A tag that should have been the thought's, or one that only a chat template writes."""


@dataclass(frozen=True)
class ParseFilter(Plain):
    """Keeps out thoughts that never close, blank or doubled ones, blank answers, and tags of other makers.

    What has no letter, number or symbol is blank: punctuation, and characters that nobody sees.
    """

    place: ClassVar[Place | None] = Place.FORM

    name: str = "parse"

    def reason(self, row: Row) -> str | None:
        if not row.thinks:
            if OPEN in row.completion or CLOSE in row.completion:
                return "a thought where none is wanted"
            return "empty answer" if _blank(row.completion) else None
        found = problems(row.completion)
        if found:
            return found[0].replace("_", " ")
        for part, text in (("thought", row.thought or ""), ("answer", row.answer)):
            if _blank(text):
                return f"empty {part}"
            stray = STRAY.search(text)
            if stray:
                return f"stray tag in the {part}: {stray[0]!r}"
        if not row.completion.lstrip().startswith(OPEN):
            return "text before the thought"
        return None


def _blank(text: str) -> bool:
    return all(unicodedata.category(character)[0] in "ZCP" for character in text)
