"""ShareGPT conversations, through the YAML that names their fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from data_builders.sources.base import Problem
from data_builders.sources.jsonl import Jsonl
from resa.types import Conversation
from tests.data_builders.conftest import CHECKOUT


def sharegpt() -> Jsonl:
    with initialize_config_dir(str(CHECKOUT / "conf"), version_base="1.3"):
        config = compose(overrides=["+source@it=sharegpt"])
    found: Jsonl = instantiate(config["it"], _convert_="all")
    return found


def test_conversations_in_text_with_images_and_with_a_system_turn_are_read(tmp_path: Path) -> None:
    says = [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": "Hello."}]
    told: list[dict[str, Any]] = [{"from": "system", "value": "Be short."}, *says]
    shown = [{"from": "human", "value": "<image>And<image>?"}, {"from": "gpt", "value": "Two."}]
    broken = [{"from": "gpt", "value": "I go first."}, *says]  # as some of the real file's chunks are cut
    records = [
        {"id": "a_0", "conversations": says},
        {"id": "a_1", "conversations": told},
        {"id": "b_0", "conversations": shown, "images": ["1.png", "2.png"]},
        {"id": "c_0", "conversations": broken},
    ]
    (tmp_path / "sharegpt.json").write_text(json.dumps(records))
    *good, bad = sharegpt().read(tmp_path)
    assert [c.id for c in good if isinstance(c, Conversation)] == ["a_0", "a_1", "b_0"]
    assert [[turn.role for turn in c.turns] for c in good if isinstance(c, Conversation)] == [
        ["user", "assistant"],
        ["system", "user", "assistant"],
        ["user", "assistant"],
    ]
    assert isinstance(good[2], Conversation)
    assert good[2].images == (str(tmp_path / "images/1.png"), str(tmp_path / "images/2.png"))
    assert isinstance(bad, Problem)
    assert "alternate" in str(bad)
