"""The data card says what a reader must know before using or passing on a dataset."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from data_builders.card import card
from data_builders.recipe import Recipe
from resa.artifacts import Artifact

Build = Callable[..., Artifact]
RECIPE = Recipe("mine", {"a": {"source": None}})  # type: ignore[dict-item]
SOURCE = {"title": "S", "licence": "L", "citation": "C", "url": "U", "gated": False, "non_commercial": False}
CONTENTS = {
    "rows": 4,
    "sha256": "0" * 64,
    "sources": {"s": SOURCE, "t": {**SOURCE, "title": "T", "gated": True, "non_commercial": True}},
    "by_part": {"a (s)": 4},
    "by_label": {"benign": 3, "harmful": 1},
    "by_category_and_label": {"none": {"benign": 3}, "privacy | faces": {"harmful": 1}},
    "images_a_row": {"0": 4},
    "user_turns_a_row": {"1": 4},
    "thought_words": {},
    "answer_words": {"0-9": 3, "10-19": 1},
    "teacher": {"name": "openai", "brief": "ab" * 32, "policies": "cd" * 32},
    "funnel": [],
    "notes": [],
}


def test_terms_stand_before_everything_else() -> None:
    text = card(RECIPE, CONTENTS)
    assert "> **GATED**: access to the source must be asked for: T.\n>\n> **NON-COMMERCIAL**" in text
    assert text.index("**GATED**") < text.index("4 rows")
    free = card(RECIPE, {**CONTENTS, "sources": {"s": SOURCE}})
    assert "GATED" not in free
    assert "COMMERCIAL" not in free


def test_counts_by_category_and_label_lengths_and_prompts_by_hash() -> None:
    text = card(RECIPE, CONTENTS)
    assert "| category | benign | harmful |\n|---|---|---|\n| none | 3 | 0 |\n| privacy \\| faces | 0 | 1 |" in text
    assert f"| 0-9 | 3 | 75.0 % | `{'#' * 40}` |\n| 10-19 | 1 | 25.0 % | `{'#' * 13}` |" in text
    assert f"| brief (SHA-256) | {'ab' * 32} |" in text
    assert "| name | openai |" in text


def test_a_built_dataset_has_it_and_loads_by_its_folder(build: Build, tmp_path: Path) -> None:
    from datasets import load_dataset

    made = build("method=resa")
    text = (made.path / "README.md").read_text()
    assert "> **GATED**: access to the source must be asked for: VLGuard." in text
    assert re.search(r"\| policies \(SHA-256\) \| [0-9a-f]{64} \|", text)
    assert "| risky behavior / violence | " in text
    counted = made.contents["by_category_and_label"]
    assert sum(count for labels in counted.values() for count in labels.values()) == made.contents["rows"]
    rows = load_dataset(str(made.path), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == made.contents["rows"]
