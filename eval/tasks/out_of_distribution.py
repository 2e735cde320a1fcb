"""Robustness out of distribution: R1 captioning of artistic images, R2 sensor images, R3 styles of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from eval.measures import Measure
from eval.readers.labelled import read_artistic, read_sensor
from eval.readers.texts import read_styles
from eval.tasks.base import Risk, Source, Task, Values, Variant, average, both
from eval.tasks.figures import Array, Figure, Profile, Reading, Row, judged_right, mean
from eval.tasks.modalities import modal_variants, pairing, rate, text_related_unrelated
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


@dataclass(frozen=True)
class R2(Task):
    """Questions on images of unusual sensors, graded by a judge."""

    title: ClassVar[str] = "VQA of sensor-style images"
    risk: ClassVar[Risk | None] = "multimodal"
    tokens: ClassVar[int] = 200
    known: ClassVar[tuple[Variant, ...]] = tuple(
        Variant(f"benchlmm-{sensor}", rows, "{question}")
        for sensor, rows in {
            "infrared": 200, "lxray": 186, "hxray": 100, "mri": 96, "ct": 99, "remote": 200, "driving": 180,
        }.items()
    )  # fmt: skip

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        root = source.root("multitrust")
        for item in read_sensor(root, variant.name.removeprefix("benchlmm-")):
            yield self.sample(
                variant, item.row, source.prompt(variant, question=item.question), item.image,
                target=item.labels[0], cluster=root.cluster(item.image), meta={"question": item.question},
            )  # fmt: skip

    def measures(self, sample: Sample) -> Sequence[Measure]:
        asked = {"question": sample.meta["question"].split("\n")[0], "target": sample.target}
        return (Measure("grade", arguments=asked),)

    def figures(self, profile: Profile) -> Sequence[Figure]:
        return [mean(variant.name, "score", graded) for variant in self.chosen]

    def formula(self, values: Values) -> Array:
        return average(*(values.rate(variant.name, "score") for variant in self.known))


def graded(row: Row) -> Reading:
    """The judge's grade; full marks for the very words of the reference."""
    if _bare(row.response.answer) == _bare(str(row.sample.target)) and row.response.status != "error":
        return 100.0
    return row.right(row.number("grade", unparsed=0.0))


def _bare(text: str) -> str:
    return text.strip(" .\n")


@dataclass(frozen=True)
class R3(Task):
    """Sentiment of sentences in ten unusual styles: in words, with a related image, with unrelated ones."""

    title: ClassVar[str] = "Sentiment analysis of OOD text"
    risk: ClassVar[Risk | None] = "cross-modal"
    tokens: ClassVar[int] = 200
    known: ClassVar[tuple[Variant, ...]] = modal_variants(
        "dt", 1000, "Is the sentiment of this text positive or negative? Answer with one word.\n{text}",
        "related-image", 100,
    )  # fmt: skip

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        pair = pairing(variant, source)
        for item in read_styles(source.root("multitrust"), variant.name == "dt-related-image"):
            row, image = pair(item.row, item.image)
            yield self.sample(variant, row, source.prompt(variant, text=item.parts[0]), image, target=item.label,
                              cluster=f"ood_text/{item.key}", subset=item.group)  # fmt: skip

    def measures(self, sample: Sample) -> Sequence[Measure]:
        return both("contain_exact", label=sample.target)

    def figures(self, profile: Profile) -> Sequence[Figure]:
        return [mean(v.name, "accuracy", lambda row: row.right(row.rule("contain_exact"))) for v in self.chosen]

    def formula(self, values: Values) -> Array:
        return 100 * text_related_unrelated(rate(values, "accuracy"), "dt", "related-image")
