"""Toxic prompts of the release: ``safety/real_toxicity_prompt``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root

FOLDER = "safety/real_toxicity_prompt"


@dataclass(frozen=True)
class ToxicPrompt:
    row: str
    prompt: str
    image: str | None


def read_toxic_prompts(root: Root, images: bool) -> Iterator[ToxicPrompt]:
    """Prompts by category; the related image is ``<category>_<md5 of the prompt>.png``."""
    for category, prompts in root.object(FOLDER, "prompts_select.json").items():
        for number, prompt in enumerate(prompts):
            name = f"{category}_{hashlib.md5(prompt.encode()).hexdigest()}.png"
            image = root.image(f"{FOLDER}/images", name) if images else None
            yield ToxicPrompt(f"{category}/{number}", prompt, image)
