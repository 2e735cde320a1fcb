"""Training images that look like an evaluation's: copies that were scaled, encoded anew or cut at their border.

The filter ``overlap`` knows equal files; this one knows equal looks (:mod:`data_builders.filters.looks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from data_builders.filters.base import Check, Place, Surroundings
from data_builders.filters.evaluation import DATA, IMAGES, Against, contents_of, files_of, notes_of
from data_builders.filters.looks import Gallery, Look, looks_of
from data_builders.rows import Row
from resa.errors import ConfigError, DataError


@dataclass(frozen=True)
class ImageOverlapFilter:
    """The evaluation images are looked at when the first row with an image comes, those inside data files too; each
    training image once, by its content.

    Attributes:
        against: name of a root -> patterns of its files that belong to an evaluation.
        distance: bits of 256 in which two looks of the same image may differ. Measured on photographs and typographic
            images: at most 16 after scaling and encoding, at least 50 between different ones.
        difference: of their colours, at most; the mean over a picture of 8 x 8 pixels, 0 to 255. It tells drawings
            apart that differ in colour alone, which a perceptual hash does not.
        margins: shares of an evaluation image that a copy may lack on every side.
    """

    each_candidate: ClassVar[bool] = False
    place: ClassVar[Place | None] = Place.EVALUATION

    name: str = "image_overlap"
    against: Against = field(default_factory=dict)
    distance: int = 20
    difference: float = 5.0
    margins: Sequence[float] = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06)

    def __post_init__(self) -> None:
        where = f"filters.{self.name}"
        if not 0 <= self.distance < 128:
            raise ConfigError(f"distance must be from 0 to 127 bits, not {self.distance}", where=f"{where}.distance")
        if not self.margins or any(not 0 <= margin < 0.5 for margin in self.margins):
            raise ConfigError(f"margins must be from 0 to 0.5: {list(self.margins)}", where=f"{where}.margins")

    def needs(self) -> tuple[str, ...]:
        return tuple(self.against)

    def notes(self, surroundings: Surroundings) -> list[str]:
        return notes_of(self.name, self.against, surroundings.roots)

    def open(self, surroundings: Surroundings) -> Check:
        gallery: list[Gallery] = []
        found: dict[str, str | None] = {}

        def check(row: Row) -> str | None:
            for image, content in zip(row.images, row.image_hashes, strict=True):
                if not gallery:
                    gallery.append(Gallery(self._looks(surroundings.roots)))
                if content not in found:
                    found[content] = gallery[0].nearest(looks_of(Path(image))[0], self.distance, self.difference)
                if found[content] is not None:
                    return f"looks like an evaluation image: {image} like {found[content]}"
            return None

        return check

    def _looks(self, roots: Mapping[str, str]) -> Iterator[tuple[str, Sequence[Look]]]:
        """Raises:
        DataError: an evaluation image cannot be decoded, so it cannot be compared with."""
        for file in files_of(self.against, roots):
            image = file.suffix.lower() in IMAGES
            if not image and file.suffix.lower() not in DATA:
                continue  # counted by notes()
            for number, content in enumerate([file] if image else contents_of(file)):
                if isinstance(content, str):
                    continue
                name = str(file) if image else f"{file}, content {number}"
                try:
                    yield name, looks_of(content, self.margins)
                except DataError as error:
                    raise DataError(
                        f"an evaluation image cannot be compared with: {error.what}",
                        where=name,
                        remedy="copy it again, or leave it out of filters.image_overlap.against",
                    ) from error
