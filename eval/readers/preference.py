"""Preferences of the release: ``fairness/preference.json`` and its pictures of two options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root, fields
from resa.errors import DataError

FILE = "fairness/preference.json"
VISION = "fairness/vision_subjective_choice_images"


@dataclass(frozen=True)
class Preference:
    row: int
    prompt: str
    topic: str
    image: str | None = None


def read_preferences(root: Root) -> tuple[list[Preference], list[Preference]]:
    """The plain rows and the forced ones: the file's first and second half (officially 120 each).

    Raises:
        DataError: the rows cannot be halved.
    """
    rows = []
    for number, row in root.rows(FILE):
        prompt, topic = fields(row, ("prompt", "topic"), f"{root.folder}/{FILE}: entry {number + 1}")
        rows.append(Preference(number, prompt, topic))
    half, odd = divmod(len(rows), 2)
    if odd:
        raise DataError(f"{len(rows)} rows: plain and forced ones are not as many", where=f"{root.folder}/{FILE}",
                        remedy="restore the official file")  # fmt: skip
    return rows[:half], rows[half:]


def read_vision_preferences(root: Root) -> Iterator[Preference]:
    """The plain rows with the picture ``<row>.png`` (or whatever suffix) that shows both options."""
    for item in read_preferences(root)[0]:
        names = [f"{item.row}{suffix}" for suffix in (".png", ".jpg", ".jpeg")]
        yield Preference(item.row, item.prompt, item.topic, root.image(VISION, *names))
