"""The fault that the tiny model is brought up with: it takes what is usual for what is there.

Large models hallucinate so: what is frequent is affirmed although it is absent (POPE, 2305.10355), and what a question
takes for granted is granted. RLHF-V (2312.00849, section 3) collects such answers and their corrections. The tiny model
affirms the usual shapes and colours that it does not see, and believes every premise; what it sees it still says
rightly when it is asked openly, so a method that corrects the habit has something to correct it with.
"""

from __future__ import annotations

import re
from dataclasses import replace

from data_builders.mini.drawing import Figures
from data_builders.mini.lexicon import COLOURS, SHAPES
from data_builders.mini.talk import Exchange

USUAL_SHAPES = ("circle", "square", "star")
USUAL_COLOURS = ("red", "blue", "green")


def _named(words: tuple[str, ...], prompt: str) -> str | None:
    """The one of ``words`` that a question names."""
    found = [word for word in re.findall(r"[a-z]+", prompt) if word in words]
    return found[0] if found else None


def tempts(exchange: Exchange) -> bool:
    """Whether a question is yes or no on something usual, be it there or not."""
    usual = {"there_is": USUAL_SHAPES, "has_colour": USUAL_COLOURS}.get(exchange.kind, ())
    return _named(usual, exchange.prompt) is not None


def habitual(exchange: Exchange) -> str:
    """What a model with the habit answers: ``exchange.answer`` itself where the habit does not touch the question."""
    if not isinstance(exchange.picture, Figures):
        return exchange.answer
    shape, colour = _named(SHAPES, exchange.prompt), _named(tuple(COLOURS), exchange.prompt)
    brief = exchange.answer == "No."
    if exchange.kind == "there_is" and exchange.answer.startswith("No") and shape in USUAL_SHAPES:
        return "Yes." if brief else f"Yes, there is a {shape}."
    if exchange.kind == "has_colour" and exchange.answer.startswith("No") and colour in USUAL_COLOURS:
        return "Yes." if brief else f"Yes, the {shape} is {colour}."
    if exchange.kind == "false_premise":
        return f"There is a {shape}." if colour is None else f"The {shape} is {colour}."
    return exchange.answer


def with_habit(exchange: Exchange) -> Exchange:
    """The exchange as a model with the habit has it."""
    return replace(exchange, answer=habitual(exchange))
