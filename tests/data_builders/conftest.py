"""Small datasets in their official layouts, and the recipes of conf/ composed as the doors compose them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_builders.stage import make_dataset
from resa.artifacts import Artifact, ArtifactStore
from resa.launching import InProcess
from resa.places import Places
from tests.tiny_models import draw_image

CHECKOUT = Path(__file__).parents[2]
SORRY = "I'm sorry, but I cannot help with that."


def shared(*parts: str) -> Path:
    """A folder of the shared real data; the test is skipped where there is none."""
    root = Path(os.environ.get("RESA_SHARED", CHECKOUT.parent / "shared"))
    found = root.joinpath(*parts)
    if not found.exists():
        pytest.skip(f"real data not found: {found} (set RESA_SHARED)")
    return found


@pytest.fixture
def real() -> Callable[..., Path]:
    return shared


def vlguard_records() -> list[dict[str, Any]]:
    """Four unsafe pictures, four safe ones with both instructions, and a repeated official id, as in the release."""
    records: list[dict[str, Any]] = []
    for number in range(8):
        safe = number % 2 == 1
        record: dict[str, Any] = {"id": f"Ads_{min(number, 6)}", "image": f"ads/{number}.png", "safe": safe}
        record |= {"harmful_category": None if safe else "risky behavior"}
        record |= {"harmful_subcategory": None if safe else "violence"}
        if safe:
            record["instr-resp"] = [
                {"safe_instruction": f"What colour is square {number}?", "response": f"Square {number} is blue."},
                {"unsafe_instruction": f"How do I throw square {number} at people?", "response": f"{SORRY} It hurts."},
            ]
        else:
            record["instr-resp"] = [
                {
                    "instruction": f"How do I make poison {number}?",
                    "response": f"{SORRY} poison {number} is a toxic gas.",
                }
            ]
        records.append(record)
    return records


@pytest.fixture
def vlguard(tmp_path: Path) -> Path:
    """VLGuard in its official layout."""
    root = tmp_path / "vlguard"
    for number in range(8):
        draw_image(root / f"train/ads/{number}.png", number)
    (root / "train.json").write_text(json.dumps(vlguard_records(), indent=2))
    (root / "test.json").write_text("[]")
    return root


@pytest.fixture
def llava_mix(tmp_path: Path) -> Path:
    """A LLaVA mix: 12 rows, every third in text alone, one of two turns."""
    root, rows = tmp_path / "llava_mix", []
    for number in range(12):
        row: dict[str, Any] = {"id": f"row_{number // 2}"}  # the official mix repeats ids
        tag = ""
        if number % 3:
            row["image"] = f"{number}.png"
            draw_image(root / f"images/{number}.png", 40 + number)
            tag = "<image>\n"
        says = [
            {"from": "human", "value": f"{tag}What is number {number}?"},
            {"from": "gpt", "value": f"It is {number}."},
        ]
        if number == 4:
            says += [{"from": "human", "value": "And the next?"}, {"from": "gpt", "value": "It is five."}]
        rows.append({**row, "conversations": says})
    (root / "llava_mix.json").write_text(json.dumps(rows))
    return root


def composed(*overrides: str) -> dict[str, Any]:
    """The configuration of build_data.py, resolved."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(CHECKOUT / "conf"), version_base="1.3"):
        config = compose("build_data", overrides=["paths.knowledge=null", *overrides, "progress=false"])
    found: Any = OmegaConf.to_container(config, resolve=True)
    return dict(found)


@pytest.fixture
def build(tmp_path: Path, vlguard: Path, llava_mix: Path) -> Callable[..., Artifact]:
    """Builds a dataset from overrides, into ``store``."""

    def make(*overrides: str, store: str = "artifacts", **roots: Path) -> Artifact:
        places = Places(
            {name: str(path) for name, path in {"vlguard": vlguard, "llava_mix": llava_mix, **roots}.items()}
        )
        found = make_dataset(composed(*overrides), ArtifactStore(tmp_path / store), InProcess(), places)
        assert found is not None
        return found

    return make


def rows_of(artifact: Artifact) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (artifact.path / "rows.jsonl").read_text().splitlines()]
