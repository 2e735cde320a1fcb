"""A judge model gives marks by criteria, and a row stays where each reaches the threshold.

After STAR-1 (arXiv 2504.01903): a model scores 1-10 whether the content keeps to the policy, whether it is relevant and
without repetition, and whether the thinking is accurate; there, only 10/10/10 stayed. Ours sees the image, and gives a
mark for being grounded in it too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from data_builders.filters.asking import WORDINGS, AskingFilter, said, why_silent
from data_builders.filters.base import Place, Surroundings
from data_builders.policies import DEFAULT, load_policies, policy_file
from data_builders.respondents.base import Question, Reply
from data_builders.rows import Row
from data_builders.wording import render, wording_file
from resa.artifacts import file_digest
from resa.errors import ConfigError, did_you_mean
from resa.types import Turn

LOWEST, HIGHEST = 1, 10
SCORES = ("mean", "min")
OBJECT = re.compile(r"\{[^{}]*\}", re.DOTALL)
LINE = re.compile(r"^[\W_]*([A-Za-z]\w*)[\W_]*?[:=][\W_]*?(-?\d+(?:\.\d+)?)(?:\s*/\s*10)?[\W_]*$", re.MULTILINE)


@dataclass(frozen=True)
class JudgeFilter(AskingFilter):
    """Attributes:
    criteria: name -> what is asked, of every row; of_thoughts: further ones, of rows with a thought; of_images: of rows
        whose images are sent.
    threshold: the least mark, 1 to 10, in each criterion.
    score: what of the marks becomes the row's score, by which the best of several candidates is taken: ``mean`` (tells
        apart what a high threshold has let pass) or ``min``.
    policies: a policy set, by name or file: the judge is told the policy of the row's category.
    wording: ``judge`` (ours), or the path of a Jinja file of your own.
    The others: see :class:`data_builders.filters.asking.AskingFilter`.
    """

    place: ClassVar[Place | None] = Place.JUDGE

    name: str = "judge"
    criteria: Mapping[str, str] = field(default_factory=dict)
    of_thoughts: Mapping[str, str] = field(default_factory=dict)
    of_images: Mapping[str, str] = field(default_factory=dict)
    threshold: float = 9.0
    score: str = "mean"
    policies: str = DEFAULT
    wording: str = "judge"

    def __post_init__(self) -> None:
        super().__post_init__()
        where = f"filters.{self.name}"
        if not self.criteria:
            raise ConfigError("a judge needs a criterion", where=f"{where}.criteria")
        for name in (*self.criteria, *self.of_thoughts, *self.of_images):
            if not re.fullmatch(r"[A-Za-z]\w*", name):
                raise ConfigError(f"the name of a criterion is one word: {name!r}", where=where)
        if not LOWEST <= self.threshold <= HIGHEST:
            raise ConfigError(
                f"threshold must be from {LOWEST} to {HIGHEST}, not {self.threshold:g}", where=f"{where}.threshold"
            )
        if self.score not in SCORES:
            raise ConfigError(
                f"unknown score {self.score!r}. {did_you_mean(self.score, SCORES)}", where=f"{where}.score"
            )
        policy_file(self.policies)
        wording_file(WORDINGS, self.wording, f"{where}.wording")

    def shape(self, model: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **super().shape(model),
            "criteria": [dict(self.criteria), dict(self.of_thoughts), dict(self.of_images)],
            "threshold": self.threshold,
            "score": self.score,
            "policies": file_digest(policy_file(self.policies)),
            "wording": file_digest(wording_file(WORDINGS, self.wording, "wording")),
        }

    def sift(self, rows: Iterable[Row], surroundings: Surroundings) -> Iterator[tuple[Row, str | None]]:
        policies = load_policies(self.policies)

        def ask(row: Row) -> Sequence[Question]:
            policy = policies.of(row.category, row.subcategory) if row.label != "benign" else policies.default
            return [self.question(row, (self._turn(row, policy.text),))]

        for row, (reply,) in self.asked(rows, ask, surroundings):
            marks = read_marks(reply, list(self.asked_of(row)))
            if marks is None:
                yield row, self.silent(f"no marks: {why_silent(reply)}", surroundings)
            else:
                score = min(marks.values()) if self.score == "min" else sum(marks.values()) / len(marks)
                yield replace(row, score=score), self._objection(marks)

    def asked_of(self, row: Row) -> dict[str, str]:
        """The criteria of a row: name -> what is asked."""
        return {
            **self.criteria,
            **(self.of_thoughts if row.thought else {}),
            **(self.of_images if row.images and self.images else {}),
        }

    def _turn(self, row: Row, policy: str) -> Turn:
        words = render(
            wording_file(WORDINGS, self.wording, "wording"),
            criteria=self.asked_of(row),
            policy=policy,
            thought=row.thought,
            answer=row.answer,
            instruction=row.instruction,
            history="\n".join(f"{turn.role}: {turn.text}" for turn in row.prompt[:-1]),
            images=len(row.images) if self.images else 0,
            lowest=LOWEST,
            highest=HIGHEST,
        )
        return Turn("user", words, row.images if self.images else ())

    def _objection(self, marks: Mapping[str, float]) -> str | None:
        worst = min(marks, key=lambda name: marks[name])
        if marks[worst] >= self.threshold:
            return None
        given = ", ".join(f"{name} {mark:g}" for name, mark in marks.items())
        return f"{worst} below {self.threshold:g}: {given}"


def read_marks(reply: Reply, criteria: Sequence[str]) -> dict[str, float] | None:
    """The mark of each criterion, in order: from the last JSON object in a reply, or from lines ``name: number``.

    None where one is missing, no number from 1 to 10, or given twice and differently.
    """
    text = said(reply) if reply.error is None else None
    if text is None:
        return None
    given: list[tuple[str, Any]] = []
    for found in reversed(OBJECT.findall(text)):
        try:
            given = json.loads(found, object_pairs_hook=list)
            break
        except ValueError:
            continue
    given = given or [(name, float(number)) for name, number in LINE.findall(text)]
    marks: dict[str, float] = {}
    for name, value in given:
        known = next((criterion for criterion in criteria if criterion.lower() == str(name).lower()), None)
        if known is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not LOWEST <= value <= HIGHEST:
            return None
        if marks.setdefault(known, float(value)) != float(value):
            return None
    return {name: marks[name] for name in criteria} if len(marks) == len(criteria) else None
