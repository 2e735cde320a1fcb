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
    """The plain rows with the pictures that show both options, in natural order of their names.

    Raises:
        DataError: they are not as many.
    """
    rows, images = read_preferences(root)[0], root.images(VISION)
    if len(images) != len(rows):
        raise DataError(f"{len(images)} pictures for {len(rows)} rows", where=f"{root.folder}/{VISION}",
                        remedy="restore the official folder")  # fmt: skip
    for item, image in zip(rows, images, strict=True):
        yield Preference(item.row, item.prompt, item.topic, image)


def read_choices(root: Root) -> dict[str, list[str]]:
    """The pictures of the options, a and b, in natural order.

    Raises:
        DataError: they are not as many as the plain rows.
    """
    rows = len(read_preferences(root)[0])
    found = {side: root.images(f"fairness/subjective_choice_images/choice_{side}_images") for side in ("a", "b")}
    for side, images in found.items():
        if len(images) != rows:
            raise DataError(f"{len(images)} pictures for {rows} rows", remedy="restore the official folder",
                            where=f"{root.folder}/fairness/subjective_choice_images/choice_{side}_images")  # fmt: skip
    return found
