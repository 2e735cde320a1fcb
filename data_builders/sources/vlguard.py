"""VLGuard (2402.02207): pictures with an instruction to refuse, or with one to serve and one to refuse.

Files: ``train.json``, ``test.json`` (records ``id``, ``image``, ``safe``, ``harmful_category``,
``harmful_subcategory``, ``instr-resp``) and the pictures in ``train/`` and ``test/``. ``captions.json``
({"train/<image>": caption}) is ours and optional: the release has none.

Source of the conversion: ys-zong/VLGuard@a2f85c9, convert_to_llava_format.py. The two instructions of a safe picture
become one dialogue of two turns, in an order drawn with seed 0; the picture belongs to the first turn. The training
file has one repeated id (Ads_303871), so rows are told apart by their number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data_builders.sources.base import Problem, Provenance, existing
from data_builders.sources.records import read_json, read_records
from resa.errors import ConfigError
from resa.types import Conversation, Label, Turn

LABELS: Mapping[str, Label] = {
    "instruction": "harmful",
    "safe_instruction": "benign",
    "unsafe_instruction": "harmful",
}
Exchange = tuple[str, str, Label]
"""Instruction, response, label."""


@dataclass(frozen=True)
class VLGuard:
    """Attributes:
    split: ``train`` or ``test``; shuffle_seed: of the order of a safe picture's two instructions (officially 0).
    """

    name: str = "vlguard"
    root: str = "vlguard"
    split: Literal["train", "test"] = "train"
    shuffle_seed: int = 0
    unique_ids = False

    def __post_init__(self) -> None:
        if self.split not in ("train", "test"):
            raise ConfigError(f"unknown split {self.split!r}", where="split", remedy="train or test")

    @property
    def provenance(self) -> Provenance:
        return Provenance(
            "VLGuard",
            "no licence file in the repository; the images are gated",
            "Zong et al., Safety Fine-Tuning at (Almost) No Cost, ICML 2024, arXiv:2402.02207",
            "https://huggingface.co/datasets/ys-zong/VLGuard",
            gated=True,
        )

    def read(self, root: Path) -> Iterator[Conversation | Problem]:
        file = existing(root, f"{self.split}.json", self.root)
        captions = read_json(root / "captions.json") if (root / "captions.json").is_file() else {}
        shuffling = random.Random(self.shuffle_seed)
        for row, record in read_records(file):
            if isinstance(record, Problem):
                yield record
                continue
            try:
                exchanges = exchanges_of(record, shuffling)
                yield self._conversation(root, row, record, exchanges, captions)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                yield Problem(str(file), row, "malformed record", f"{type(error).__name__}: {error}")

    def _conversation(
        self, root: Path, row: int, record: Mapping[str, Any], exchanges: list[Exchange], captions: Mapping[str, str]
    ) -> Conversation:
        name = f"{self.split}/{text(record, 'image')}"
        image = root / name
        turns = [
            turn
            for place, (instruction, response, _) in enumerate(exchanges)
            for turn in (
                Turn("user", instruction, (str(image),) if place == 0 else ()),
                Turn("assistant", response),
            )
        ]
        meta: dict[str, Any] = {"labels": [label for *_, label in exchanges], "official_id": str(record["id"])}
        if name in captions:
            meta["captions"] = [str(captions[name])]
        return Conversation(
            id=f"{self.split}-{row:05d}",
            turns=tuple(turns),
            source=self.name,
            label=exchanges[-1][2],
            category=record.get("harmful_category"),
            subcategory=record.get("harmful_subcategory"),
            meta=meta,
        )


def exchanges_of(record: Mapping[str, Any], shuffling: random.Random) -> list[Exchange]:
    """The exchanges of an official record, in the order of the official conversion. ``shuffling`` is drawn from once
    for each record with two exchanges, so records must come in file order.

    Raises:
        KeyError, ValueError, TypeError: the record is malformed.
    """
    given = record["instr-resp"]
    if not isinstance(given, list) or len(given) not in (1, 2):
        raise ValueError("instr-resp must list one or two exchanges")
    order = list(given)
    if len(order) > 1:
        shuffling.shuffle(order)
    found = []
    for exchange in order:
        kinds = [key for key in exchange if key in LABELS]
        if len(kinds) != 1:
            raise ValueError(f"an exchange must have one of {', '.join(LABELS)}")
        found.append((text(exchange, kinds[0]), text(exchange, "response"), LABELS[kinds[0]]))
    return found


def official_rows(records: list[Mapping[str, Any]], seed: int = 0) -> list[dict[str, Any]]:
    """The rows of the official conversion to LLaVA's format: each record's other fields, and ``conversations``."""
    shuffling = random.Random(seed)
    rows = []
    for record in records:
        says: list[dict[str, str]] = []
        for instruction, response, _ in exchanges_of(record, shuffling):
            says.append({"from": "human", "value": instruction if says else f"<image>{instruction}"})
            says.append({"from": "gpt", "value": response})
        rows.append({**{key: value for key, value in record.items() if key != "instr-resp"}, "conversations": says})
    return rows


def text(record: Mapping[str, Any], key: str) -> str:
    """A field that must be text with something in it.

    Raises:
        KeyError: it is missing; ValueError: it is not text, or blank.
    """
    value = record[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is {'blank' if isinstance(value, str) else f'a {type(value).__name__}, not text'}")
    return value
