"""The pools of unrelated images: ``unrelated_images/*color*``, ``*nature*``, ``*noise*``."""

from __future__ import annotations

from pathlib import Path
from random import Random

from eval.readers.files import IMAGES, RELEASE, Root, natural, verify_image
from resa.errors import DataError

FOLDER = "unrelated_images"
KINDS = ("color", "nature", "noise")


def read_pool(root: Root, kind: str) -> list[str]:
    """The images of one kind, in natural order of their names.

    Raises:
        DataError: there is none.
    """
    folder = root.path(FOLDER)
    found = [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in IMAGES and kind in str(file.relative_to(folder)).lower()
    ]
    if not found:
        raise DataError(f"no unrelated images of kind {kind!r}", where=str(folder),
                        remedy=RELEASE.format(root=root.name))  # fmt: skip
    for file in found if root.verify else ():
        verify_image(file)
    return [str(file.resolve()) for file in sorted(found, key=natural)]


def draw(pool: list[str], rng: Random) -> tuple[str, str]:
    """One image of a pool: its path, and its name for the sample's id."""
    image = rng.choice(pool)
    return image, Path(image).stem
