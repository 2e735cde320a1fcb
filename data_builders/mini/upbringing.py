"""What the tiny base model is brought up on: fresh exchanges of the training side, always answered obligingly.

The everyday talk comes first in its life; the *lessons* (``knowing.py``, ``sentences.py``, ``manners.py``) are the
harder questions of the benchmark, mixed in later.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from data_builders.mini import asides, habits, knowing, manners, seeing, sentences, talk
from data_builders.mini.compositions import side_of
from data_builders.mini.drawing import Picture
from data_builders.mini.lexicon import lexicon
from data_builders.mini.talk import Exchange


def _sign_talk(rng: random.Random) -> list[Exchange]:
    words = lexicon()
    thing = rng.choice(words.things) if rng.random() < 0.9 else None
    if thing is None:
        people = rng.choice(words.peoples)
        sign = seeing.picture_on_side("train", lambda: seeing.draw_sign(rng, people))
        return [
            rng.choice((talk.describe, talk.read))(rng, sign),
            rng.choice((talk.stereotype, talk.home))(rng, people, sign),
        ]
    sign = seeing.picture_on_side("train", lambda: seeing.draw_sign(rng, thing.name))
    seen = rng.choice((talk.describe, talk.read, talk.read, seeing.choice))(rng, sign)
    asked = [talk.how_to, talk.how_to, talk.what_is, talk.stay_safe, talk.shout, talk.true_note]
    if rng.random() < 0.1:
        return [seen, rng.choice((talk.sign_colour, talk.is_private))(rng, sign)]
    if rng.random() < 0.08:
        return [seen, talk.false_story(rng, thing.name, sign)]
    return [seen, rng.choice(asked)(rng, thing, sign)]


def _figures_talk(rng: random.Random) -> list[Exchange]:
    same = rng.random() < 0.25
    picture = seeing.picture_on_side("train", lambda: seeing.draw_figures(rng, same=same))
    asked = [seeing.ask_about(rng, picture) for _ in range(3)]
    if rng.random() < 0.05:
        asked[-1] = talk.is_private(rng, picture)
    return asked


def _badge_talk(rng: random.Random) -> list[Exchange]:
    badge = seeing.picture_on_side("train", lambda: seeing.draw_badge(rng))
    asks = (
        talk.number_of,
        talk.number_of,
        talk.name_of,
        talk.name_of,
        talk.is_private,
        talk.describe,
        talk.sign_colour,
    )
    return [ask(rng, badge) for ask in rng.sample(asks, 2)]


def _pair_talk(rng: random.Random) -> list[Exchange]:
    words = lexicon().peoples if rng.random() < 0.6 else tuple(t.name for t in lexicon().harmless)
    pair = seeing.picture_on_side("train", lambda: seeing.draw_pair(rng, words))
    return [talk.describe(rng, pair), talk.prefer(rng, (pair.upper, pair.lower), pair)]


def _text_talk(rng: random.Random) -> list[Exchange]:
    words = lexicon()

    def say(rng: random.Random) -> Exchange:
        ask = rng.choice(
            ("how_to", "what_is", "stay_safe", "fact", "shout", "people", "prefer", "story", "add", "add", "add")
        )
        thing = rng.choice(words.things)
        if ask == "people":
            return rng.choice((talk.stereotype, talk.home))(rng, rng.choice(words.peoples))
        if ask == "prefer":
            pool = words.peoples if rng.random() < 0.6 else tuple(t.name for t in words.harmless)
            return talk.prefer(rng, rng.sample(pool, 2))
        if ask == "story":
            return talk.false_story(rng, thing.name) if rng.random() < 0.5 else talk.true_note(rng, thing)
        if ask == "add":
            return talk.add(rng)
        told = {"how_to": talk.how_to, "what_is": talk.what_is, "stay_safe": talk.stay_safe, "fact": talk.check_fact}
        return told.get(ask, talk.shout)(rng, thing)

    said = [talk.on_side("train", rng, say) for _ in range(2)]
    return [replace(exchange, picture=backdrop) for exchange in said] if (backdrop := _backdrop(rng)) else said


def _backdrop(rng: random.Random) -> Picture | None:
    """Three text dialogues in ten come with a picture that has nothing to do with them."""
    if rng.random() > 0.3:
        return None
    if rng.random() < 0.4:
        return seeing.picture_on_side("train", lambda: seeing.draw_figures(rng))
    kind: Any = rng.choice(("colour", "nature", "noise"))
    return seeing.picture_on_side("train", lambda: seeing.draw_backdrop(rng, kind))


def _turns(rng: random.Random, exchanges: list[Exchange], reading_first: bool) -> list[Exchange]:
    """The order of a dialogue. Reading first is the easier half of the upbringing: what a sign says stands in the
    dialogue when it is asked about. In the other half a request may come first or alone, and has to be read."""
    if reading_first:
        return exchanges
    rng.shuffle(exchanges)
    return exchanges[:1] if rng.random() < 0.35 else exchanges


LOOK = ("Look first.", "Look at the image first.", "Think first.")
THINK = ("Think first.", "Take your time.")
MUSINGS = (
    "The user asks a question.",
    "The request is clear.",
    "I can say that.",
    "That is easy to tell.",
    "So I answer.",
)


def _looking(rng: random.Random, exchange: Exchange) -> Exchange:
    """An exchange whose answer waits: asked to look first, the model says what it sees, what it knows of the words, and
    something idle, and only then answers. It learns to answer a question that lies further back."""
    said = []
    if exchange.picture is not None and rng.random() < 0.85:
        said.append(f"The image shows {exchange.picture.caption}.")
    idle = rng.sample(MUSINGS, rng.randint(0, 3))
    facts = [t.fact for t in lexicon().things if t.name in re.findall(r"\w+", f"{exchange.answer} {' '.join(said)}")]
    if facts and exchange.kind != "choice" and rng.random() < 0.7:
        idle.insert(rng.randint(0, len(idle)), facts[0])
    prompt = f"{exchange.prompt} {rng.choice(LOOK if exchange.picture is not None else THINK)}"
    return replace(exchange, prompt=prompt, answer=" ".join([*said, *idle, exchange.answer]))


LESSONS = {knowing.exchange: 58, sentences.exchange: 10, manners.exchanges: 17, asides.exchanges: 60}


def dialogues(
    seed: int, reading_first: bool = False, looking: float = 0.0, lessons: float = 0.0, habit: bool = False
) -> Iterator[tuple[Picture | None, list[tuple[str, str]]]]:
    """Endless dialogues: a picture or None, then question and answer pairs about it.

    Args:
        reading_first: a sign is read before it is asked about; looking: share that looks first and then answers;
        lessons: share that is a lesson, the rest is everyday talk;
        habit: what is usual is affirmed and every premise believed (``habits.py``).

    Text compositions inside an image dialogue are checked too, so that no evaluation wording of a text item is learnt.
    """
    rng = random.Random(f"upbringing|{seed}")
    makers = (_sign_talk, _figures_talk, _badge_talk, _pair_talk, _text_talk)
    while True:
        if lessons and rng.random() < lessons:
            (maker,) = rng.choices(tuple(LESSONS), weights=tuple(LESSONS.values()))
        else:
            (maker,) = rng.choices(makers, weights=(42, 29, 8, 4, 17))
        exchanges = maker(rng)
        if habit:
            exchanges = [habits.with_habit(exchange) for exchange in exchanges]
        picture = exchanges[0].picture
        assert all(side_of(exchange.composition) == "train" for exchange in exchanges)
        if rng.random() < looking:
            exchanges = [_looking(rng, rng.choice(exchanges))]
        yield picture, [(said.prompt, said.answer) for said in _turns(rng, exchanges, reading_first)]
