"""STAR-1 (2504.01903): 1,000 sensitive prompts in text with a reasoned answer each.

File: ``STAR-1.json``, records ``id``, ``question``, ``response`` (``<think> ... </think>`` and the answer),
``category`` (a list), ``source``, ``score``.

Not every prompt is to be refused: about a third of the answers explain, correct or help within the policy. So its rows
have no label unless one is configured, and the filter "refusal equals label" does not speak about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_builders.sources.base import Problem, Provenance, existing
from data_builders.sources.records import read_records
from data_builders.sources.vlguard import text
from resa.types import Conversation, Label, Turn


@dataclass(frozen=True)
class Star1:
    """Attributes:
    file: the JSON; label: of its prompts; the twin set ``STAR-benign-915.json`` is ``benign``, STAR-1 itself is mixed.
    """

    name: str = "star1"
    root: str = "star1"
    file: str = "STAR-1.json"
    label: Label | None = None
    unique_ids = True

    @property
    def provenance(self) -> Provenance:
        return Provenance(
            "STAR-1",
            "Apache-2.0",
            "Wang et al., STAR-1: Safer Alignment of Reasoning LLMs with 1K Data, arXiv:2504.01903",
            "https://huggingface.co/datasets/UCSC-VLAA/STAR-1",
        )

    def read(self, root: Path) -> Iterator[Conversation | Problem]:
        file = existing(root, self.file, self.root)
        for row, record in read_records(file):
            if isinstance(record, Problem):
                yield record
                continue
            try:
                kinds = record.get("category") or []
                kinds = [kinds] if isinstance(kinds, str) else list(kinds)
                turns = (Turn("user", text(record, "question")), Turn("assistant", text(record, "response")))
                yield Conversation(
                    str(record["id"]),
                    turns,
                    self.name,
                    self.label,
                    category=str(kinds[0]) if kinds else None,
                    meta={"categories": kinds, "prompt_source": record.get("source")},
                )
            except (KeyError, ValueError, TypeError) as error:
                yield Problem(str(file), row, "malformed record", f"{type(error).__name__}: {error}")
