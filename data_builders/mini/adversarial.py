"""R4 and R5 of the mini release: shapes under attack, in the layout of ``robustness/adv_nips``.

The official pictures were made with a transfer attack on six public CLIP-like encoders (L-infinity 16/255, steps of
1/255, 50 of them). Here the surrogate is the vision tower of the tiny base model: *untargeted* pictures are driven away
from their own features, *targeted* ones towards those of a picture with another shape. So a model that keeps the base's
tower meets a white-box attack on it, and one with another tower a transferred one, as with the official pictures.
"""

from __future__ import annotations

import random
from typing import Any

from data_builders.mini import seeing
from data_builders.mini.drawing import Figure, Figures, paint
from data_builders.mini.folder import Folder
from data_builders.mini.lexicon import SHAPES

EPSILON, STEP, STEPS = 16 / 255, 1 / 255, 50
ROOT = "robustness/adv_nips"


def write_adversarial(folder: Folder, count: int, rng: random.Random, seed: int) -> dict[str, Any]:
    """``label.json`` and the clean, untargeted and targeted pictures; returns how far the features moved."""
    import numpy as np
    import torch
    from PIL import Image

    clean, goals, rows = [], [], []
    for index in range(count):
        picture: Figures = seeing.picture_on_side("eval", lambda: seeing.draw_figures(rng, 1))
        shown = picture.figures[0]
        goal = rng.choice([shape for shape in SHAPES if shape != shown.shape])
        target = Figures((Figure(goal, shown.colour, shown.cell),), picture.ground)
        name = f"{index:04d}.png"
        folder.picture(f"{ROOT}/source/clean/{name}", picture, index)
        clean.append(np.asarray(paint(picture, index)))
        goals.append(np.asarray(paint(target, index)))
        rows.append({"image_name": name, "untarget": [shown.shape], "target": [goal]})
        for kind in ("untarget", "target"):
            folder.note(f"{ROOT}/source/{kind}/{name}", picture.composition)
    generator = torch.Generator().manual_seed(seed)
    untargeted, targeted, moved = _attack(np.stack(clean), np.stack(goals), generator)
    for kind, pictures in (("untarget", untargeted), ("target", targeted)):
        for row, pixels in zip(rows, pictures, strict=True):
            file = folder.root / ROOT / "source" / kind / str(row["image_name"])
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file, compress_level=1)
    folder.lines(f"{ROOT}/label.json", rows)
    return moved


def _attack(clean: Any, goals: Any, generator: Any) -> tuple[Any, Any, dict[str, float]]:
    """Untargeted and targeted pictures, ``(n, 84, 84, 3)`` uint8, within the ball after rounding."""
    import torch

    from resa.models.load import load_model
    from resa.models.pgd import pgd
    from resa.models.pixels import tower_features
    from resa.models.spec import ModelSpec

    loaded = load_model(ModelSpec(name="tiny", path="builtin:tiny"))
    features = tower_features(loaded)

    def as_pixels(pictures: Any) -> Any:
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255

    x, y = as_pixels(clean), as_pixels(goals)
    with torch.no_grad():
        own, wanted = features(x), features(y)
    start = (torch.rand(x.shape, generator=generator) * 2 - 1) * EPSILON
    apart = lambda now, ref: (now - ref).flatten(1).pow(2).sum(1)  # noqa: E731
    away = pgd(lambda p: apart(features(p), own).mean(), x, EPSILON, STEP, STEPS, start=start)
    near = pgd(lambda p: -apart(features(p), wanted).mean(), x, EPSILON, STEP, STEPS, start=start)
    with torch.no_grad():
        moved = {
            "epsilon": round(EPSILON, 4),
            "steps": STEPS,
            "untargeted_distance": round(apart(features(away), own).mean().item(), 3),
            "targeted_distance_before": round(apart(own, wanted).mean().item(), 3),
            "targeted_distance_after": round(apart(features(near), wanted).mean().item(), 3),
        }

    def as_bytes(pictures: Any) -> Any:
        return (pictures * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()

    return as_bytes(away), as_bytes(near), moved
