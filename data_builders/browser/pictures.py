"""Small copies of images inside a page, each once however many rows show it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resa.errors import DataError

LARGEST = 448
"""Pixels of the longer side."""
LIGHT = 12_000
"""Bytes up to which a lossless copy is taken."""


@dataclass
class Album:
    """The images of a page, in the order in which they were asked for.

    Attributes:
        embed: whether copies are put in, or names alone.
        entries: ``name``, and ``uri``, ``width``, ``height`` (of the original) of those that could be read.
    """

    embed: bool = True
    entries: list[dict[str, Any]] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def place(self, path: str) -> int:
        """Where an image stands in ``entries``."""
        if path not in self._places:
            self._places[path] = len(self.entries)
            self.entries.append({"name": "/".join(Path(path).parts[-2:]), **(small(path) if self.embed else {})})
        return self._places[path]


def small(path: str) -> dict[str, Any]:
    """A small copy as a data URI, and the original's size; nothing where the file cannot be read any more (the page
    says so beside its name)."""
    from resa.images import read_rgb

    try:
        copy = read_rgb(path)
    except DataError:
        return {}
    width, height = copy.size
    copy.thumbnail((LARGEST, LARGEST))
    kind, data = "png", _encoded(copy, "PNG", optimize=True)
    if len(data) > LIGHT:
        kind, data = "jpeg", _encoded(copy, "JPEG", quality=82)
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return {"uri": uri, "width": width, "height": height}


def _encoded(image: Any, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
