"""Shares of the asking: so many processes, each asking about its own rows and keeping the replies in its own file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from data_builders.rows import Row
from resa.artifacts import digest
from resa.errors import ConfigError


@dataclass(frozen=True)
class Shard:
    """``number`` of ``count``, from 1."""

    number: int
    count: int

    @staticmethod
    def of(text: str) -> Shard:
        """A shard as it is typed: ``3/8``.

        Raises:
            ConfigError: it is none.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(
                f"no shard: {text!r}", where="shard", remedy="shard=1/8 ... shard=8/8, or shard=null for all"
            )
        return Shard(int(found[1]), int(found[2]))

    @staticmethod
    def of_writer(writer: str | None) -> Shard | None:
        """The shard whose :attr:`writer` this is; None for another writer, or none."""
        found = re.fullmatch(r"shard-(\d+)-of-(\d+)", writer or "")
        return Shard(int(found[1]), int(found[2])) if found else None

    @staticmethod
    def absent(writers: Iterable[str]) -> list[Shard]:
        """Shards that never wrote although others of their count did; none where all shards of some count have."""
        counts: dict[int, set[int]] = {}
        for shard in filter(None, map(Shard.of_writer, writers)):
            counts.setdefault(shard.count, set()).add(shard.number)
        missing = [[Shard(n, count) for n in range(1, count + 1) if n not in there] for count, there in counts.items()]
        return min(missing, key=len, default=[])

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def writer(self) -> str:
        """Name of the file that its replies go to, within a respondent's log."""
        return f"shard-{self.number}-of-{self.count}"

    @property
    def siblings(self) -> frozenset[str]:
        """Writers of all shards of the same count."""
        return frozenset(Shard(number, self.count).writer for number in range(1, self.count + 1))

    def holds(self, row: Row) -> bool:
        """Whether a row is this shard's: by a hash of its words and images, not of its id, so that rows of which the
        same is asked are in one shard, and it is asked once."""
        key = digest([[turn.text for turn in row.prompt], row.image_hashes])
        return int(key[:15], 16) % self.count == self.number - 1
