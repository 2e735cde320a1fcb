"""Verdicts kept across runs and models: one append-only file a judge and version, shared by processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.measures import Item, Verdict
from resa.artifacts import JsonLog, digest

KEYS = ("measure", "item")


def item_key(item: Item) -> tuple[str, str]:
    """What a verdict depends on: the measure with its arguments, and the text. Not the sample, not the model."""
    measure = item.measure
    return measure.name, digest([measure.name, measure.arguments, item.text])[:32]


class VerdictCache:
    """The verdicts of one judge at one version of one measure, in ``folder/<judge>/<version>.jsonl``."""

    def __init__(self, folder: Path, judge: str, version: str) -> None:
        from filelock import FileLock

        self.file = folder / judge / f"{version}.jsonl"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{self.file}.lock")
        with self._lock:  # opening mends a torn last line, which must not be one that another process is writing
            self._log = JsonLog(self.file, KEYS)
            rows = self._log.rows()
        self.verdicts = {self._log.key_of(row): Verdict(row["value"], row["status"], row["raw"]) for row in rows}

    def add(self, found: Sequence[tuple[Item, Verdict]]) -> None:
        """Keep verdicts, on disk at once. Errors are not verdicts and are not kept."""
        rows = []
        for item, verdict in found:
            if verdict.status != "error":
                name, key = item_key(item)
                self.verdicts[(name, key)] = verdict
                row = {"measure": name, "item": key, "value": verdict.value}
                rows.append({**row, "status": verdict.status, "raw": verdict.raw})
        with self._lock:
            self._log.append(rows)
