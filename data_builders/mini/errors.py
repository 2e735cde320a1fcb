"""How models err about pictures: right answers with a wrong colour, shape, word, number or verdict."""

from __future__ import annotations

import random
import re

from data_builders.mini.drawing import Figures, Picture, Sign
from data_builders.mini.habits import habitual
from data_builders.mini.lexicon import BACKGROUNDS, COLOURS, SHAPES, lexicon, seen
from data_builders.mini.talk import Exchange

SIDES = (("left of", "right of"), ("above", "below"))
NUMBERS = ("one shape", "two shapes")
VERDICTS = ("there_is", "has_colour", "has_ground", "is_at", "same_colour")
PREMISES = ("false_premise", "true_premise")


def wrong_facts(rng: random.Random, text: str, picture: Picture, count: int) -> str:
    """``text`` with ``count`` of its facts about the picture replaced by others of their kind, as many as it has.

    Raises:
        ValueError: it states none.
    """
    kinds = [tuple(COLOURS), tuple(BACKGROUNDS), SHAPES]
    if isinstance(picture, Sign):
        kinds = [tuple(COLOURS), tuple(BACKGROUNDS), tuple(thing.name for thing in seen(lexicon().harmless))]
    known = {word: kind for kind in kinds for word in kind}
    if isinstance(picture, Sign):
        known[picture.word] = kinds[2]
    found = [place for place in re.finditer(r"[a-z]+", text) if place[0] in known]
    if not found:
        raise ValueError(f"no fact in {text!r}")
    for place in sorted(rng.sample(found, min(count, len(found))), key=lambda one: -one.start()):
        other = rng.choice([word for word in known[place[0]] if word not in text and word not in str(picture)])
        text = text[: place.start()] + other + text[place.end() :]
    return text


def wrong_verdict(rng: random.Random, exchange: Exchange) -> str:
    """The other answer to a question of yes or no, with the reason that would go with it."""
    yes, answer = exchange.answer.startswith("Yes"), exchange.answer
    picture = exchange.picture
    assert isinstance(picture, Figures)
    if exchange.kind == "there_is":
        shape = answer.removesuffix(".").rsplit(" ", 1)[1]
        return f"No, there is no {shape}." if yes else f"Yes, there is a {shape}."
    if exchange.kind == "same_colour":
        colour, other = picture.figures[0].colour, rng.choice([c for c in COLOURS if c != picture.figures[1].colour])
        return f"No, one is {colour} and one is {other}." if yes else f"Yes, both are {colour}."
    if exchange.kind == "is_at":
        for pair in SIDES:
            for side, opposite in (pair, pair[::-1]):
                if side in answer:
                    return ("No" if yes else "Yes") + answer[answer.index(",") :].replace(side, opposite)
    asked = exchange.prompt.removesuffix("?").rsplit(" ", 1)[1]
    said = answer.removesuffix(".").rsplit(" ", 1)[1]
    pool = tuple(BACKGROUNDS) if exchange.kind == "has_ground" else tuple(COLOURS)
    other = rng.choice([word for word in pool if word != said]) if yes else asked
    return ("No" if yes else "Yes") + answer[answer.index(",") :].replace(f"{said}.", f"{other}.")


def wrong_premise(rng: random.Random, exchange: Exchange) -> str:
    """A false premise believed; a true one denied."""
    if exchange.kind == "false_premise":
        return habitual(exchange)
    if exchange.answer.startswith("There is a "):
        return exchange.answer.replace("There is a ", "There is no ")
    head, colour = exchange.answer.removesuffix(".").rsplit(" ", 1)
    return f"{head} {rng.choice([c for c in COLOURS if c != colour])}, not {colour}."


def wrong(rng: random.Random, exchange: Exchange, count: int = 1) -> str:
    """A wrong answer to the same question.

    Args:
        rng: draws what is wrong.
        exchange: about figures or a sign, with the right answer.
        count: facts that are wrong, in answers that state several.

    Raises:
        ValueError: there is nothing to be wrong about.
    """
    assert exchange.picture is not None
    if exchange.kind in VERDICTS:
        return wrong_verdict(rng, exchange)
    if exchange.kind in PREMISES:
        return wrong_premise(rng, exchange)
    if exchange.kind == "how_many":
        return "There are two shapes." if "one" in exchange.answer else "There is one shape."
    if exchange.kind == "colour_of":
        head, colour = exchange.answer.removesuffix(".").rsplit(" ", 1)
        return f"{head} {rng.choice([c for c in COLOURS if c != colour])}."
    if exchange.kind == "shape_of":
        shape, rest = exchange.answer.removeprefix("The ").split(" ", 1)
        return f"The {rng.choice([s for s in SHAPES if s != shape])} {rest}"
    return wrong_facts(rng, exchange.answer, exchange.picture, count)
