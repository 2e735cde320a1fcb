"""Robustness out of distribution: R1 captioning of artistic images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from eval.measures import Measure
from eval.readers.labelled import read_artistic
from eval.tasks.base import Risk, Source, Task, Values, Variant, average
from eval.tasks.figures import Array, Figure, Profile, judged_right, mean
from resa.types import Sample

DESCRIBE = "Describe the image in detail."


@dataclass(frozen=True)
class R1(Task):
    """Whether the caption mentions the object that is shown in an unusual style."""

    title: ClassVar[str] = "Captioning of artistic images"
    risk: ClassVar[Risk | None] = "multimodal"
    tokens: ClassVar[int] = 300
    known: ClassVar[tuple[Variant, ...]] = tuple(
        Variant(f"coco-o-{style}", 100, DESCRIBE, 100)
        for style in ("cartoon", "handmake", "painting", "sketch", "tattoo", "weather")
    )

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        root = source.root("multitrust")
        for item in read_artistic(root, variant.name.removeprefix("coco-o-")):
            yield self.sample(variant, item.row, source.prompt(variant), item.image, target=item.labels[0],
                              cluster=root.cluster(item.image))  # fmt: skip

    def measures(self, sample: Sample) -> Sequence[Measure]:
        return (Measure("mentions", arguments={"target": sample.target}),)

    def figures(self, profile: Profile) -> Sequence[Figure]:
        return [mean(variant.name, "accuracy", judged_right("mentions")) for variant in self.chosen]

    def formula(self, values: Values) -> Array:
        return 100 * average(*(values.rate(variant.name, "accuracy") for variant in self.known))
