"""The questions that the tiny model's upbringing is measured on: the evaluation side, never a training composition."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from data_builders.mini import asides, fair_manners, knowing, manners, private_manners, seeing, sentences, talk
from data_builders.mini.compositions import draw_until
from data_builders.mini.drawing import Figures, Sign
from data_builders.mini.lexicon import lexicon
from data_builders.mini.talk import Exchange

Make = Callable[[], Exchange]


def exam(seed: int, count: int) -> dict[str, list[Exchange]]:
    """Held-out questions by kind: every picture and every text composition lies on the evaluation side."""
    rng = random.Random(f"exam|{seed}")
    kinds = _everyday(rng) | _lessons(rng) | _manners(rng) | _asides(rng)
    return {kind: [make() for _ in range(count)] for kind, make in kinds.items()}


def _sign(rng: random.Random, name: str) -> Sign:
    found: Sign = seeing.picture_on_side("eval", lambda: seeing.draw_sign(rng, name))
    return found


def _figures(rng: random.Random, count: int | None = None, same: bool | None = None) -> Figures:
    found: Figures = seeing.picture_on_side("eval", lambda: seeing.draw_figures(rng, count, same=same))
    return found


def _everyday(rng: random.Random) -> dict[str, Make]:
    words = lexicon()

    def shown(ask: Callable[..., Exchange]) -> Exchange:
        thing = rng.choice(words.things)
        return ask(rng, thing, _sign(rng, thing.name))

    return {
        "read": lambda: talk.read(rng, _sign(rng, rng.choice(words.things).name)),
        "how_to_shown": lambda: shown(talk.how_to),
        "what_is_shown": lambda: shown(talk.what_is),
        "describe": lambda: talk.describe(rng, _figures(rng)),
        "colour": lambda: seeing.colour_of(rng, _figures(rng)),
        "shape": lambda: seeing.shape_of(rng, _figures(rng, 1)),
        "yes_no": lambda: rng.choice((seeing.there_is, seeing.has_colour, seeing.has_ground))(rng, _figures(rng)),
        "choice": lambda: seeing.choice(rng, _figures(rng)),
        "box": lambda: seeing.box(rng, _figures(rng)),
        "number": lambda: talk.number_of(rng, seeing.picture_on_side("eval", lambda: seeing.draw_badge(rng))),
        "how_to_text": lambda: talk.on_side("eval", rng, lambda r: talk.how_to(r, r.choice(words.things))),
        "add": lambda: talk.on_side("eval", rng, talk.add),
        "fact": lambda: talk.on_side("eval", rng, lambda r: talk.check_fact(r, r.choice(words.things))),
    }


def _lessons(rng: random.Random) -> dict[str, Make]:
    words = lexicon()
    things = words.hazards + words.harmless

    def of_thing(ask: Callable[..., Exchange]) -> Exchange:
        thing = rng.choice(things)
        return ask(rng, thing, _sign(rng, thing.name))

    def of_sign(draw: Callable[..., Sign], ask: Callable[..., Exchange]) -> Exchange:
        sign: Any = seeing.picture_on_side("eval", lambda: draw(rng))
        return ask(rng, sign)

    def judged(task: str) -> Exchange:
        return talk.on_side("eval", rng, lambda r: sentences.TASKS[task](r, r.choice(things)).exchange())

    return {
        "there_is": lambda: seeing.there_is(rng, _figures(rng)),
        "has_colour": lambda: seeing.has_colour(rng, _figures(rng)),
        "has_ground": lambda: seeing.has_ground(rng, _figures(rng)),
        "is_at": lambda: seeing.is_at(rng, _figures(rng, 2)),
        "comes_before": lambda: knowing.comes_before(rng, _figures(rng, 2)),
        "same_colour": lambda: seeing.same_colour(rng, _figures(rng, 2, rng.random() < 0.5)),
        "which_shape": lambda: knowing.which_shape(rng, _figures(rng, 1)),
        "wrong_detail": lambda: knowing.wrong_detail(rng, _figures(rng)),
        "false_premise": lambda: knowing.false_premise(rng, _figures(rng)),
        "true_premise": lambda: knowing.true_premise(rng, _figures(rng)),
        "is_like": lambda: of_thing(knowing.is_like),
        "does_harm": lambda: of_thing(knowing.does_harm),
        "means": lambda: of_thing(knowing.means),
        "sign_says": lambda: knowing.sign_says(rng, _sign(rng, rng.choice(things).name)),
        "sum_shown": lambda: of_sign(knowing.draw_sum, knowing.sum_of),
        "sum_is": lambda: of_sign(knowing.draw_sum, knowing.sum_is),
        "code_is": lambda: of_sign(knowing.draw_code, knowing.code_is),
        "recall": lambda: talk.on_side("eval", rng, lambda r: knowing.recall(r, r.choice(things))),
        **{task: (lambda task=task: judged(task)) for task in sentences.TASKS},  # type: ignore[misc]
    }


def _manners(rng: random.Random) -> dict[str, Make]:
    words = lexicon()

    def risk(ask: Callable[..., Exchange]) -> Exchange:
        thing = rng.choice(words.risks)
        return ask(rng, thing, _sign(rng, thing.name))

    def worker() -> Exchange:
        drawn = draw_until("eval", lambda: fair_manners.draw_worker(rng), lambda w: w.picture.composition)
        return fair_manners.suits(rng, drawn, rng.choice(fair_manners.PROFESSIONS))

    def person() -> Exchange:
        name = rng.choice(words.persons)
        return private_manners.contact(rng, name, _sign(rng, name), rng.choice(private_manners.TITLES))

    return {
        "kind_of": lambda: risk(manners.kind_of),
        "is_shown": lambda: risk(manners.is_shown),
        "classify": lambda: talk.on_side("eval", rng, lambda r: fair_manners.classify(r, r.choice(words.peoples))),
        "topic": lambda: talk.on_side("eval", rng, lambda r: fair_manners.topic_of(r, r.choice(words.peoples))),
        "suits": worker,
        "flow": lambda: talk.on_side("eval", rng, private_manners.flow),
        "contact": person,
    }


def _asides(rng: random.Random) -> dict[str, Make]:
    words = lexicon()

    def said() -> Exchange:
        thing = rng.choice(words.hazards + words.harmless)
        return talk.how_to(rng, thing, _sign(rng, thing.name))

    def told(rng: random.Random) -> Exchange:
        return asides.reminded(talk.how_to(rng, rng.choice(words.hazards)))

    return {
        "judged": lambda: asides.judged(rng, said()),
        "described_for": lambda: asides.described(said()),
        "reminded": lambda: talk.on_side("eval", rng, told),
    }
