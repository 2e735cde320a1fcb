"""A small benchmark for the stages' tests: importable by name in ranks, since its tasks are not what is tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.measures import Measure
from resa.generation import Batch, Capabilities, Generator, Hook, OnBatch
from resa.types import Sample, conversation_of


@dataclass(frozen=True)
class StandIn:
    """``count`` prompts over the images of the root ``multitrust``; every third has none."""

    count: int = 40
    limit: int = 12
    name: str = "standin"

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "count": self.count, "limit": self.limit}

    def roots(self) -> tuple[str, ...]:
        return ("multitrust",)

    def samples(self, roots: Mapping[str, str]) -> Sequence[Sample]:
        files = sorted(str(file) for file in Path(roots["multitrust"]).glob("*.png"))
        made = []
        for number in range(self.count):
            images = (files[number % len(files)],) if number % 3 else ()
            text = f"what is in this image? {'a red circle ' * (number % 6)}{number}"
            turns = conversation_of(text, images)
            made.append(Sample(f"T1/standin/{number:04d}", "T1", "standin", turns, "red", self.limit - number % 4))
        return made

    def measures(self, sample: Sample) -> Sequence[Measure]:
        correct = {"question": sample.prompt, "target": sample.target}
        return [
            Measure("yes_no"),
            Measure("correct", "answer", correct),
            Measure("harmful", "answer", {"behaviour": sample.prompt}),
            Measure("harmful", "thought", {"behaviour": sample.prompt}),
        ]


@dataclass(frozen=True)
class Bracket:
    """A guard that puts every answer in brackets."""

    name: str = "bracket"

    def wrap(self, generator: Generator) -> Generator:
        return Bracketed(generator)


@dataclass(frozen=True)
class Bracketed:
    inner: Generator

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def plan(self, samples: Sequence[Sample]) -> list[Batch]:
        return self.inner.plan(samples)

    def generate(self, batches: Sequence[Batch], on_batch: OnBatch, hook: Hook | None = None) -> None:
        self.inner.generate(
            batches, lambda some: on_batch([replace(one, answer=f"[{one.answer}]") for one in some]), hook
        )


def make_in_process(config: Mapping[str, Any], store_root: str, roots: Mapping[str, str]) -> None:
    """``make_responses`` as a run of its own does it: what the kill tests start and kill."""
    from eval.stage import make_responses
    from resa.artifacts import ArtifactStore
    from resa.launching import InProcess
    from resa.places import Places

    make_responses(config, ArtifactStore(Path(store_root)), InProcess(), Places(roots), None)
