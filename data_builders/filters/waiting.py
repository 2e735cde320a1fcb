"""Rows that wait on disk, for filters that must have seen all of them before they judge the first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from types import TracebackType

from data_builders.rows import Row
from resa.types import Turn


class Waiting:
    """A temporary file of rows (in ``TMPDIR``), read in the order of writing; gone when the context ends."""

    def __enter__(self) -> Waiting:
        self._file = tempfile.TemporaryFile(prefix="resa-rows-")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, row: Row) -> None:
        """Write a row."""
        value = {**vars(row), "prompt": [vars(turn) for turn in row.prompt]}
        self._file.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")

    def __iter__(self) -> Iterator[Row]:
        """The rows as they were."""
        self._file.seek(0)
        for line in self._file:
            value = json.loads(line.decode("utf-8", "surrogatepass"))
            turns = tuple(Turn(turn["role"], turn["text"], tuple(turn["images"])) for turn in value["prompt"])
            lists = {name: tuple(value[name]) for name in ("captions", "image_hashes")}
            yield Row(**{**value, **lists, "prompt": turns})
