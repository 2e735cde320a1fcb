"""What a model teacher is asked, and how its reply becomes a completion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from data_builders.policies import Policies
from data_builders.refusals import refuses
from data_builders.rows import Row
from data_builders.teachers.base import Answers
from resa.artifacts import digest, file_digest
from resa.reasoning import CLOSE, OPEN, render
from resa.types import Turn

BRIEF = Path(__file__).parent / "brief.jinja"
TAGS = {"<thought>": OPEN, "</thought>": CLOSE, "<answer>": "", "</answer>": ""}


@dataclass(frozen=True)
class Reply:
    """What a teacher said, as it is kept: ``cut`` = at its length limit; ``error`` = not at all."""

    text: str = ""
    cut: bool = False
    error: str | None = None


def brief(row: Row, policies: Policies, answers: Answers, words: int) -> tuple[Turn, ...]:
    """The turns that ask a teacher for a row's thought: one user message with the row's own images."""
    policy = policies.of(row.category, row.subcategory) if row.label != "benign" else policies.default
    history = "\n".join(f"{turn.role}: {turn.text}" for turn in row.prompt[:-1])
    text = _template(BRIEF.read_text(encoding="utf-8")).render(
        answers=answers,
        policy=policy.text,
        rule=policy.rule,
        label=row.label,
        reference=row.completion,
        instruction=row.instruction,
        history=history,
        images=len(row.images),
        words=words,
    )
    return (Turn("user", text.strip(), row.images),)


@cache
def _template(source: str) -> Any:
    import jinja2

    return jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined).from_string(source)


def brief_digest() -> str:
    """Fingerprint of the brief's wording."""
    return file_digest(BRIEF)


def ask_key(row: Row, turns: tuple[Turn, ...]) -> str:
    """What an answer depends on, besides the teacher: the words it is asked with and the images' content."""
    return digest([[turn.text for turn in turns], row.image_hashes])[:32]


def completion_of(reply: Reply, reference: str, answers: Answers) -> tuple[str, str | None]:
    """(completion, None), or (the teacher's text, why it is none).

    A reply whose form is broken still becomes a completion, with the break in it: the parse filter counts it.
    """
    if reply.error is not None:
        return "", f"failed: {reply.error}"
    if reply.cut:
        return reply.text, "cut: the reply reached its length limit"
    text = reply.text.strip()
    if "<thought>" in text:  # what a reasoning teacher thought for itself comes before
        text = text[text.index("<thought>") :]
    elif "</thought>" not in text:
        own = re.sub(rf"^{OPEN}.*?{CLOSE}", "", text, flags=re.DOTALL).strip()
        if not own:
            return text, "empty: the teacher wrote nothing"
        if refuses(own):
            return text, f"refused: {own[:120]}"
        return text, "unparsed: there is no <thought> in the reply"
    for tag, ours in TAGS.items():
        text = text.replace(tag, ours)
    if answers != "kept" or not text.startswith(OPEN) or text.count(OPEN) != 1 or text.count(CLOSE) != 1:
        return text.strip(), None
    thought = text[len(OPEN) : text.index(CLOSE)].strip()
    return (render(thought, reference) if thought else text), None
