"""Finished datasets for those who read them: any rows, any funnel, as the stage leaves them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_builders.rows import Row
from resa.artifacts import Artifact, ArtifactStore, Stage, file_digest
from resa.types import Turn
from tests.tiny_models import draw_image


def finished(root: Path, rows: Iterable[Row], funnel: Sequence[Mapping[str, Any]] = (), name: str = "mine") -> Artifact:
    """A dataset artifact of these rows below ``root``."""

    def write(folder: Path) -> dict[str, Any]:
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as stream:
            for row in rows:
                stream.write(json.dumps(row.to_json(), ensure_ascii=False) + "\n")
        return {"sha256": file_digest(folder / "rows.jsonl"), "funnel": list(funnel)}

    return ArtifactStore(root / "artifacts").make(Stage("dataset", {"recipe": {"name": name}}), write)


def said(role: Any, text: str, *images: str) -> Turn:
    return Turn(role, text, images)


def every_kind(root: Path) -> list[Row]:
    """Text alone, one image, two images, a history with an image in it, a system turn, and two pairs."""
    one, two, three = (draw_image(root / f"pictures/{number}.png", number) for number in (1, 2, 3))
    think = "<think>A square. Verdict: allowed.</think>\nIt is a square."
    history = (said("user", "What is this?", one), said("assistant", "A square."), said("user", "And now?", two))
    return [
        Row("a/text", "a", "s", (said("user", "Which word?"),), "None."),
        Row("a/one", "a", "s", (said("user", "What is this?", one),), think, "benign", "things", thinks=True),
        Row("a/two", "a", "s", (said("user", "Compare.", two, three),), "Both are squares.", "benign"),
        Row("a/history", "a", "s", history, "Another square.", "harmful", "privacy", "faces"),
        Row("b/system", "b", "s", (said("system", "Be brief."), said("user", "Hello, «ürgent» 你好")), "Hi.\n\nBye."),
        Row("b/pair", "b", "s", (said("user", "Name it.", three),), "A square.", rejected="A circle."),
        Row("b/pair_text", "b", "s", (said("user", "Name nothing."),), "Nothing.", rejected="Everything."),
    ]
