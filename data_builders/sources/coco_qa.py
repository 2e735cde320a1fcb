"""Questions and captions on photographs: a folder with ``images.jsonl`` and ``qa.jsonl``.

``images.jsonl``: ``image`` (path in the folder), ``id``, ``objects`` ({name: count}), ``captions`` (a list, may be
empty). ``qa.jsonl``: ``image``, ``question``, ``answer``. Rows: each question; each photograph with captions is
described by its first one; and each is asked for what it shows, answered from its object counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_builders.sources.base import Problem, Provenance, existing
from data_builders.sources.records import read_records
from data_builders.sources.vlguard import text
from resa.types import Conversation, Turn

DESCRIBE = "Describe the image in one sentence."
NAME_OBJECTS = "Which objects can you see in the image, and how many of each?"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class CocoQA:
    """Photographs with questions, captions and object counts; all harmless."""

    name: str = "coco_qa"
    root: str = "coco_qa"
    unique_ids = True

    @property
    def provenance(self) -> Provenance:
        return Provenance(
            "COCO photographs with public questions",
            "images: CC BY 2.0, CC BY-SA 2.0 or no known restrictions, each stated in images.jsonl; captions CC BY 4.0",
            "Lin et al., Microsoft COCO, ECCV 2014, arXiv:1405.0312; Li et al., POPE, arXiv:2305.10355; "
            "Liu et al., VSR, arXiv:2205.00363",
            "https://cocodataset.org",
        )

    def read(self, root: Path) -> Iterator[Conversation | Problem]:
        captions: dict[str, str] = {}
        photographs = existing(root, "images.jsonl", self.root)
        for row, record in read_records(photographs):
            if isinstance(record, Problem):
                yield record
                continue
            try:
                image, counts = text(record, "image"), dict(record.get("objects") or {})
                said = [str(caption).strip() for caption in record.get("captions") or []]
                captions[image] = (said[0] if said else objects_in_words(counts)).rstrip(".")
                if said:
                    yield self._row(root, f"describe-{record['id']}", image, DESCRIBE, said[0], captions)
                if counts:
                    answer = f"I can see {objects_in_words(counts)}."
                    yield self._row(root, f"objects-{record['id']}", image, NAME_OBJECTS, answer, captions)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                yield Problem(str(photographs), row, "malformed record", f"{type(error).__name__}: {error}")
        questions = existing(root, "qa.jsonl", self.root)
        for row, record in read_records(questions):
            if isinstance(record, Problem):
                yield record
                continue
            try:
                image, question, answer = (text(record, key) for key in ("image", "question", "answer"))
                answer = f"{answer[0].upper()}{answer[1:].rstrip('.')}."
                yield self._row(root, f"question-{row:05d}", image, question, answer, captions)
            except (KeyError, ValueError, TypeError) as error:
                yield Problem(str(questions), row, "malformed record", f"{type(error).__name__}: {error}")

    def _row(
        self, root: Path, number: str, image: str, question: str, answer: str, captions: Mapping[str, str]
    ) -> Conversation:
        turns = (Turn("user", question, (str(root / image),)), Turn("assistant", answer))
        meta: dict[str, Any] = {"captions": [captions[image]]} if captions.get(image) else {}
        return Conversation(number, turns, self.name, "benign", meta=meta)


def objects_in_words(counts: Mapping[str, int]) -> str:
    """``two cars, one train and 13 people``."""
    parts = []
    for name, count in sorted(counts.items()):
        number = NUMBERS[count] if 0 <= count < len(NUMBERS) else str(count)
        parts.append(f"{number} {name if count == 1 else plural(name)}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def plural(name: str) -> str:
    """Of a COCO object name."""
    irregular = {"person": "people", "mouse": "mice", "knife": "knives", "sheep": "sheep", "skis": "skis"}
    if name in irregular:
        return irregular[name]
    return f"{name}es" if name.endswith(("s", "ch", "sh", "x")) else f"{name}s"
