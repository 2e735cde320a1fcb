"""An instruction mix in LLaVA's conversation JSON, as ``llava_v1_5_mix665k.json``: dialogues of any length, rows with
text alone included. Every turn is harmless, so every label is ``benign``.

``captions.json`` beside the images folder ({"<images>/<image>": caption}) is ours and optional.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_builders.sources.base import Problem, Provenance, existing
from data_builders.sources.conversations import image_names, turns_of
from data_builders.sources.records import read_json, read_records
from resa.types import Conversation, Label


@dataclass(frozen=True)
class LlavaMix:
    """Attributes:
    file: the JSON, relative to the root; images: the folder that image names are relative to.
    label: of every turn; None where it is not known.
    """

    name: str = "llava_mix"
    root: str = "llava_mix"
    file: str = "llava_mix.json"
    images: str = "images"
    label: Label | None = "benign"
    licence: str = "CC BY 4.0 (annotations); images as their own sources state"
    unique_ids = False

    @property
    def provenance(self) -> Provenance:
        return Provenance(
            "LLaVA-1.5 instruction mix",
            self.licence,
            "Liu et al., Improved Baselines with Visual Instruction Tuning, CVPR 2024, arXiv:2310.03744",
            "https://huggingface.co/datasets/liuhaotian/LLaVA-Instruct-150K",
        )

    def read(self, root: Path) -> Iterator[Conversation | Problem]:
        file = existing(root, self.file, self.root)
        captions = read_json(root / "captions.json") if (root / "captions.json").is_file() else {}
        for row, record in read_records(file):
            if isinstance(record, Problem):
                yield record
                continue
            try:
                names = image_names(record)
                turns = turns_of(record["conversations"], [root / self.images / name for name in names])
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                yield Problem(str(file), row, "malformed record", f"{type(error).__name__}: {error}")
                continue
            known = [captions.get(f"{self.images}/{name}") for name in names]
            meta: dict[str, Any] = {"captions": known} if names and all(known) else {}
            if "id" in record:
                meta["official_id"] = str(record["id"])
            yield Conversation(f"{row:07d}", turns, self.name, self.label, meta=meta)
