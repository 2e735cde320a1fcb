"""Which samples are answered together: like with like, so that little padding is computed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from resa.generation import Batch
from resa.types import Sample

PIXELS_PER_TOKEN = 28 * 28
CHARACTERS_PER_TOKEN = 3


@lru_cache(maxsize=65536)
def pixels(image: str) -> int:
    """Width x height from the file's header; 0 where it cannot be read (the loader will say so of its sample)."""
    from PIL import Image

    try:
        with Image.open(image) as opened:
            return opened.width * opened.height
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0


def prompt_tokens(sample: Sample) -> int:
    """Rough length of the prompt in tokens; only orders and sizes batches."""
    text = sum(len(turn.text) for turn in sample.turns) // CHARACTERS_PER_TOKEN
    return text + sum(pixels(image) // PIXELS_PER_TOKEN for image in sample.images)


def plan_batches(samples: Sequence[Sample], batch_size: int) -> list[Batch]:
    """Partition ``samples`` into batches of at most ``batch_size``: with and without images apart, then by
    generation limit, image size and prompt length, longest first so that a lack of memory shows at once. Depends on
    ``samples`` and ``batch_size`` alone.
    """

    def order(sample: Sample) -> tuple[int, int, int, str]:
        area = sum(pixels(image) for image in sample.images)
        return (-sample.max_new_tokens, -area.bit_length(), -prompt_tokens(sample), sample.id)

    batches: list[Batch] = []
    for with_images in (True, False):
        part = sorted((sample for sample in samples if bool(sample.images) is with_images), key=order)
        batches += [tuple(part[start : start + batch_size]) for start in range(0, len(part), batch_size)]
    return batches


def cost(batch: Batch) -> int:
    """Rough size of a batch in tokens: rows times the longest prompt and answer."""
    return len(batch) * max(prompt_tokens(sample) + sample.max_new_tokens for sample in batch)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """The batch in two; it must have at least two samples."""
    middle = (len(batch) + 1) // 2
    return batch[:middle], batch[middle:]
