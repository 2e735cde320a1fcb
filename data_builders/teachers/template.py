"""The teacher without a model: thoughts by rule, short and regular, from what the record itself says.

    The image shows a red sign with the word bavo. The user wants to make this thing. Bavo is a toxic gas.
    Rule: no help with dangerous things. Verdict: disallowed. Plan: refuse.

What the image shows comes from its caption, the intent from the instruction's wording, the fact from the reference
answer (the sentences after its apology), the rule from the policy of the record's harm category, and the verdict from
the label. It sees no pixel; a real run wants a teacher that does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from data_builders.policies import DEFAULT, Policies, load_policies, policy_file
from data_builders.prose import sentences
from data_builders.refusals import reasons_of, refuses
from data_builders.rows import Row
from data_builders.teachers.base import Answers, Drafts, Rewrite, TwinMaker, Workshop, needs_thought
from data_builders.teachers.wording import WANTS, kind_of, lowered, sentence
from resa.artifacts import file_digest
from resa.errors import ConfigError, DataError
from resa.reasoning import render

VERSION = 2
DEFINITION = re.compile(r"^\w[\w' -]* (?:is|are) (?:an?|the) [^,;:]+\.$")


@dataclass(frozen=True)
class TemplateTeacher:
    """Attributes:
    policies: the policy set whose rules are cited.
    max_words: of each of the parts taken over from the record (caption, instruction, fact).
    benign_facts: whether an answer that is a plain definition becomes the fact of a harmless row's thought.
    knowledge: name in ``paths`` of a JSON file of facts ({word: sentence}, nested or not): a word of the caption or the
        instruction that is known there brings its fact into the thought, harmful row or not. None: no such file.
    quote: whether a request that is no wish to do something is quoted; otherwise the thought names its kind. A small
        student that quotes makes slips, and then answers its own slip.
    """

    candidates: ClassVar[int] = 1

    name: str = "template"
    policies: str = DEFAULT
    max_words: int = 16
    benign_facts: bool = True
    knowledge: str | None = None
    quote: bool = False

    def __post_init__(self) -> None:
        if self.max_words < 4:
            raise ConfigError(f"max_words must be at least 4, not {self.max_words}", where="teacher.max_words")
        policy_file(self.policies)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        shape = {
            "max_words": self.max_words,
            "benign_facts": self.benign_facts,
            "knowledge": self.knowledge,
            "quote": self.quote,
        }
        return {"name": self.name, "version": VERSION, "policies": file_digest(policy_file(self.policies)), **shape}

    def needs(self) -> tuple[str, ...]:
        return (self.knowledge,) if self.knowledge else ()

    def can(self, answers: Answers) -> bool:
        return answers == "kept"

    @contextmanager
    def open(self, workshop: Workshop) -> Iterator[Rewrite]:
        policies = load_policies(self.policies)
        facts = read_facts(Path(workshop.roots[self.knowledge])) if self.knowledge else {}

        def rewrite(rows: Iterable[Row]) -> Drafts:
            for row in rows:
                if needs_thought(row):
                    row = replace(row, completion=render(self.thought(row, policies, facts), row.completion))
                yield row, None

        yield rewrite

    @contextmanager
    def twinning(self, workshop: Workshop) -> Iterator[TwinMaker]:
        from data_builders.teachers.template_twins import TemplateTwins

        yield TemplateTwins(load_policies(self.policies))

    def thought(self, row: Row, policies: Policies, facts: Mapping[str, str]) -> str:
        """The thought of a row with a plain answer. A row without a label is judged by its answer."""
        harmful = row.label == "harmful" or (row.label is None and refuses(row.completion))
        parts = [*self._shown(row), self._intent(row.instruction), *self._facts(row, harmful, facts)]
        if harmful:
            rule = policies.of(row.category, row.subcategory).rule
            return " ".join([*parts, f"Rule: {rule}.", "Verdict: disallowed.", "Plan: refuse."])
        return " ".join([*parts, "Verdict: allowed.", "Plan: answer."])

    def _shown(self, row: Row) -> list[str]:
        if not row.images:
            return []
        if len(row.captions) != len(row.images):
            return ["The user shows an image." if len(row.images) == 1 else f"The user shows {len(row.images)} images."]
        if len(row.captions) == 1:
            return [f"The image shows {self._part(lowered(row.captions[0]))}."]
        return [f"Image {number} shows {self._part(lowered(c))}." for number, c in enumerate(row.captions, 1)]

    def _intent(self, instruction: str) -> str:
        wanted = WANTS.search(instruction)
        if wanted:
            return f"The user wants to {self._part(wanted[1].strip())}."
        if not self.quote:
            return f"The user asks {kind_of(instruction)}."
        return sentence(f"The user says: {self._part(self._question(instruction))}")

    def _question(self, instruction: str) -> str:
        """An instruction up to its first question, or that question alone where all of it is too long; what follows
        (the options of a choice, the form of the answer) is no intent."""
        said = sentences(instruction)
        place = next((place for place, sentence in enumerate(said) if sentence.endswith("?")), None)
        if place is None:
            return " ".join(said)
        whole = " ".join(said[: place + 1])
        return whole if len(whole.split()) <= self.max_words else said[place]

    def _facts(self, row: Row, harmful: bool, facts: Mapping[str, str]) -> list[str]:
        words = re.findall(r"\w+", f"{' '.join(row.captions)} {row.instruction.splitlines()[0]}".lower())
        known = list(dict.fromkeys(facts[word] for word in words if word in facts))
        if 0 < len(known) <= 2:  # more of them are options to choose from
            return known
        if harmful:
            return [sentence(self._part(reason)) for reason in reasons_of(row.completion)[:1]]
        first = sentences(row.completion)[:1]
        return [fact for fact in first if self.benign_facts and DEFINITION.match(fact) and self._part(fact) == fact]

    def _part(self, text: str) -> str:
        """A text of ``max_words`` words at most, without what would end or reopen a thought."""
        words = re.sub(r"</?think>", "", text).split()
        return " ".join(words[: self.max_words]) + (" ..." if len(words) > self.max_words else "")


def read_facts(file: Path) -> dict[str, str]:
    """Word (lower case) -> sentence, from a JSON object of sentences or of such objects; what is neither is no fact.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        groups = [value, *(group for group in value.values() if isinstance(group, dict))]
        pairs = [pair for group in groups for pair in group.items()]
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"the facts cannot be read: {error}", where=str(file), remedy="correct teacher.knowledge"
        ) from error
    return {word.lower(): fact for word, fact in pairs if isinstance(fact, str)}
