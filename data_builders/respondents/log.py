"""Replies kept as they arrive, across runs. A reply paid for is never asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_builders.respondents.base import Reply
from resa.artifacts import JsonLog, digest
from resa.errors import ArtifactError


class ReplyLog:
    """The replies of one respondent: ``folder/<name>-<identity>.jsonl``, appended to by this process, and its sisters
    ``<name>-<identity>.<writer>.jsonl``, of other shards of the same work, read only.

    In memory stays where each reply is: a million of them are some 200 MB. Memory does not hold their text.

    Args:
        folder: of all logs; name, identity: of the respondent.
        writer: of a shard: it appends to a file of its own.

    Raises:
        ArtifactError: a line before the last is not JSON.
    """

    def __init__(self, folder: Path, name: str, identity: Mapping[str, Any], writer: str | None = None) -> None:
        from filelock import FileLock

        stem = f"{name}-{digest(identity)[:16]}"
        self.file = folder / (f"{stem}.{writer}.jsonl" if writer else f"{stem}.jsonl")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._places: dict[bytes, tuple[int, int]] = {}
        self._files: list[Path] = []
        self._lock = FileLock(f"{self.file}.lock")
        with self._lock:  # opening mends a torn last line, which must not be one that another process is writing
            self._log = JsonLog(self.file, "key")
            self._read(self.file)
        for sister in sorted(folder.glob(f"{stem}*.jsonl")):
            if sister != self.file:
                self._read(sister)
        self._log.done = set()  # where replies are is remembered here, more compactly

    def __contains__(self, key: str) -> bool:
        return key.encode() in self._places

    def __getitem__(self, key: str) -> Reply:
        number, place = self._places[key.encode()]
        with self._files[number].open("rb") as stream:
            stream.seek(place)
            value = json.loads(stream.readline())
        return Reply(**{name: value[name] for name in Reply.__dataclass_fields__ if name in value})

    def __iter__(self) -> Iterator[str]:
        return (key.decode() for key in self._places)

    def add(self, replies: Mapping[str, Reply]) -> None:
        """Keep replies by key, on disk at once."""
        with self._lock:
            before = self.file.stat().st_size if self.file.exists() else 0
            self._log.append({"key": key, **asdict(reply)} for key, reply in replies.items() if key not in self)
            self._read(self.file, before)

    def _read(self, file: Path, start: int = 0) -> None:
        """Note where each reply of a file is, from a byte on; a torn last line, of a writer at work, is left alone."""
        if not file.exists():
            return
        if file not in self._files:
            self._files.append(file)
        number = self._files.index(file)
        with file.open("rb") as stream:
            stream.seek(start)
            place = start
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._places.setdefault(_key(line, file, place).encode(), (number, place))
                place += len(line)


def _key(line: bytes, file: Path, place: int) -> str:
    try:
        return str(json.loads(line)["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"a kept reply cannot be read: {error!r}", where=f"{file}, byte {place}", remedy="remove the line"
        ) from error
