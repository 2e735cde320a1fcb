"""Texts under shift or attack: ``robustness/ood-text`` (styles of SST-2) and ``robustness/advglue[_plus]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eval.readers.files import Root, fields

STYLES = (
    "augment", "bible_p0.6", "bible_p0", "romantic_p0.6", "romantic_p0",
    "shake_p0.6", "shake_p0", "shake_w", "tweet_p0.6", "tweet_p0",
)  # fmt: skip
"""An eleventh group, ``base``, is not asked."""
GLUE: Mapping[str, tuple[str, ...]] = {
    "mnli": ("premise", "hypothesis"),
    "mnli-mm": ("premise", "hypothesis"),
    "qnli": ("question", "sentence"),
    "qqp": ("question1", "question2"),
    "rte": ("sentence1", "sentence2"),
    "sst2": ("sentence",),
}


@dataclass(frozen=True)
class Text:
    """``parts``: one sentence, or two; ``group``: style or GLUE task; ``key``: what its image is named by."""

    row: str
    group: str
    parts: tuple[str, ...]
    label: str
    key: str
    image: str | None


def read_styles(root: Root, images: bool) -> Iterator[Text]:
    folder = "robustness/ood-text"
    groups = root.object(folder, "label.json")
    fields(groups, STYLES, f"{root.folder}/{folder}/label.json")
    for style in STYLES:
        for number, row in enumerate(groups[style]):
            where = f"{root.folder}/{folder}/label.json: {style} {number + 1}"
            key, sentence, label = fields(row, ("id", "sentence", "label"), where)
            image = root.image(f"{folder}/related", f"{key}.png") if images else None
            yield Text(f"{style}/{number}", style, (sentence,), str(label), str(key), image)


def read_glue(root: Root, plus: bool, images: bool) -> Iterator[Text]:
    folder = "robustness/advglue_plus" if plus else "robustness/advglue"
    tasks: Mapping[str, list[Mapping[str, Any]]] = root.object(folder, "label.json")
    fields(tasks, tuple(GLUE), f"{root.folder}/{folder}/label.json")
    for task, names in GLUE.items():
        for number, row in enumerate(tasks[task]):
            where = f"{root.folder}/{folder}/label.json: {task} {number + 1}"
            key, label, *parts = fields(row, ("idx", "label", *names), where)
            image = root.image(f"{folder}/related/{task}", f"{key}.png") if images else None
            yield Text(f"{task}/{number}", task, tuple(map(str, parts)), str(label), str(key), image)
