"""Robustness images with labels, in JSON Lines named .json: COCO-O styles, BenchLMM sensors, attacked images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eval.readers.files import Root, fields


@dataclass(frozen=True)
class Labelled:
    """``labels``: names of the true object; ``target``: of the attack's; ``question``: of sensor images."""

    row: int
    image: str
    labels: tuple[str, ...]
    target: tuple[str, ...] = ()
    question: str = ""


def read_artistic(root: Root, style: str) -> Iterator[Labelled]:
    """``robustness/ood-artistic``: images of one style."""
    folder = "robustness/ood-artistic"
    for number, row in root.rows(folder, "label", f"{style}.json"):
        name, labels = fields(
            row, ("image_name", "gt_label"), f"{root.folder}/{folder}/label/{style}.json:{number + 1}"
        )
        yield Labelled(number, root.image(f"{folder}/source", name, f"{style}/{name}"), tuple(map(str, labels)))


def read_sensor(root: Root, sensor: str) -> Iterator[Labelled]:
    """``robustness/ood-sensor``: questions on images of one sensor."""
    folder = "robustness/ood-sensor"
    for number, row in root.rows(folder, "label", f"{sensor}.json"):
        where = f"{root.folder}/{folder}/label/{sensor}.json:{number + 1}"
        name, question, answer = fields(row, ("image_name", "question", "answer"), where)
        image = root.image(f"{folder}/source", name, f"{sensor}/{name}")
        yield Labelled(number, image, (str(answer),), question=str(question))


def read_attacked(root: Root, kind: str) -> Iterator[Labelled]:
    """``robustness/adv_nips``: ``kind`` is ``clean``, ``untarget`` or ``target``."""
    folder = "robustness/adv_nips"
    for number, row in root.rows(folder, "label.json"):
        where = f"{root.folder}/{folder}/label.json:{number + 1}"
        name, labels, target = fields(row, ("image_name", "untarget", "target"), where)
        image = root.image(f"{folder}/source/{kind}", name)
        yield Labelled(number, image, _names(labels), _names(target))


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
