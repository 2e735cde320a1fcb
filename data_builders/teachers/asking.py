"""What a model teacher is asked, and how its reply becomes a completion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from data_builders.policies import Policies
from data_builders.refusals import refuses
from data_builders.respondents.base import Question, Reply
from data_builders.rows import Row
from data_builders.teachers.base import Answers
from data_builders.wording import template, wording_file
from resa.artifacts import digest, file_digest
from resa.reasoning import CLOSE, OPEN, render
from resa.types import Turn

BRIEFS = Path(__file__).parent / "briefs"
TAGS = {"<thought>": OPEN, "</thought>": CLOSE, "<answer>": "", "</answer>": ""}


def brief_file(name: str) -> Path:
    """The file of a brief: one of ours by name, or any by path.

    Raises:
        ConfigError: there is none.
    """
    return wording_file(BRIEFS, name, "teacher.brief")


def brief(
    row: Row, policies: Policies, answers: Answers, words: int, name: str = "thought", *, form: Any = None
) -> tuple[Turn, ...]:
    """The turns that ask a teacher for a row's thought: one user message with the row's own images. ``form``: of
    :func:`brief_form`, for whoever asks of many rows; else the brief's file is read anew."""
    policy = policies.of(row.category, row.subcategory) if row.label != "benign" else policies.default
    history = "\n".join(f"{turn.role}: {turn.text}" for turn in row.prompt[:-1])
    text = (form or brief_form(name)).render(
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


def brief_form(name: str) -> Any:
    """A brief's Jinja template."""
    return template(brief_file(name))


def brief_digest(name: str = "thought") -> str:
    """Fingerprint of a brief's wording."""
    return file_digest(brief_file(name))


def question(row: Row, turns: tuple[Turn, ...], candidate: int = 0) -> Question:
    """What is asked of a row; its key is what the reply depends on: the words, the images' content, and which of
    several drafts it is."""
    key = digest([[turn.text for turn in turns], row.image_hashes, *([candidate] if candidate else [])])[:32]
    return Question(key, turns)


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
    else:
        return text, "unparsed: the thought in the reply has no beginning"
    for tag, ours in TAGS.items():
        text = text.replace(tag, ours)
    if answers != "kept" or not text.startswith(OPEN) or text.count(OPEN) != 1 or text.count(CLOSE) != 1:
        return text.strip(), None
    thought = text[len(OPEN) : text.index(CLOSE)].strip()
    return (render(thought, reference) if thought else text), None
