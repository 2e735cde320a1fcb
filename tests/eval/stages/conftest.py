"""A configuration over a tiny random model and a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resa.places import Places
from tests.tiny_models import draw_image


@pytest.fixture(scope="session")
def lively_model(tiny_qwen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Qwen2.5-VL with larger weights, so that its answers differ from prompt to prompt."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = tmp_path_factory.mktemp("lively")
    model = AutoModelForImageTextToText.from_pretrained(tiny_qwen, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)
    model.save_pretrained(folder)
    AutoProcessor.from_pretrained(tiny_qwen).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("multitrust")
    for number in range(7):
        draw_image(folder / f"{number}.png", number)
    return Places({"multitrust": str(folder)})


@pytest.fixture
def config(lively_model: Path) -> dict[str, Any]:
    return {
        "benchmark": {"_target_": "tests.eval.stages.standin.StandIn", "name": "standin", "count": 40, "limit": 12},
        "engine": {"_target_": "eval.engines.hf.HfEngine", "name": "hf", "batch_size": 4, "thought_tokens": 4},
        "model": {"path": str(lively_model), "name": "lively", "dtype": "float32", "plain": True},
        "judge": {"_target_": "eval.judges.rules.RulesJudge", "name": "rules"},
        "progress": False,
    }
