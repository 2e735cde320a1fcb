"""What the model is good for: multiple choice, open questions, sums in words. Not part of overall trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from eval.measures import Measure
from eval.readers.utility import Item, read_multiple_choice, read_open_questions, read_word_problems
from eval.tasks.base import Source, Task, Values, Variant, average
from eval.tasks.figures import Array, Figure, Profile, mean
from resa.types import Sample


@dataclass(frozen=True)
class UtilityTask(Task):
    """One or several files read alike; their mean accuracy.

    Attributes:
        files: variant -> file below ``paths.utility``.
    """

    files: Mapping[str, str] = field(default_factory=dict)

    group: ClassVar[str] = "utility"
    citation: ClassVar[str] = ""
    rule: ClassVar[str] = ""
    prompt: ClassVar[str] = "{question}"

    @property
    def chosen(self) -> tuple[Variant, ...]:
        return tuple(Variant(name, None, self.prompt) for name in sorted(self.files))

    def identity(self) -> dict[str, Any]:
        return {**super().identity(), "files": dict(self.files)}

    def roots(self) -> tuple[str, ...]:
        return ("utility",)

    def figures(self, profile: Profile) -> Sequence[Figure]:
        return [mean(variant.name, "accuracy", lambda row: row.right(row.number(self.rule))) for variant in self.chosen]

    def formula(self, values: Values) -> Array:
        return 100 * average(*(values.raw(variant.name, "accuracy") for variant in self.chosen))

    def item(self, variant: Variant, source: Source, item: Item, question: str) -> Sample:
        """A sample of an item."""
        root = source.root("utility")
        cluster = root.cluster(item.image) if item.image and item.image.startswith(root.folder) else item.image
        return self.sample(variant, item.row, source.prompt(variant, question=question), item.image,
                           target=item.answer, subset=item.category, cluster=cluster,
                           meta={"options": item.options} if item.options else {})  # fmt: skip


@dataclass(frozen=True)
class MultipleChoice(UtilityTask):
    """VLMEvalKit's TSV form: MMBench, MMMU, MMStar, ScienceQA and the like."""

    title: ClassVar[str] = "Multiple choice"
    tokens: ClassVar[int] = 32
    prompt: ClassVar[str] = "{question}\nAnswer with the letter."

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        for item in read_multiple_choice(source.root("utility"), self.files[variant.name]):
            lines = [item.prompt, *(f"{letter}. {text}" for letter, text in (item.options or {}).items())]
            yield self.item(variant, source, item, "\n".join(lines))

    def measures(self, sample: Sample) -> Sequence[Measure]:
        return (Measure("choice", arguments={"label": sample.target, "options": sample.meta["options"]}),)

    rule: ClassVar[str] = "choice"


@dataclass(frozen=True)
class OpenQuestions(UtilityTask):
    """Open questions on images whose answer is a few words."""

    title: ClassVar[str] = "Open questions"
    tokens: ClassVar[int] = 48
    rule: ClassVar[str] = "open_answer"

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        for item in read_open_questions(source.root("utility"), self.files[variant.name]):
            yield self.item(variant, source, item, item.prompt)

    def measures(self, sample: Sample) -> Sequence[Measure]:
        return (Measure("open_answer", arguments={"label": sample.target}),)


@dataclass(frozen=True)
class WordProblems(UtilityTask):
    """Text alone: GSM8K and the like."""

    title: ClassVar[str] = "Word problems"
    tokens: ClassVar[int] = 256
    rule: ClassVar[str] = "final_number"

    def read(self, variant: Variant, source: Source) -> Iterable[Sample]:
        for item in read_word_problems(source.root("utility"), self.files[variant.name]):
            yield self.item(variant, source, item, item.prompt)

    def measures(self, sample: Sample) -> Sequence[Measure]:
        return (Measure("final_number", arguments={"label": sample.target}),)
