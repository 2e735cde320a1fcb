"""What an image looks like, so that copies of it are known: a perceptual hash for its forms, and a tiny picture for its
colours, which the hash does not see.

The hash is imagehash's ``phash`` of 256 bits (the signs of a cosine transform's low frequencies). It hardly moves when
an image is scaled or encoded anew, but cutting away a border of two percent moves 40 to 60 bits: a gallery therefore
keeps each image cut by several margins.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resa.images import read_rgb

SIDE, TINY, BITS = 128, 8, 16
"""Pixels that an image is first reduced to, and those of the picture of its colours; the hash has BITS x BITS bits."""


@dataclass(frozen=True)
class Look:
    """``bits``: 256, packed into 32 bytes; ``colours``: TINY x TINY pixels, three bytes each."""

    bits: bytes
    colours: bytes


def looks_of(image: Path | bytes, margins: Sequence[float] = (0.0,)) -> list[Look]:
    """An image's look, once for each share of its width and height that is cut off on every side.

    Raises:
        DataError: it cannot be decoded.
    """
    import numpy
    from imagehash import phash
    from PIL.Image import Resampling

    pixels = read_rgb(io.BytesIO(image) if isinstance(image, bytes) else image)
    pixels = pixels.resize((SIDE, SIDE), Resampling.BOX)
    looks = []
    for margin in margins:
        low, high = SIDE * margin, SIDE * (1 - margin)
        small = pixels.resize((4 * BITS, 4 * BITS), Resampling.BILINEAR, box=(low, low, high, high))
        bits = numpy.packbits(phash(small, hash_size=BITS).hash).tobytes()
        looks.append(Look(bits, small.resize((TINY, TINY), Resampling.BOX).tobytes()))
    return looks


class Gallery:
    """Looks of named images, to be searched: 224 bytes a look."""

    def __init__(self, images: Iterable[tuple[str, Sequence[Look]]]) -> None:
        import numpy

        self.names: list[str] = []
        bits, colours = bytearray(), bytearray()
        for name, looks in images:
            for look in looks:
                self.names.append(name)
                bits += look.bits
                colours += look.colours
        self._words = numpy.frombuffer(bits, numpy.uint64).reshape(-1, BITS * BITS // 64).T.copy()
        self._colours = numpy.frombuffer(colours, numpy.uint8).reshape(-1, 3 * TINY * TINY)

    def nearest(self, look: Look, distance: int, difference: float) -> str | None:
        """The name of the image that looks most like this, within ``distance`` bits and a mean colour ``difference``
        (0 to 255); None where there is none."""
        import numpy

        words = numpy.frombuffer(look.bits, numpy.uint64)
        colours = numpy.frombuffer(look.colours, numpy.uint8).astype(int)
        # What differs too much in the first word alone is out: nearly all, at a quarter of the cost.
        near = numpy.nonzero(numpy.bitwise_count(self._words[0] ^ words[0]) <= distance)[0]
        apart = numpy.bitwise_count(self._words[:, near] ^ words[:, None]).sum(axis=0)
        shades = numpy.abs(self._colours[near] - colours).mean(axis=1)
        alike = numpy.nonzero((apart <= distance) & (shades <= difference))[0]
        return self.names[near[alike[numpy.argmin(apart[alike])]]] if len(alike) else None
