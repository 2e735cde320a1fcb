"""A row of training data: a prompt, and the completion that is learnt from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from resa.reasoning import CLOSE, OPEN, parse, render
from resa.types import Conversation, Label, Turn

Turns = Literal["each", "last", "alone"]
"""How dialogues become rows. ``each``: one row for every assistant turn, with all before it as history (only a row's
completion is trained, so each turn needs a row). ``last``: one row, for the last turn. ``alone``: each exchange is a
row without history, with the dialogue's images."""


@dataclass(frozen=True)
class Row:
    """A row in the making.

    Attributes:
        id: ``<part>/<record>`` or ``<part>/<record>/<turn>``, unique in the dataset.
        part: of the recipe it belongs to; source: where it comes from.
        prompt: ends with a user turn; completion: the reference answer, later thought and answer.
        label: of this prompt; category, subcategory: of the source.
        thinks: whether its completion must have a thought.
        captions: what is known of each image, in order; () where nothing is.
        image_hashes: SHA-256 of each image file, in order.
        rejected: the worse answer of a preference pair, whose better one is ``completion``; None without one.
        candidate: number of the draft, where a teacher writes several; score: a judge's of it, higher is better.
    """

    id: str
    part: str
    source: str
    prompt: tuple[Turn, ...]
    completion: str
    label: Label | None = None
    category: str | None = None
    subcategory: str | None = None
    thinks: bool = False
    captions: tuple[str, ...] = ()
    image_hashes: tuple[str, ...] = ()
    rejected: str | None = None
    candidate: int = 0
    score: float | None = None

    @property
    def images(self) -> tuple[str, ...]:
        return tuple(image for turn in self.prompt for image in turn.images)

    @property
    def instruction(self) -> str:
        """The last user turn's text."""
        return self.prompt[-1].text

    @property
    def thought(self) -> str | None:
        return parse(self.completion).thought

    @property
    def answer(self) -> str:
        return parse(self.completion).answer

    @property
    def has_thought(self) -> bool:
        return OPEN in self.completion or CLOSE in self.completion

    def to_json(self) -> dict[str, Any]:
        """As in ``rows.jsonl``."""
        return {
            "id": self.id,
            "part": self.part,
            "source": self.source,
            "label": self.label,
            "category": self.category,
            "subcategory": self.subcategory,
            "prompt": [{"role": turn.role, "text": turn.text, "images": list(turn.images)} for turn in self.prompt],
            "completion": self.completion,
            "images": list(self.images),
            "thought": self.thought,
            "answer": self.answer,
            **({} if self.rejected is None else {"rejected": self.rejected}),
        }


def canonical(completion: str) -> str:
    """A completion in the form of :func:`resa.reasoning.render`; as it is where that cannot write it."""
    reading = parse(completion)
    try:
        return render(reading.thought, reading.answer) if reading.closed else completion
    except ValueError:
        return completion


def rows_of(conversation: Conversation, part: str, turns: Turns) -> Iterator[Row]:
    """The rows of a conversation. Thoughts in its history are taken out: a model is not shown its earlier ones."""
    labels = conversation.meta.get("labels")
    answers = [place for place, turn in enumerate(conversation.turns) if turn.role == "assistant"]
    system = tuple(turn for turn in conversation.turns if turn.role == "system")
    for number, place in enumerate(answers):
        if turns == "last" and place != answers[-1]:
            continue
        if turns == "alone":
            images = tuple(image for turn in conversation.turns[:place] for image in turn.images)
            prompt = (*system, replace(conversation.turns[place - 1], images=images))
        else:
            history = conversation.turns[:place]
            prompt = tuple(replace(t, text=parse(t.text).answer) if t.role == "assistant" else t for t in history)
        many = len(answers) > 1
        shown = sum(len(turn.images) for turn in prompt)
        yield Row(
            id=f"{part}/{conversation.id}" + (f"/{number}" if many else ""),
            part=part,
            source=conversation.source,
            prompt=prompt,
            completion=canonical(conversation.turns[place].text),
            label=labels[number] if labels else conversation.label,
            category=conversation.category,
            subcategory=conversation.subcategory,
            captions=tuple(conversation.meta.get("captions", ()))[:shown],
            rejected=canonical(conversation.rejected) if conversation.rejected and place == answers[-1] else None,
        )
