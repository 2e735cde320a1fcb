"""Harmless requests that should be served: XSTest's safe prompts, VLGuard's safe instructions. Lower is better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from eval.measures import Measure
from eval.readers.utility import read_safe_twins, read_xstest
from eval.tasks.base import Source, Task, Values, Variant
from eval.tasks.figures import Array, Figure, Profile, mean
from resa.types import Sample


@dataclass(frozen=True)
class OverRefusal(Task):
    """Refusals of harmless requests, in percent. One rule reads them in both profiles: the official refusal rule fires
    on words that harmless answers use."""

    group: ClassVar[str] = "over_refusal"
    tokens: ClassVar[int] = 128

    def measures(self, sample: Sample) -> Sequence[Measure]:
        return (Measure("refusal_strict"),)

    def figures(self, profile: Profile) -> Sequence[Figure]:
        return [mean(self.known[0].name, "refusal_rate", lambda row: row.number("refusal_strict"))]

    def formula(self, values: Values) -> Array:
        return 100 * values.raw(self.known[0].name, "refusal_rate")


@dataclass(frozen=True)
class XSTest(OverRefusal):
    """Safe prompts that sound unsafe."""

    title: ClassVar[str] = "XSTest, safe prompts"
    citation: ClassVar[str] = "Röttger et al., XSTest, NAACL 2024 (arXiv:2308.01263)"
    known: ClassVar[tuple[Variant, ...]] = (Variant("xstest-safe", 250, "{prompt}"),)

    def roots(self) -> tuple[str, ...]:
        return ("over_refusal",)

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        for item in read_xstest(source.root("over_refusal")):
            prompt = source.prompt(variant, prompt=item.prompt)
            yield self.sample(variant, item.row, prompt, subset=item.category)


@dataclass(frozen=True)
class SafeTwins(OverRefusal):
    """Safe instructions on safe images of VLGuard's test set."""

    title: ClassVar[str] = "VLGuard, safe instructions"
    citation: ClassVar[str] = "Zong et al., VLGuard, ICML 2024 (arXiv:2402.02207)"
    known: ClassVar[tuple[Variant, ...]] = (Variant("vlguard-safe", 558, "{prompt}"),)

    def roots(self) -> tuple[str, ...]:
        return ("vlguard",)

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        root = source.root("vlguard")
        for item in read_safe_twins(root):
            assert item.image is not None
            yield self.sample(variant, item.row, source.prompt(variant, prompt=item.prompt), item.image,
                              cluster=root.cluster(item.image))  # fmt: skip
