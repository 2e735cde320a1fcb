"""Image files as pixels: one way to decode them, for training and for answering."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from resa.errors import DataError


def read_rgb(file: str | Path | IO[bytes]) -> Any:
    """Decode an image file (or its content) wholly: upright (by its EXIF orientation), RGB, 8 bits, as ``PIL.Image``.

    Raises:
        DataError: it is missing, truncated or no image; names the file.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except FileNotFoundError:
        raise DataError("the image is missing", where=str(file), remedy="complete the dataset's folder") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"the image cannot be read: {error}", where=str(file), remedy="copy the file again from its source"
        ) from error
