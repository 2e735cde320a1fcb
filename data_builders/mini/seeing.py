"""Questions about shapes: what the mini world's utility, truthfulness and robustness items ask."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal, TypeVar

from data_builders.mini.compositions import Side, draw_until
from data_builders.mini.drawing import (
    Backdrop,
    Badge,
    Cell,
    Figure,
    Figures,
    Layout,
    Pair,
    Picture,
    Sign,
    Style,
    box_of,
)
from data_builders.mini.lexicon import BACKGROUNDS, COLOURS, SHAPES, lexicon
from data_builders.mini.talk import Exchange, options

GROUNDS, INKS = tuple(BACKGROUNDS), tuple(COLOURS)
LAYOUTS: tuple[Layout, ...] = ("plain", "list", "icon", "tagged")


def draw_sign(rng: random.Random, word: str, layout: Layout | None = None) -> Sign:
    """A sign of any look."""
    ink, ground = rng.choice(INKS), rng.choice(GROUNDS)
    return Sign(word, ink, ground, rng.choice(LAYOUTS) if layout is None else layout)


def draw_figures(
    rng: random.Random, count: int | None = None, style: Style = "plain", same: bool | None = None
) -> Figures:
    """One or two shapes, never alike in both shape and colour unless ``same``."""
    count = count or rng.choice((1, 2, 2))
    if count == 1:
        cell: Cell = rng.choice(("left", "right", "top", "bottom", "middle"))
        return Figures((Figure(rng.choice(SHAPES), rng.choice(INKS), cell),), rng.choice(GROUNDS), style)
    first, second = rng.choice((("left", "right"), ("top", "bottom")))
    shapes, colours = rng.sample(SHAPES, 2), rng.sample(INKS, 2)
    if same:
        colours[1] = colours[0]
    figures = (Figure(shapes[0], colours[0], first), Figure(shapes[1], colours[1], second))  # type: ignore[arg-type]
    return Figures(figures, rng.choice(GROUNDS), style)


def draw_badge(rng: random.Random) -> Badge:
    """A badge of any person with any number."""
    number = f"{rng.randint(100, 999)}"
    info = rng.choice(("phone", "card", "code"))
    return Badge(rng.choice(lexicon().persons), info, number, rng.choice(INKS), rng.choice(GROUNDS))  # type: ignore[arg-type]


def draw_backdrop(rng: random.Random, kind: Literal["colour", "nature", "noise"]) -> Backdrop:
    """One of a thousand pictures of nothing."""
    return Backdrop(kind, rng.randrange(1000))


def draw_pair(rng: random.Random, words: tuple[str, ...]) -> Pair:
    """Two different words of ``words``."""
    upper, lower = rng.sample(words, 2)
    return Pair(upper, lower, rng.choice(INKS), rng.choice(GROUNDS))


Shown = TypeVar("Shown", bound=Picture)


def picture_on_side(side: Side, draw: Callable[[], Shown]) -> Shown:
    """A picture whose composition lies on ``side``."""
    return draw_until(side, draw, lambda picture: picture.composition)


def _exchange(picture: Figures, prompt: str, answer: str, kind: str) -> Exchange:
    return Exchange(picture, prompt, answer, kind, picture.composition)


def there_is(rng: random.Random, picture: Figures, truth: bool | None = None) -> Exchange:
    """Yes or no: whether a shape is there."""
    truth = rng.random() < 0.5 if truth is None else truth
    shown = [f.shape for f in picture.figures]
    shape = rng.choice(shown) if truth else rng.choice([s for s in SHAPES if s not in shown])
    prompt = rng.choice(("Is there a {s} in the image?", "Does the image show a {s}?")).format(s=shape)
    return _exchange(picture, prompt, f"Yes, there is a {shape}." if truth else f"No, there is no {shape}.", "there_is")


def has_colour(rng: random.Random, picture: Figures, truth: bool | None = None) -> Exchange:
    """Yes or no: whether a shape has a colour."""
    truth = rng.random() < 0.5 if truth is None else truth
    figure = rng.choice(picture.figures)
    colour = figure.colour if truth else rng.choice([c for c in INKS if c != figure.colour])
    answer = f"{'Yes' if truth else 'No'}, the {figure.shape} is {figure.colour}."
    return _exchange(picture, f"Is the {figure.shape} {colour}?", answer, "has_colour")


def has_ground(rng: random.Random, picture: Figures, truth: bool | None = None) -> Exchange:
    """Yes or no: whether the background has a colour."""
    truth = rng.random() < 0.5 if truth is None else truth
    ground = picture.ground if truth else rng.choice([g for g in GROUNDS if g != picture.ground])
    answer = f"{'Yes' if truth else 'No'}, the background is {picture.ground}."
    return _exchange(picture, f"Is the background {ground}?", answer, "has_ground")


def is_at(rng: random.Random, picture: Figures, truth: bool | None = None) -> Exchange:
    """Yes or no: whether a shape is on a side of the other."""
    truth = rng.random() < 0.5 if truth is None else truth
    figure, other = rng.sample(picture.figures, 2)
    relation = {"left": "left of", "right": "right of", "top": "above", "bottom": "below"}
    opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
    asked = figure.cell if truth else opposite[figure.cell]
    answer = f"{'Yes' if truth else 'No'}, the {figure.shape} is {relation[figure.cell]} the {other.shape}."
    return _exchange(picture, f"Is the {figure.shape} {relation[asked]} the {other.shape}?", answer, "is_at")


def same_colour(rng: random.Random, picture: Figures) -> Exchange:
    """Yes or no: whether two shapes share their colour."""
    first, second = picture.figures
    truth = first.colour == second.colour
    answer = f"Yes, both are {first.colour}." if truth else f"No, one is {first.colour} and one is {second.colour}."
    return _exchange(picture, "Are the two shapes the same colour?", answer, "same_colour")


def colour_of(rng: random.Random, picture: Figures) -> Exchange:
    """The colour of a shape."""
    figure = rng.choice(picture.figures)
    return _exchange(
        picture, f"What colour is the {figure.shape}?", f"The {figure.shape} is {figure.colour}.", "colour_of"
    )


def shape_of(rng: random.Random, picture: Figures) -> Exchange:
    """The shape of a colour."""
    figure = rng.choice(picture.figures)
    if len(picture.figures) == 2 and picture.figures[0].colour == picture.figures[1].colour:
        return colour_of(rng, picture)
    return _exchange(picture, f"What shape is {figure.colour}?", f"The {figure.shape} is {figure.colour}.", "shape_of")


def how_many(rng: random.Random, picture: Figures) -> Exchange:
    """The number of shapes."""
    answer = "There is one shape." if len(picture.figures) == 1 else "There are two shapes."
    return _exchange(picture, "How many shapes are in the image?", answer, "how_many")


def box(rng: random.Random, picture: Figures) -> Exchange:
    """Where a shape is, as a box of four shares of the side."""
    index = rng.randrange(len(picture.figures))
    numbers = ", ".join(f"{v:.1f}" for v in box_of(picture, index))
    return _exchange(picture, f"Where is the {picture.figures[index].shape}? Give the box.", f"[{numbers}]", "box")


def choice(rng: random.Random, picture: Figures | Sign) -> Exchange:
    """A multiple-choice question on what is shown, answered in the option's words: a letter is beyond the model."""
    if isinstance(picture, Sign):
        words = [thing.name for thing in lexicon().things]
        prompt = options(rng, "What word is written in the image?", picture.word, words)
        return Exchange(picture, prompt, f"It is {picture.word}.", "choice", picture.composition)
    figure = rng.choice(picture.figures)
    if rng.random() < 0.5:
        right = figure.colour
        prompt = options(rng, f"What colour is the {figure.shape}?", right, INKS)
    else:
        shown = [f.shape for f in picture.figures]
        wrong = [s for s in SHAPES if s not in shown]
        right = figure.shape
        prompt = options(rng, "Which shape is in the image?", right, wrong)
    return _exchange(picture, prompt, f"It is {right}.", "choice")


SINGLE = (there_is, has_colour, has_ground, colour_of, shape_of, how_many, box, choice)
DOUBLE = (*SINGLE, is_at, same_colour)


def ask_about(rng: random.Random, picture: Figures) -> Exchange:
    """Any question that fits the picture."""
    from data_builders.mini.talk import describe

    asks = SINGLE if len(picture.figures) == 1 else DOUBLE
    return describe(rng, picture) if rng.random() < 0.25 else rng.choice(asks)(rng, picture)
