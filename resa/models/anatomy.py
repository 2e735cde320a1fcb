"""Where each architecture keeps its vision tower, its projector and its language model.

The names are those that transformers 5.23 gives these parts over all its image-text-to-text models (its own
``PreTrainedModel.get_encoder("image")`` looks for the same towers). Three forms occur: siblings inside ``model``
(LLaVA, InternVL, Gemma 3, Mistral 3, Idefics 3 ...), a tower that ends in its own merger (Qwen-VL, GLM-4V), and
siblings at the top (BLIP-2, Llama 4).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resa.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TOWERS = ("vision_tower", "visual", "vision_model", "vision_encoder", "image_tower", "vision_backbone")
LANGUAGE_MODELS = ("language_model", "text_model", "llm")
PROJECTORS = (
    "multi_modal_projector",
    "mm_projector",
    "connector",
    "aligner",
    "projector",
    "vision_projection",
    "embed_vision",
    "language_projection",
    "merger",
)


@dataclass(frozen=True)
class Anatomy:
    """Dotted module paths from the model, for ``model.get_submodule``.

    Attributes:
        vision_tower: takes pixels.
        projector: takes the tower's features to the language model's width; inside the tower where it ends in its own
            merger (Qwen-VL); None where the language model reads the tower directly. Qwen3-VL's further mergers of
            earlier layers count as the tower.
        language_model: takes embeddings; its output head is outside it.
    """

    vision_tower: str
    projector: str | None
    language_model: str


def anatomy(model: PreTrainedModel) -> Anatomy:
    """The parts of an image-text-to-text model, found by their names in the shallowest module that has both a tower and
    a language model (so also inside wrappers, PEFT's among them).

    Raises:
        ModelError: there is no such module (a model without a separate vision tower, such as Fuyu or Chameleon).
    """
    for path, module in _breadth_first(model):
        children = {name for name, child in module.named_children() if child is not None}
        tower = next((name for name in TOWERS if name in children), None)
        language = next((name for name in LANGUAGE_MODELS if name in children), None)
        if tower and language:
            return Anatomy(_join(path, tower), _projector(module, path, tower), _join(path, language))
    raise ModelError(
        f"cannot tell where {type(model).__name__} keeps its vision tower and its language model",
        where=f"modules: {', '.join(name for name, _ in model.named_children())}",
        remedy="choose a model with a vision tower of its own (qwen2_5_vl, llava, internvl, gemma3 ...), or add the "
        "names of its parts to resa/models/anatomy.py",
    )


def _projector(module: Any, path: str, tower: str) -> str | None:
    beside = {name for name, _ in module.named_children()}
    for name in PROJECTORS:
        if name in beside:
            return _join(path, name)
    inside = {name for name, _ in getattr(module, tower).named_children()}
    return _join(path, f"{tower}.merger") if "merger" in inside else None


def _breadth_first(model: Any, depth: int = 5) -> Any:
    """Modules with their paths, the shallowest first, down to ``depth`` levels."""
    queue = deque([("", model, 0)])
    while queue:
        path, module, level = queue.popleft()
        yield path, module
        if level < depth:
            queue.extend((_join(path, name), child, level + 1) for name, child in module.named_children())


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
