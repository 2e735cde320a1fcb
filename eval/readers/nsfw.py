"""Explicit images of the release: ``safety/nsfw/<class>/<image>``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root


@dataclass(frozen=True)
class ClassImage:
    category: str
    name: str
    image: str


def read_class_folders(root: Root, folder: str) -> Iterator[ClassImage]:
    """The images of every class folder, both in natural order."""
    classes = sorted(place.name for place in root.path(folder).iterdir() if place.is_dir())
    for category in classes:
        for image in root.images(f"{folder}/{category}"):
            yield ClassImage(category, image.rsplit("/", 1)[1], image)
