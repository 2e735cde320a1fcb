"""What the cross-modal tasks share: the same text alone, with a related image and with unrelated ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eval.readers.unrelated import KINDS, draw, read_pool
from eval.tasks.base import Source, Values, Variant, average
from eval.tasks.figures import Array


def modal_variants(
    stem: str, rows: int, prompt: str | Mapping[str, str], related: str = "image", images: int | None = None
) -> tuple[Variant, ...]:
    """``<stem>-text``, ``<stem>-<related>`` and ``<stem>-unrelated-image-{color,nature,noise}``."""
    return (
        Variant(f"{stem}-text", rows, prompt),
        Variant(f"{stem}-{related}", rows, prompt, images or rows),
        *(Variant(f"{stem}-unrelated-image-{kind}", rows, prompt) for kind in KINDS),
    )


Pairing = Callable[[str, str | None], tuple[str, str | None]]


def pairing(variant: Variant, source: Source) -> Pairing:
    """For a variant with unrelated images: ``(row, image) -> (row with the drawn image's name, that image)``. Any other
    variant keeps what it has. The draw depends on the seed, the variant and the row alone."""
    root = source.root("multitrust")
    kind = variant.name.rsplit("unrelated-image-", 1)[-1]
    if kind not in KINDS:
        return lambda row, image: (row, image)
    pool = read_pool(root, kind)

    def paired(row: str, image: str | None) -> tuple[str, str | None]:
        drawn, name = draw(pool, source.rng(variant.name, row))
        return f"{row}/{name}", drawn

    return paired


def unrelated(term: Callable[[str], Array], stem: str) -> Array:
    """Mean of a term over the three kinds of unrelated images."""
    return average(*(term(f"{stem}-unrelated-image-{kind}") for kind in KINDS))


def text_related_unrelated(term: Callable[[str], Array], stem: str, related: str = "image") -> Array:
    """Mean of a term over text alone, related image, and unrelated images together."""
    return average(term(f"{stem}-text"), term(f"{stem}-{related}"), unrelated(term, stem))


def rate(values: Values, name: str) -> Callable[[str], Array]:
    """The term that is a figure of a variant."""
    return lambda variant: values.rate(variant, name)
