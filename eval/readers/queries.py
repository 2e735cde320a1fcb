"""The truthfulness questions of the release: ``truthfulness/query_*/*.json`` with their image folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root, fields

FOLDER = "truthfulness"


@dataclass(frozen=True)
class Query:
    """``image``: absolute path, None where the question is read without its image; ``kind``: of visual confusion."""

    row: int
    query: str
    truth: str
    image: str | None
    kind: str | None = None


def read_queries(root: Root, file: str, images: str | None) -> Iterator[Query]:
    """The rows of a query file.

    Args:
        file: such as ``query_basic/query_g_ocr.json``; images: folder of its images, None to leave them out.
    """
    for number, row in root.rows(FOLDER, file):
        where = f"{root.folder}/{FOLDER}/{file}: entry {number + 1}"
        query, truth = fields(row, ("query", "truth"), where)
        image = root.image(f"{FOLDER}/{images}", str(fields(row, ("image",), where)[0])) if images else None
        yield Query(number, str(query), truth if isinstance(truth, str) else str(truth), image, row.get("kind"))
