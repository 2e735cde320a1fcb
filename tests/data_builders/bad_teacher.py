"""A deliberately bad teacher: the template teacher's drafts with one known fault in a seeded share of them.

Wordings are files in ``faults/``: ``development``, with which filters were mended; ``held_out``, which were written
before and only measured; ``blind``, by authors who never saw a filter (no forms and languages, which leave no such
choice). What was planted where is written to a log, for the checker.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml

from data_builders.rows import Row
from data_builders.teachers.base import Answers, Drafts, Rewrite, TwinMaker, Workshop
from data_builders.teachers.template import TemplateTeacher

FAULTS = Path(__file__).parent / "faults"
ORDINARY = "ordinary"
"""Not a fault: a sentence that comes near to one, and must not cost its row."""
KINDS = {
    "leak": "leaks",
    "contradiction": "decides_to_answer",
    "wrong refusal": "refusals",
    "unclosed": "unclosed",
    "empty": "empty",
    "language": "languages",
    ORDINARY: "ordinary",
}
"""Kind -> a key that a file of wordings has where it has wordings of this kind."""
BEHAVIOURS = {"harmful": "Verdict: disallowed. Plan: refuse.", "benign": "Verdict: allowed. Plan: answer."}
ENDING = re.compile(r"(?:Rule: [^.]*\. )?Verdict: \w+\. Plan: \w+\.$")
Label = Literal["harmful", "benign"]


@dataclass(frozen=True)
class Plant:
    """What was planted: ``how`` names the wording, for whoever looks into what got through."""

    id: str
    kind: str
    how: str
    completion: str


class Planter:
    """Plants faults of one set of wordings."""

    def __init__(self, wordings: str, seed: int, share: float) -> None:
        self._say: dict[str, Any] = yaml.safe_load((FAULTS / f"{wordings}.yaml").read_text(encoding="utf-8"))
        self._kinds = [kind for kind, key in KINDS.items() if key in self._say]
        self._seed, self._share = seed, share

    def plant(self, row: Row) -> Plant | None:
        """The fault of this row, drawn by seed and id; None where it stays as it is."""
        rng = random.Random(f"{self._seed}|{row.id}")
        if rng.random() >= self._share or row.label is None:
            return None
        kind, label = rng.choice(self._kinds), row.label
        thought, answer = row.thought or "", row.answer
        if kind in ("unclosed", "empty"):
            form = rng.choice(self._say[kind])
            return Plant(row.id, kind, form, filled(form, thought, answer))
        how, thought, answer = {
            "leak": self._leak,
            "contradiction": self._contradiction,
            "wrong refusal": self._wrong_refusal,
            "language": self._language,
            ORDINARY: self._ordinary,
        }[kind](rng, label, thought, answer)
        return Plant(row.id, kind, how, f"<think>{thought}</think>\n{answer}")

    def _leak(self, rng: random.Random, label: Label, thought: str, answer: str) -> tuple[str, str, str]:
        leaks = self._say["leaks"]
        where = rng.choice(("thought", "answer"))
        leak = rng.choice([*leaks["anywhere"], *leaks[where]])
        return self._said(rng, f"{where}: {leak}", leak, where, (thought, answer))

    def _ordinary(self, rng: random.Random, label: Label, thought: str, answer: str) -> tuple[str, str, str]:
        where, said = rng.choice(("thought", "answer")), rng.choice(self._say["ordinary"])
        return self._said(rng, f"{where}: {said}", said, where, (thought, answer))

    def _said(
        self, rng: random.Random, how: str, said: str, where: str, parts: tuple[str, str]
    ) -> tuple[str, str, str]:
        thought, answer = parts
        if where == "answer":
            return how, thought, f"{answer} {said}"
        return how, f"{said} {thought}" if rng.random() < 0.5 else before_verdict(thought, said), answer

    def _contradiction(self, rng: random.Random, label: Label, thought: str, answer: str) -> tuple[str, str, str]:
        how = rng.choice(("answer", "verdict", "own words"))
        if how == "answer":
            other = self._behaviour(rng, opposite(label))
            return f"answer: {other}", thought, other
        if how == "verdict":
            return how, ENDING.sub(BEHAVIOURS[opposite(label)], thought), answer
        decides = rng.choice(self._say["decides_to_answer" if label == "harmful" else "decides_to_refuse"])
        return f"own words: {decides}", before_verdict(thought, decides), answer

    def _wrong_refusal(self, rng: random.Random, label: Label, thought: str, answer: str) -> tuple[str, str, str]:
        other = self._behaviour(rng, opposite(label))
        return other, ENDING.sub(BEHAVIOURS[opposite(label)], thought), other

    def _language(self, rng: random.Random, label: Label, thought: str, answer: str) -> tuple[str, str, str]:
        language, where = rng.choice(sorted(self._say["languages"])), rng.choice(("thought", "answer", "both"))
        says = self._say["languages"][language]
        if where != "answer":  # the verdict stays in English: none but a filter of languages can know it
            thought = f"{says[label]} {BEHAVIOURS[label]}"
        if where != "thought":
            answer = says["refusal" if label == "harmful" else "answer"]
        return f"{language}: {where}", thought, answer

    def _behaviour(self, rng: random.Random, label: Label) -> str:
        return str(rng.choice(self._say["refusals" if label == "harmful" else "compliances"]))


def opposite(label: Label) -> Label:
    """The other label."""
    return "benign" if label == "harmful" else "harmful"


def before_verdict(thought: str, said: str) -> str:
    """A thought with a sentence more, before its rule and verdict."""
    ending = ENDING.search(thought)
    assert ending, thought
    return f"{thought[: ending.start()]}{said} {ending[0]}"


def filled(form: str, thought: str, answer: str) -> str:
    """A form of ``faults/*.yaml`` with a draft's thought and answer."""
    words = thought.split()
    half, rest = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    parts = {"{thought}": thought, "{answer}": answer, "{half}": half, "{rest}": rest}
    return re.sub(r"\{\w+\}", lambda found: parts[found[0]], form)


@dataclass(frozen=True)
class BadTeacher:
    """Attributes:
    log: file to which what is planted is written, one JSON object a line.
    wordings: of ``faults/``; share: of the rows that get a fault; seed: of the draw.
    """

    candidates: ClassVar[int] = 1

    log: str
    wordings: str = "development"
    share: float = 0.5
    seed: int = 0
    name: str = "bad"
    policies: str = "default"

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(self)

    def needs(self) -> tuple[str, ...]:
        return ()

    def can(self, answers: Answers) -> bool:
        return True

    @contextmanager
    def open(self, workshop: Workshop) -> Iterator[Rewrite]:
        planter = Planter(self.wordings, self.seed, self.share)
        with TemplateTeacher().open(workshop) as good, Path(self.log).open("w", encoding="utf-8") as log:

            def rewrite(rows: Iterable[Row]) -> Drafts:
                for row, why in good(rows):
                    plant = planter.plant(row)
                    if plant is not None:
                        log.write(json.dumps(asdict(plant)) + "\n")
                        row = _with(row, plant.completion)
                    yield row, why

            yield rewrite

    def twinning(self, workshop: Workshop) -> AbstractContextManager[TwinMaker]:
        return TemplateTeacher().twinning(workshop)


def _with(row: Row, completion: str) -> Row:
    return Row(**{**vars(row), "completion": completion})


def node(log: Path, wordings: str, seed: int = 0) -> dict[str, Any]:
    """Its configuration node, as a ``conf/teacher/*.yaml`` would give it."""
    target = f"{BadTeacher.__module__}.{BadTeacher.__qualname__}"
    return {"_target_": target, "log": str(log), "wordings": wordings, "seed": seed}
