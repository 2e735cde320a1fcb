"""Where each architecture keeps its parts: every named one is built (on the meta device, from its default
configuration), and what is found must be the right kind of module."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from resa.errors import ModelError
from resa.models.anatomy import anatomy

SIBLINGS = ("model.vision_tower", "model.multi_modal_projector", "model.language_model")
PARTS = {
    "qwen2_vl": ("model.visual", "model.visual.merger", "model.language_model"),
    "qwen2_5_vl": ("model.visual", "model.visual.merger", "model.language_model"),
    "qwen3_vl": ("model.visual", "model.visual.merger", "model.language_model"),
    "glm4v": ("model.visual", "model.visual.merger", "model.language_model"),
    "llava": SIBLINGS,
    "llava_next": SIBLINGS,
    "llava_onevision": SIBLINGS,
    "internvl": SIBLINGS,
    "gemma3": SIBLINGS,
    "paligemma": SIBLINGS,
    "mistral3": SIBLINGS,
    "idefics3": ("model.vision_model", "model.connector", "model.text_model"),
    "smolvlm": ("model.vision_model", "model.connector", "model.text_model"),
    "blip-2": ("vision_model", "language_projection", "language_model"),
    "llama4": ("vision_model", "multi_modal_projector", "language_model"),
}


def build(model_type: str) -> torch.nn.Module:
    """The architecture with its default sizes, cut to two layers; on the meta device a model takes no memory."""
    config = AutoConfig.for_model(model_type)
    for part in (config.get_text_config(), getattr(config, "vision_config", None)):
        for name in ("num_hidden_layers", "depth"):
            if hasattr(part, name) and isinstance(getattr(part, name), int):
                setattr(part, name, 2)
        if getattr(part, "layer_types", None):
            part.layer_types = part.layer_types[:2]
    with torch.device("meta"):
        model: torch.nn.Module = AutoModelForImageTextToText.from_config(config)
    return model


@pytest.mark.parametrize("model_type", PARTS)
def test_parts(model_type: str) -> None:
    model = build(model_type)
    found = anatomy(model)  # type: ignore[arg-type]
    assert (found.vision_tower, found.projector, found.language_model) == PARTS[model_type]
    for path in PARTS[model_type]:
        assert any(True for _ in model.get_submodule(path).parameters())


def test_inside_a_wrapper_the_paths_are_the_wrappers() -> None:
    wrapper = torch.nn.Module()
    wrapper.base_model = build("llava")
    assert anatomy(wrapper).vision_tower == "base_model.model.vision_tower"  # type: ignore[arg-type]


def test_a_model_without_a_tower_is_named() -> None:
    with pytest.raises(ModelError, match=r"(?s)Linear.*resa/models/anatomy"):
        anatomy(torch.nn.Linear(2, 2))  # type: ignore[arg-type]
