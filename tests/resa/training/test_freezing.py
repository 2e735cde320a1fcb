"""What moves is what the configuration says, by part of the architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resa.training.spec import TrainingSpec


def prepared(folder: Path, **settings: Any) -> tuple[Any, set[str]]:
    """A model as the stage prepares it, and the names of its trainable weights (without PEFT's prefix)."""
    from resa.models.spec import ModelSpec
    from resa.training.freezing import trainable
    from resa.training.run import _trainable_model

    model = _trainable_model(ModelSpec(path=str(folder)), None, TrainingSpec(**settings), sharded=False)
    return model, {name.removeprefix("base_model.model.") for name, _ in trainable(model)}


@pytest.mark.parametrize("name", ["tiny_qwen", "tiny_llava"])
def test_lora_adapts_the_language_model_and_no_tensor_of_the_tower(name: str, request: pytest.FixtureRequest) -> None:
    from resa.models.anatomy import anatomy

    model, names = prepared(request.getfixturevalue(name), lora_rank=4)
    parts = anatomy(model.get_base_model())
    assert names
    assert all(name.startswith(parts.language_model) and ".lora_" in name for name in names)
    adapted = {name.rpartition(".lora_")[0].rpartition(".")[2] for name in names}
    assert adapted == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


@pytest.mark.parametrize("name", ["tiny_qwen", "tiny_llava"])
def test_full_tuning_leaves_tower_and_projector_alone_unless_told(name: str, request: pytest.FixtureRequest) -> None:
    from resa.models.anatomy import anatomy

    folder = request.getfixturevalue(name)
    model, names = prepared(folder, language_model="full")
    parts = anatomy(model)
    vision = (parts.vision_tower, parts.projector)
    everything = {name for name, _ in model.named_parameters()}
    assert names == {name for name in everything if not name.startswith(vision)}

    _, names = prepared(folder, language_model="frozen", train_projector=True)
    assert names == {name for name in everything if name.startswith(parts.projector)}

    _, names = prepared(folder, language_model="frozen", train_vision_tower=True)
    tower = {name for name in everything if name.startswith(parts.vision_tower)}
    assert names == {name for name in tower if not name.startswith(parts.projector)}
