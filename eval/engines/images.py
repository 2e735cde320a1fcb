"""Images read once and kept while they are likely to be asked for again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from resa.images import read_rgb


class ImageCache:
    """Decoded RGB images by file, the least recently used dropped beyond ``max_bytes`` of pixels."""

    def __init__(self, max_bytes: int = 512 << 20) -> None:
        self.max_bytes = max_bytes
        self._held: OrderedDict[str, Any] = OrderedDict()
        self._bytes = 0

    def load(self, file: str) -> Any:
        """The image as RGB ``PIL.Image`` (width x height, uint8).

        Raises:
            DataError: it is missing, truncated or no image; names the file.
        """
        if file in self._held:
            self._held.move_to_end(file)
            return self._held[file]
        image = read_rgb(file)
        self._held[file] = image
        self._bytes += _size(image)
        while self._bytes > self.max_bytes and len(self._held) > 1:
            self._bytes -= _size(self._held.popitem(last=False)[1])
        return image


def _size(image: Any) -> int:
    return int(image.width * image.height * 3)
