"""Append-only part logs, one a rank, and their merge into one file whose bytes do not depend on the ranks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from resa.artifacts import JsonLog, digest, read_jsonl, write_atomically
from resa.errors import ArtifactError
from resa.types import Sample

PARTS = "parts"


def prompt_hash(sample: Sample) -> str:
    """16 hex digits of everything the model is shown, so that an answer is never reused for another prompt."""
    return digest([[turn.role, turn.text, list(turn.images)] for turn in sample.turns] + [sample.max_new_tokens])[:16]


class PartLogs:
    """The logs ``parts/<rank>.jsonl`` of a stage that many ranks write together.

    Args:
        folder: the stage's output folder; keys: the fields that name a row.
    """

    def __init__(self, folder: Path, keys: tuple[str, ...]) -> None:
        self.folder, self.keys = folder / PARTS, keys

    def mend(self) -> None:
        """Drop the torn last lines that a kill left in any part. Rank 0 calls this before the others read."""
        for file in self._files():
            JsonLog(file, self.keys)

    def open(self, rank: int) -> JsonLog:
        """This rank's log, knowing what every rank of every earlier attempt has finished."""
        log = JsonLog(self.folder / f"{rank:05d}.jsonl", self.keys)
        log.done |= {log.key_of(row) for file in self._files() for row in read_jsonl(file)}
        return log

    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Every finished row by its key; of two with one key (an attempt with other ranks) the first part's."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for file in self._files():
            for row in read_jsonl(file):
                found.setdefault(tuple(row[name] for name in self.keys), row)
        return found

    def discard(self) -> None:
        """Remove the parts, once they are merged."""
        for file in self._files():
            file.unlink()
        if self.folder.is_dir():
            self.folder.rmdir()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.jsonl"))


def write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON Lines file whole or not at all, keys sorted."""
    write_atomically(file, "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows))


def in_order(
    rows: Mapping[tuple[Any, ...], dict[str, Any]], keys: Sequence[tuple[Any, ...]], what: str
) -> list[dict[str, Any]]:
    """The rows of ``keys``, in their order.

    Raises:
        ArtifactError: some are missing; names the first.
    """
    missing = [key for key in keys if key not in rows]
    if missing:
        raise ArtifactError(
            f"{len(missing)} of {len(keys)} {what} are missing",
            where=str(missing[0][0]),
            remedy="run the same command again: what is finished is kept",
        )
    return [rows[key] for key in keys]
