"""VLGuard's official files and its official conversion."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_builders.rows import rows_of
from data_builders.sources.base import Problem
from data_builders.sources.vlguard import VLGuard, official_rows
from resa.artifacts import canonical_json
from resa.types import Conversation


def conversations(root: Path) -> list[Conversation]:
    found = list(VLGuard().read(root))
    assert not [record for record in found if isinstance(record, Problem)]
    return [record for record in found if isinstance(record, Conversation)]


def test_every_record_is_one_dialogue_even_where_the_release_repeats_an_id(vlguard: Path) -> None:
    found = conversations(vlguard)
    assert len(found) == len({c.id for c in found}) == 8
    assert len({c.meta["official_id"] for c in found}) == 7
    assert [len(c.turns) for c in found] == [2, 4] * 4
    assert all(len(c.turns[0].images) == 1 for c in found[::2])
    assert all(not turn.images for c in found for turn in c.turns[1:])


def test_labels_follow_the_instructions_through_the_shuffle(vlguard: Path) -> None:
    for dialogue in conversations(vlguard):
        asked = [turn.text for turn in dialogue.turns if turn.role == "user"]
        expected = ["benign" if "colour" in text else "harmful" for text in asked]
        assert dialogue.meta["labels"] == expected


def test_each_turn_becomes_a_row_with_history_or_a_row_alone(vlguard: Path) -> None:
    dialogue = conversations(vlguard)[1]
    first, second = rows_of(dialogue, "safety", "each")
    assert len(first.prompt) == 1
    assert [turn.role for turn in second.prompt] == ["user", "assistant", "user"]
    assert second.prompt[1].text == first.completion
    assert second.images == first.images
    alone = list(rows_of(dialogue, "safety", "alone"))
    assert [len(row.prompt) for row in alone] == [1, 1]
    assert all(len(row.prompt[0].images) == 1 for row in alone)
    assert {row.label for row in alone} == {"benign", "harmful"}


def test_the_conversion_draws_the_order_as_the_official_one_does() -> None:
    """Of 977 safe pictures, seed 0 puts the safe instruction first 484 times (parity/vlguard_convert.json)."""
    both = [{"safe_instruction": "s", "response": "a"}, {"unsafe_instruction": "u", "response": "b"}]
    records = [{"id": "x", "image": "x.png", "instr-resp": both}] * 977
    first = Counter(row["conversations"][0]["value"] for row in official_rows(records))
    assert first == {"<image>s": 484, "<image>u": 493}
    assert [s["value"] for s in official_rows(records)[0]["conversations"]][1::2] in (["a", "b"], ["b", "a"])


def test_the_dialogues_are_the_conversion_row_for_row(vlguard: Path) -> None:
    rows = official_rows(json.loads((vlguard / "train.json").read_text()))
    for row, dialogue in zip(rows, conversations(vlguard), strict=True):
        said = [say["value"] for say in row["conversations"]]
        assert said[0] == f"<image>{dialogue.turns[0].text}"
        assert said[1:] == [turn.text for turn in dialogue.turns[1:]]


def test_the_official_train_json_gives_the_official_rows(real: Callable[..., Path]) -> None:
    """Needs the release's own train.json, which is gated: VLGUARD_TRAIN_JSON names it."""
    if "VLGUARD_TRAIN_JSON" not in os.environ:
        pytest.skip("the official train.json is gated; set VLGUARD_TRAIN_JSON to it")
    wanted = json.loads(real("parity", "vlguard_convert.json").read_text())["cases"][0]["outputs"]
    records = json.loads(Path(os.environ["VLGUARD_TRAIN_JSON"]).read_text())
    rows = official_rows(records)
    assert len(rows) == wanted["counts"]["rows"]
    assert sum(len(row["conversations"]) for row in rows) == 2 * wanted["counts"]["turn_pairs"]
    assert hashlib.sha256(canonical_json(rows).encode()).hexdigest() == wanted["sha256_all_rows_canonical"]


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "x", "image": "a.png"},
        {"id": "x", "image": "a.png", "instr-resp": []},
        {"id": "x", "image": "a.png", "instr-resp": [{"instruction": "q"}]},
        {"id": "x", "image": "a.png", "instr-resp": [{"instruction": " ", "response": "a"}]},
        {"id": "x", "image": None, "instr-resp": [{"instruction": "q", "response": "a"}]},
        {"id": "x", "image": "a.png", "instr-resp": [{"instruction": 3, "response": "a"}]},
        {"image": "a.png", "instr-resp": [{"instruction": "q", "response": "a"}]},
        {"id": "x", "image": "a.png", "instr-resp": ["q"]},
    ],
)
def test_a_malformed_record_is_a_problem_with_file_and_row(vlguard: Path, broken: dict[str, Any]) -> None:
    good = json.loads((vlguard / "train.json").read_text())
    (vlguard / "train.json").write_text(json.dumps([good[0], broken, good[1]]))
    first, problem, second = VLGuard().read(vlguard)
    assert isinstance(first, Conversation)
    assert isinstance(second, Conversation)
    assert isinstance(problem, Problem)
    assert str(problem).startswith(f"{vlguard / 'train.json'}, row 1: ")


def test_the_shuffle_is_drawn_once_a_safe_picture() -> None:
    """Single-instruction records draw nothing, or every later order would differ from the official one."""
    both = [{"safe_instruction": "s", "response": "a"}, {"unsafe_instruction": "u", "response": "b"}]
    single: dict[str, Any] = {"id": "x", "image": "x", "instr-resp": [{"instruction": "i", "response": "r"}]}
    double: dict[str, Any] = {"id": "x", "image": "x", "instr-resp": both}
    rng = random.Random(0)
    orders = []
    for _ in range(20):
        order = list(both)
        rng.shuffle(order)
        orders.append(order[0]["response"])
    rows = official_rows([single, double] * 20)[1::2]
    assert [row["conversations"][1]["value"] for row in rows] == orders
