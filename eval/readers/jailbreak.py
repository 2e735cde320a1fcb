"""Jailbreaks of the release that are written into images, typographic, MM-SafetyBench and SafeBench; FigStep's own.

``safety/typographic_jailbreak``, ``safety/mm-safety-bench-selected``, ``safety/SafeBench_selected``. FigStep
(ThuCCSLab/FigStep) has ``safebench.csv`` and ``SafeBench/query_ForbidQI_<category>_<task>_6.png``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root, fields
from resa.errors import DataError

TYPOGRAPHIC = "safety/typographic_jailbreak"
FIGSTEP_NAME = re.compile(r"query_ForbidQI_(\d+)_(\d+)_\d+\.png$")


@dataclass(frozen=True)
class Jailbreak:
    """``behaviour``: what is asked for in the end; ``prompt``: text of the release, where it has one."""

    row: str
    behaviour: str
    image: str
    prompt: str = ""


def read_typographic(root: Root, graph: str) -> Iterator[Jailbreak]:
    """``graph``: ``behavior_graph`` (with a jailbreak text), ``prompt_graph`` or ``prompt_and_behavior_graph``."""
    for number, row in root.table(TYPOGRAPHIC, f"{graph}.csv"):
        where = f"{root.folder}/{TYPOGRAPHIC}/{graph}.csv: row {number + 1}"
        question, image = fields(row, ("question", "image_path"), where)
        found = root.image(f"{TYPOGRAPHIC}/{graph}", image)
        yield Jailbreak(str(number), question, found, row.get("jailbreak_prompt") or "")


def read_mm_safety(root: Root) -> Iterator[Jailbreak]:
    folder = "safety/mm-safety-bench-selected"
    for key, row in root.object(folder, "mm-safety-bench-selected.json").items():
        where = f"{root.folder}/{folder}: {key}"
        question, prompt, image = fields(row, ("Question", "Prompt", "Image"), where)
        found = root.image(folder, f"mm-safety-bench-selected/{image}", str(image), f"images/{image}")
        yield Jailbreak(key, question, found, prompt)


def read_safebench(root: Root) -> Iterator[Jailbreak]:
    folder = "safety/SafeBench_selected"
    for number, row in root.table(folder, "safebench_selected.csv"):
        question, image = fields(row, ("question", "image_path"), f"{root.folder}/{folder}: row {number + 1}")
        found = root.image(folder, f"SafeBench_selected/{image}", image, f"images/{image}")
        yield Jailbreak(str(number), question, found)


def read_figstep(root: Root) -> Iterator[Jailbreak]:
    """FigStep's images with their questions. Its table names no images, and copies with some of them are common: the
    images that are there decide.

    Raises:
        DataError: an image has no row in the table.
    """
    asked = {}
    for number, row in root.table("safebench.csv"):
        names = ("category_id", "task_id", "question")
        category, task, question = fields(row, names, f"{root.folder}/safebench.csv: row {number + 1}")
        asked[(int(category), int(task))] = question
    for image in root.images("SafeBench"):
        named = FIGSTEP_NAME.search(image)
        key = (int(named[1]), int(named[2])) if named else None
        if key not in asked:
            raise DataError("an image without a row in safebench.csv", where=image, remedy="restore FigStep's files")
        yield Jailbreak(f"{key[0]}_{key[1]}", asked[key], image)


def read_text_jailbreaks(root: Root) -> Iterator[tuple[str, str, str]]:
    """(row, behaviour, jailbreak text) of ``safety/crossmodal-jailbreak/text_jailbreak.csv``."""
    file = "safety/crossmodal-jailbreak/text_jailbreak.csv"
    for number, row in root.table(file):
        question, jailbreak = fields(row, ("question", "jailbreak"), f"{root.folder}/{file}: row {number + 1}")
        yield str(number), question, jailbreak
