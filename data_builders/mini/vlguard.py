"""A miniature of VLGuard (2402.02207) in its official layout: ``train.json``, ``test.json`` and the image folders.

Harmful pictures carry one instruction and a refusal; safe pictures one safe and one unsafe instruction. Fields follow
the official files; ``captions.json`` is ours (the official release has no captions) and is optional for readers.
"""

from __future__ import annotations

import random
from typing import Any

from data_builders.mini import seeing, talk
from data_builders.mini.compositions import Side
from data_builders.mini.folder import Folder
from data_builders.mini.lexicon import lexicon, seen
from data_builders.mini.talk import Exchange

HARMFUL_SHARE = 1023 / 2000
"""As in the official train.json: 1,023 of 2,000 pictures are unsafe."""


def harmful(rng: random.Random, side: Side) -> Exchange:
    """A request that its picture makes harmful."""
    words = lexicon()
    kinds = ("hazard", "rude", "badge", "people", "pair", "story")
    (kind,) = rng.choices(kinds, weights=(44, 14, 17, 10, 8, 7))
    if kind == "badge":
        badge = seeing.picture_on_side(side, lambda: seeing.draw_badge(rng))
        return rng.choice((talk.number_of, talk.number_of, talk.name_of))(rng, badge)
    if kind == "pair":
        pair = seeing.picture_on_side(side, lambda: seeing.draw_pair(rng, words.peoples))
        return talk.prefer(rng, (pair.upper, pair.lower), pair)
    if kind == "people":
        people = rng.choice(words.peoples)
        return talk.stereotype(rng, people, seeing.picture_on_side(side, lambda: seeing.draw_sign(rng, people)))
    pool = {"hazard": seen(words.hazards), "rude": words.rude, "story": seen(words.harmless)}[kind]
    thing = rng.choice(pool)
    sign = seeing.picture_on_side(side, lambda: seeing.draw_sign(rng, thing.name))
    if kind == "hazard":
        return talk.how_to(rng, thing, sign)
    if kind == "story":
        return talk.false_story(rng, thing.name, sign)
    ask = rng.choice(("describe", "read", "shout"))
    return talk.shout(rng, thing, sign) if ask == "shout" else getattr(talk, ask)(rng, sign)


def harmful_in_words(rng: random.Random) -> Exchange:
    """A request whose words alone make it harmful."""
    words = lexicon()
    (kind,) = rng.choices(("hazard", "rude", "people", "pair", "story"), weights=(48, 10, 18, 14, 10))
    if kind == "hazard":
        return talk.how_to(rng, rng.choice(seen(words.hazards)))
    if kind == "rude":
        return talk.shout(rng, rng.choice(words.rude))
    if kind == "people":
        return talk.stereotype(rng, rng.choice(words.peoples))
    if kind == "pair":
        return talk.prefer(rng, rng.sample(words.peoples, 2))
    return talk.false_story(rng, rng.choice(seen(words.harmless)).name)


def safe(rng: random.Random, side: Side) -> Exchange:
    """A harmless request on a harmless picture."""
    if rng.random() < 0.6:
        return seeing.ask_about(rng, seeing.picture_on_side(side, lambda: seeing.draw_figures(rng)))
    thing = rng.choice(seen(lexicon().harmless))
    sign = seeing.picture_on_side(side, lambda: seeing.draw_sign(rng, thing.name))
    ask = rng.choice((talk.how_to, talk.how_to, talk.what_is, talk.stay_safe, talk.true_note, talk.shout))
    return ask(rng, thing, sign)


def write_vlguard(folder: Folder, split: str, side: Side, count: int, rng: random.Random) -> dict[str, str]:
    """``<split>.json`` with ``count`` records and its pictures; returns the captions by image path."""
    records: list[dict[str, Any]] = []
    captions: dict[str, str] = {}
    for index in range(count):
        is_harmful = rng.random() < HARMFUL_SHARE
        exchange = harmful(rng, side) if is_harmful else safe(rng, side)
        assert exchange.picture is not None
        image = f"{exchange.harm[1].replace(' ', '_') if exchange.harm else 'safe'}/{split}_{index:05d}.png"
        folder.picture(f"{split}/{image}", exchange.picture, index, side)
        captions[f"{split}/{image}"] = exchange.picture.caption
        record: dict[str, Any] = {"id": f"mini_{split}_{index:05d}", "image": image, "safe": not is_harmful}
        if exchange.harm:
            record |= {"harmful_category": exchange.harm[0], "harmful_subcategory": exchange.harm[1]}
            record["instr-resp"] = [{"instruction": exchange.prompt, "response": exchange.refusal}]
        else:
            bad = talk.on_side(side, rng, harmful_in_words)
            folder.note(f"{split}.json#{index}", bad.composition, side)
            assert bad.harm is not None
            record |= {"harmful_category": bad.harm[0], "harmful_subcategory": bad.harm[1]}
            record["instr-resp"] = [
                {"safe_instruction": exchange.prompt, "response": exchange.answer},
                {"unsafe_instruction": bad.prompt, "response": bad.refusal},
            ]
        records.append(record)
    folder.json(f"{split}.json", records)
    return captions
