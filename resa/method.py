"""A method is a choice for four slots, each with an empty default, and nothing else.

The source paper sorts mitigations by where they act (data, model architecture, training, inference; S-ABS); here that
is the architecture. A method is written into each checkpoint as ``method.json`` and restored from there, so that
``evaluate.py model.path=DIR`` rebuilds the encoder and the guard of what it evaluates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resa.artifacts import write_atomically
from resa.errors import ModelError

METHOD_FILE = "method.json"
SLOTS = ("data", "encoder", "objective", "guard")


@dataclass(frozen=True)
class Method:
    """Four slots. Each is the configuration of one mechanism (a mapping with ``_target_`` and ``name``); an empty slot
    is a mapping whose ``name`` is ``none``.

    Attributes:
        name: ``resa``, ``vlguard`` ...; data, encoder, objective, guard: the slots.
    """

    name: str
    data: Mapping[str, Any]
    encoder: Mapping[str, Any]
    objective: Mapping[str, Any]
    guard: Mapping[str, Any]

    def is_empty(self, slot: str) -> bool:
        chosen: Mapping[str, Any] = getattr(self, slot)
        return bool(chosen.get("name", "none") == "none")

    def describe(self) -> str:
        """``resa = data: vlguard_cot + encoder: fare + objective: sft``."""
        parts = [f"{slot}: {getattr(self, slot)['name']}" for slot in SLOTS if not self.is_empty(slot)]
        return f"{self.name} = {' + '.join(parts) if parts else 'the base model'}"

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, **{slot: dict(getattr(self, slot)) for slot in SLOTS}}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Method:
        return Method(value["name"], *(value[slot] for slot in SLOTS))

    def save(self, folder: Path) -> None:
        write_atomically(folder / METHOD_FILE, json.dumps(self.to_json(), indent=1, ensure_ascii=False))

    @staticmethod
    def load(folder: Path) -> Method:
        """The method of a checkpoint.

        Raises:
            ModelError: the checkpoint carries none, or it cannot be read.
        """
        file = folder / METHOD_FILE
        try:
            return Method.from_json(json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ModelError(
                f"a checkpoint without a method: {METHOD_FILE} is missing",
                where=str(folder),
                remedy="give a folder that train.py wrote, or evaluate a plain model: model.path=DIR model.plain=true",
            ) from None
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ModelError(
                f"the method of this checkpoint cannot be read: {error!r}", where=str(file), remedy="train it again"
            ) from error


def empty_method() -> Method:
    """The base model: nothing in any slot."""
    return Method("none", *({"name": "none"} for _ in SLOTS))
