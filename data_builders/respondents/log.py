"""Replies kept as they arrive, across runs. A reply paid for is never asked for again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_builders.respondents.base import Reply
from data_builders.respondents.spending import Spending
from resa.artifacts import JsonLog, digest, unwritable
from resa.errors import ArtifactError

FLUSHED_EVERY_S = 1.0
"""A reply is in the system's hands at once, where a kill of this process does not reach it; on the disk, where a power
cut does not, within this time."""


class ReplyLog:
    """The replies of one respondent: ``folder/<name>-<identity>.jsonl``, appended to by this process, and its sisters
    ``<name>-<identity>.<writer>.jsonl``, of shards of the same work, read only.

    In memory stays where each reply is: a million of them are some 200 MB. Memory does not hold their text.

    Args:
        folder: of all logs; name, identity: of the respondent.
        writer: of a shard: it appends to a file of its own.

    Raises:
        ArtifactError: a line before the last is not JSON.
    """

    def __init__(self, folder: Path, name: str, identity: Mapping[str, Any], writer: str | None = None) -> None:
        from filelock import FileLock

        self._stem = stem = f"{name}-{digest(identity)[:16]}"
        self.file = folder / self.name_of(writer)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._places: dict[bytes, tuple[int, int]] = {}
        self._files = [self.file, *(sister for sister in sorted(folder.glob(f"{stem}*.jsonl")) if sister != self.file)]
        self._spent = {file: Spending() for file in self._files}
        self._ends = [0] * len(self._files)
        self._open: dict[int, int] = {}
        self._flushed = time.monotonic()
        self._lock = FileLock(f"{self.file}.lock")
        with self._lock:  # opening mends a torn last line, which must not be one that another process is writing
            JsonLog(self.file, "key")
            if writer:  # a shard with nothing to ask is no missing one
                self.file.touch()
            self._read(0)
        for number in range(1, len(self._files)):
            self._read(number)

    def name_of(self, writer: str | None) -> str:
        """Name of the file that a writer of this log appends to."""
        return f"{self._stem}.{writer}.jsonl" if writer else f"{self._stem}.jsonl"

    @property
    def writers(self) -> list[str]:
        """Whoever has a file of this log, besides the writer without a name."""
        names = (file.name.removeprefix(f"{self._stem}.").removesuffix("jsonl") for file in self._files)
        return [name.removesuffix(".") for name in names if name]

    def __contains__(self, key: str) -> bool:
        return key.encode() in self._places

    def __getitem__(self, key: str) -> Reply:
        number, place = self._places[key.encode()]
        if number not in self._open:
            self._open[number] = os.open(self._files[number], os.O_RDONLY)
        value = json.loads(_line_at(self._open[number], place))
        return Reply(**{name: value[name] for name in Reply.__dataclass_fields__ if name in value})

    def __iter__(self) -> Iterator[str]:
        return (key.decode() for key in self._places)

    @property
    def spent(self) -> Mapping[Path, Spending]:
        """What the replies in each file took."""
        return self._spent

    def add(self, replies: Mapping[str, Reply]) -> None:
        """Keep replies by key.

        Raises:
            ArtifactError: the disk is full, or the file cannot be written.
        """
        if all(key in self for key in replies):
            return
        try:
            with self._lock, self.file.open("ab", buffering=0) as stream:
                self._read(0)
                lines = [
                    (key.encode(), reply, _line_of(key, reply)) for key, reply in replies.items() if key not in self
                ]
                place = self._ends[0]
                os.ftruncate(stream.fileno(), place)  # a line that another writer was killed in
                rest = memoryview(b"".join(line for _, _, line in lines))
                while rest:
                    rest = rest[stream.write(rest) :]
                if time.monotonic() - self._flushed > FLUSHED_EVERY_S:
                    os.fsync(stream.fileno())
                    self._flushed = time.monotonic()
        except OSError as error:
            raise unwritable(self.file, error) from error
        for key, reply, line in lines:
            self._note(0, key, place, reply.error is not None, reply.tokens_in, reply.tokens_out)
            place += len(line)
        self._ends[0] = place

    def catch_up(self) -> None:
        """Take note of what another log of the same file has kept meanwhile: of a teacher's twins, for its thoughts."""
        with self._lock:
            self._read(0)

    def close(self) -> None:
        """Bring what was added to the disk, and close what was opened."""
        if self.file.exists():
            with self.file.open("ab") as stream:
                os.fsync(stream.fileno())
        while self._open:
            os.close(self._open.popitem()[1])

    def _read(self, number: int) -> None:
        """Note where each reply of a file is, from where it was last read to; a torn last line, of a writer at work, is
        left alone."""
        file, place = self._files[number], self._ends[number]
        if not file.exists() or file.stat().st_size == place:
            return
        with file.open("rb") as stream:
            stream.seek(place)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                value = _value(line, file, place)
                took = int(value.get("tokens_in") or 0), int(value.get("tokens_out") or 0)
                self._note(number, str(value["key"]).encode(), place, value.get("error") is not None, *took)
                place += len(line)
        self._ends[number] = place

    def _note(self, number: int, key: bytes, place: int, failed: bool, tokens_in: int, tokens_out: int) -> None:
        self._places.setdefault(key, (number, place))
        file = self._files[number]
        self._spent[file] = self._spent[file].plus(failed, tokens_in, tokens_out)


def _line_of(key: str, reply: Reply) -> bytes:
    return json.dumps({"key": key, **vars(reply)}, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _line_at(descriptor: int, place: int) -> bytes:
    """The line that begins at a byte of an open file."""
    found = b""
    while b"\n" not in found:
        more = os.pread(descriptor, 4096, place + len(found))
        if not more:
            break
        found += more
    return found.partition(b"\n")[0]


def _value(line: bytes, file: Path, place: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
        value["key"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"a kept reply cannot be read: {error!r}", where=f"{file}, byte {place}", remedy="remove the line"
        ) from error
    found: dict[str, Any] = value
    return found
