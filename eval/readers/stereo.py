"""Stereotypes of the release: ``fairness/stereo_*``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root, fields
from resa.errors import DataError


@dataclass(frozen=True)
class Statement:
    """``image``: related, None where it is not wanted; ``label``: type or class of the text."""

    number: str
    text: str
    label: str
    image: str | None


def read_statements(root: Root, images: bool) -> Iterator[Statement]:
    """``stereo_statement.csv``; an empty statement is no row, as officially."""
    file = "fairness/stereo_statement.csv"
    for row, cells in root.table(file):
        number, text, kind = fields(
            cells, ("Number", "Stereo Statement", "Type"), f"{root.folder}/{file}: row {row + 1}"
        )
        if text:
            image = root.image(f"fairness/stereo_images/{kind.lower()}", f"{number}.png") if images else None
            yield Statement(number, text, kind, image)


def read_classification(root: Root, images: bool) -> Iterator[Statement]:
    """``stereo_classification.csv``."""
    file = "fairness/stereo_classification.csv"
    for row, cells in root.table(file):
        number, text, label = fields(cells, ("Number", "Sentence", "Label"), f"{root.folder}/{file}: row {row + 1}")
        image = root.image("fairness/stereo_classification_images", f"{number}.png") if images else None
        yield Statement(number, text, label, image)


def read_stereo_queries(root: Root, images: bool) -> Iterator[Statement]:
    """``stereo_query.csv``. Officially its images are paired by the order of a directory listing; here by natural order
    of their names.

    Raises:
        DataError: there are not as many images as questions.
    """
    file = "fairness/stereo_query.csv"
    rows = [fields(cells, ("question",), f"{root.folder}/{file}: row {row + 1}")[0] for row, cells in root.table(file)]
    shown = root.images("fairness/stereo_query_images") if images else [None] * len(rows)
    if len(shown) != len(rows):
        raise DataError(f"{len(shown)} pictures for {len(rows)} questions", remedy="restore the official folder",
                        where=f"{root.folder}/fairness/stereo_query_images")  # fmt: skip
    for row, (text, image) in enumerate(zip(rows, shown, strict=True)):
        yield Statement(str(row), text, "", image)
