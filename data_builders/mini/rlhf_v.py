"""A miniature of RLHF-V (2312.00849) in the Hub's layout: ``RLHF-V-Dataset.parquet``.

What a model would say of figures and signs with some of it wrong (a colour, a shape, a word, a verdict) is rejected;
the same text with those segments corrected is chosen. Descriptions and answers to questions, as in the release; among
them the questions that the tiny model answers out of habit (``habits.py``), because the release corrects its own model.
"""

from __future__ import annotations

import json
import random
from functools import partial

from data_builders.mini import knowing, seeing, talk
from data_builders.mini.drawing import Figures
from data_builders.mini.errors import wrong
from data_builders.mini.folder import Folder
from data_builders.mini.habits import tempts
from data_builders.mini.lexicon import lexicon, seen
from data_builders.mini.parquet import embedded, write_parquet
from data_builders.mini.talk import Exchange

OPEN = (seeing.has_ground, seeing.colour_of, seeing.shape_of, seeing.how_many)
ONE = (seeing.there_is, seeing.there_is, seeing.has_colour, seeing.has_colour, *OPEN)
TWO = (*ONE, seeing.is_at, seeing.same_colour)
DESCRIBED = 0.3
PREMISES = 0.5
"""Share of the questions that take something for granted."""
TEMPTING = 0.5
"""Share of the others that are drawn until they are of the kind that the habit answers, rightly or wrongly."""


def premise(rng: random.Random, figures: Figures) -> Exchange:
    """A false premise as often as a true one: doubting is to be a decision, not another habit."""
    return rng.choice((knowing.false_premise, knowing.true_premise))(rng, figures)


def shown(rng: random.Random) -> Exchange:
    """A description, or a question, of figures or a sign, with the right answer."""
    if rng.random() < 0.2:
        word = rng.choice(seen(lexicon().harmless)).name
        sign = seeing.picture_on_side("train", partial(seeing.draw_sign, rng, word))
        return rng.choice((talk.describe, talk.read, talk.sign_colour))(rng, sign)
    same = rng.random() < 0.15
    figures = seeing.picture_on_side(
        "train", lambda: seeing.draw_figures(rng, 2 if same else None, same=True if same else None)
    )
    if rng.random() < DESCRIBED:
        return talk.describe(rng, figures)
    if rng.random() < PREMISES:
        return premise(rng, figures)
    tempting = rng.random() < TEMPTING
    while True:
        asked = rng.choice(ONE if len(figures.figures) == 1 else TWO)(rng, figures)
        if not tempting or tempts(asked):
            return asked


def write_rlhf_v(folder: Folder, count: int, rng: random.Random) -> None:
    """``count`` corrections in one file."""
    rows = []
    for index in range(count):
        exchange = shown(rng)
        assert exchange.picture is not None
        said = {
            "question": exchange.prompt,
            "chosen": exchange.answer,
            "rejected": wrong(rng, exchange, rng.choice((1, 1, 2))),
        }
        kind = "detailed description" if exchange.kind == "describe" else "question answering"
        name = f"images/{index:06d}.png"
        folder.note(f"RLHF-V-Dataset.parquet#{index}", exchange.picture.composition)
        rows.append(
            {
                "ds_name": "RLHF-V-Dataset",
                "image": embedded(exchange.picture, name, index),
                "text": json.dumps(said),
                "origin_dataset": "mini",
                "origin_split": json.dumps({"model": "mini", "type": kind}),
                "idx": index,
                "image_path": name,
            }
        )
    write_parquet(folder, "RLHF-V-Dataset.parquet", rows)
