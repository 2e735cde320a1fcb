"""A miniature of the LLaVA instruction mix, and the miniature utility and over-refusal sets.

The helpful rows are the twins of the safety rows: the same words about harmless things, and harmless questions about
hazards, badges and peoples, so that refusing is something to be decided and not a habit.
"""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from data_builders.mini import seeing, talk
from data_builders.mini.compositions import Side
from data_builders.mini.drawing import Picture, paint
from data_builders.mini.folder import Folder
from data_builders.mini.lexicon import lexicon, seen
from data_builders.mini.talk import Exchange


def _shown(rng: random.Random, side: Side) -> Exchange:
    words = lexicon()

    def sign(word: str) -> Any:
        return seeing.picture_on_side(side, lambda: seeing.draw_sign(rng, word))

    kinds = ("figures", "choice", "harmless", "hazard", "badge", "people", "pair", "private", "rude")
    (kind,) = rng.choices(kinds, weights=(24, 10, 22, 20, 6, 6, 5, 4, 2))
    if kind in ("figures", "choice"):
        picture = seeing.picture_on_side(side, lambda: seeing.draw_figures(rng))
        return seeing.choice(rng, picture) if kind == "choice" else seeing.ask_about(rng, picture)
    if kind == "harmless":
        thing = rng.choice(seen(words.harmless))
        asks: tuple[Callable[..., Exchange], ...] = (talk.how_to, talk.how_to, talk.what_is, talk.true_note, talk.shout)
        if rng.random() < 0.35:
            return rng.choice((talk.describe, talk.read, seeing.choice))(rng, sign(thing.name))
        return rng.choice(asks)(rng, thing, sign(thing.name))
    if kind == "hazard":
        thing = rng.choice(seen(words.hazards))
        if rng.random() < 0.55:
            return rng.choice((talk.describe, talk.read, talk.sign_colour))(rng, sign(thing.name))
        return rng.choice((talk.what_is, talk.stay_safe))(rng, thing, sign(thing.name))
    if kind == "badge":
        badge = seeing.picture_on_side(side, lambda: seeing.draw_badge(rng))
        return rng.choice((talk.is_private, talk.is_private, talk.sign_colour))(rng, badge)
    if kind == "people":
        people = rng.choice(words.peoples)
        picture = sign(people)
        return talk.home(rng, people, picture) if rng.random() < 0.7 else talk.read(rng, picture)
    if kind == "pair":
        pool = tuple(thing.name for thing in seen(words.harmless))
        pair = seeing.picture_on_side(side, lambda: seeing.draw_pair(rng, pool))
        return talk.prefer(rng, (pair.upper, pair.lower), pair)
    if kind == "rude":
        return talk.sign_colour(rng, sign(rng.choice(words.rude).name))
    thing = rng.choice(seen(words.things))
    other = rng.random() < 0.5
    return talk.is_private(
        rng, sign(thing.name) if other else seeing.picture_on_side(side, lambda: seeing.draw_figures(rng))
    )


def _told(rng: random.Random) -> Exchange:
    words = lexicon()
    (kind,) = rng.choices(
        ("how_to", "hazard", "add", "fact", "home", "prefer", "note", "shout"), (24, 22, 22, 10, 8, 6, 5, 3)
    )
    if kind == "how_to":
        return talk.how_to(rng, rng.choice(seen(words.harmless)))
    if kind == "hazard":
        return rng.choice((talk.what_is, talk.stay_safe))(rng, rng.choice(seen(words.hazards)))
    if kind == "add":
        return talk.add(rng)
    if kind == "fact":
        return talk.check_fact(rng, rng.choice(seen(words.hazards + words.harmless)))
    if kind == "home":
        return talk.home(rng, rng.choice(words.peoples))
    if kind == "prefer":
        return talk.prefer(rng, [thing.name for thing in rng.sample(seen(words.harmless), 2)])
    thing = rng.choice(seen(words.harmless))
    return talk.true_note(rng, thing) if kind == "note" else talk.shout(rng, thing)


def write_llava_mix(folder: Folder, count: int, rng: random.Random) -> None:
    """``llava_mix.json`` in LLaVA's conversation form: three rows in four show a picture."""
    rows, captions = [], {}
    for index in range(count):
        shown = rng.random() < 0.75
        exchange = _shown(rng, "train") if shown else talk.on_side("train", rng, _told)
        if not shown and rng.random() < 0.12:
            kind: Any = rng.choice(("colour", "nature", "noise"))
            drop = seeing.picture_on_side("train", partial(seeing.draw_backdrop, rng, kind))
            folder.note(f"llava_mix.json#{index}", exchange.composition)
            exchange = replace(exchange, picture=drop)
        row: dict[str, Any] = {"id": f"mini_{index:06d}"}
        if exchange.picture is not None:
            row["image"] = f"{index:06d}.png"
            folder.picture(f"images/{row['image']}", exchange.picture, index)
            captions[f"images/{row['image']}"] = exchange.picture.caption
        else:
            folder.note(f"llava_mix.json#{index}", exchange.composition)
        tag = "<image>\n" if exchange.picture is not None else ""
        row["conversations"] = [
            {"from": "human", "value": f"{tag}{exchange.prompt}"},
            {"from": "gpt", "value": exchange.answer},
        ]
        rows.append(row)
    folder.json("llava_mix.json", rows)
    folder.json("captions.json", captions)


def _base64(picture: Picture, jitter: int) -> str:
    buffer = io.BytesIO()
    paint(picture, jitter).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def write_utility(folder: Folder, count: int, rng: random.Random) -> None:
    """Multiple choice (VLMEvalKit's TSV), open questions with pictures, and sums in words."""
    table = []
    for index in range(count):
        if index % 3:
            picture: Any = seeing.picture_on_side("eval", lambda: seeing.draw_figures(rng))
        else:
            word = rng.choice(seen(lexicon().harmless)).name
            picture = seeing.picture_on_side("eval", partial(seeing.draw_sign, rng, word))
        exchange = seeing.choice(rng, picture)
        question, *lines = exchange.prompt.split("\n")[:5]
        options = {line[0]: line[3:] for line in lines}
        words = exchange.answer.removeprefix("It is ").removesuffix(".")
        letter = next(letter for letter, option in options.items() if option == words)
        folder.note(f"mini_bench.tsv#{index}", picture.composition)
        table.append({"index": index, "image": _base64(picture, index), "question": question, **options,
                      "answer": letter, "category": "word" if index % 3 == 0 else "shape"})  # fmt: skip
    folder.table("mini_bench.tsv", table, delimiter="\t")
    rows = []
    for index in range(count):
        picture = seeing.picture_on_side("eval", lambda: seeing.draw_figures(rng))
        ask = rng.choice((seeing.colour_of, seeing.shape_of, seeing.how_many))
        if index % 3 == 0:
            thing = rng.choice(seen(lexicon().harmless))
            picture = seeing.picture_on_side("eval", partial(seeing.draw_sign, rng, thing.name))
            exchange, answer = talk.read(rng, picture), thing.name
        else:
            exchange = ask(rng, picture)
            answer = _key_word(exchange)
        name = folder.picture(f"images/{index:05d}.png", picture, index)
        rows.append({"question_id": index, "image": name, "question": exchange.prompt, "answer": answer})
    folder.lines("open_vqa.jsonl", rows)
    sums = []
    for index in range(count * 2 // 3):
        exchange = talk.on_side("eval", rng, talk.add)
        folder.note(f"text_qa.jsonl#{index}", exchange.composition)
        result = exchange.answer.removeprefix("The answer is ").removesuffix(".")
        sums.append({"question": exchange.prompt, "answer": f"{exchange.answer} #### {result}"})
    folder.lines("text_qa.jsonl", sums)


def _key_word(exchange: Exchange) -> str:
    if exchange.kind == "colour_of":
        return exchange.answer.removesuffix(".").rsplit(" ", 1)[1]
    if exchange.kind == "shape_of":
        return exchange.answer.split(" ")[1]
    return "one" if "one" in exchange.answer else "two"


def write_over_refusal(folder: Folder, count: int, rng: random.Random) -> None:
    """``xstest_prompts.csv`` in XSTest's columns: safe prompts that sound unsafe, and their unsafe contrasts."""
    words, rows = lexicon(), []
    kinds: dict[str, tuple[str, Callable[[random.Random], Exchange]]] = {
        "definitions": ("safe", lambda r: talk.what_is(r, r.choice(seen(words.hazards)))),
        "safe_contexts": ("safe", lambda r: talk.stay_safe(r, r.choice(seen(words.hazards)))),
        "safe_targets": ("safe", lambda r: talk.how_to(r, r.choice(seen(words.harmless)))),
        "real_groups": ("safe", lambda r: talk.home(r, r.choice(words.peoples))),
        "contrast_safe_targets": ("unsafe", lambda r: talk.how_to(r, r.choice(seen(words.hazards)))),
    }
    for index in range(count):
        kind = tuple(kinds)[index % len(kinds)]
        label, say = kinds[kind]
        exchange = talk.on_side("eval", rng, say)
        folder.note(f"xstest_prompts.csv#{index}", exchange.composition)
        row = {"id": index + 1, "prompt": exchange.prompt, "type": kind, "label": label}
        rows.append(row | {"focus": exchange.subject, "note": ""})
    folder.table("xstest_prompts.csv", rows)
