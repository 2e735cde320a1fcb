"""The images of adversarial training: decoded once to find the unreadable, kept in memory where they fit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from resa.errors import DataError
from resa.models.pixels import PixelSpace
from resa.ranks import gather_json, rank, world_size

THREADS = 8


class ImageSet:
    """Readable images, in one order on every rank, split into those trained on and those held out.

    Attributes:
        train, held_out: files.
        unreadable: file -> why it was left out.
    """

    def __init__(self, files: Sequence[str], space: PixelSpace, *, held_out: int, seed: int, cache_mb: int) -> None:
        """Decode every image once, each rank its share.

        Raises:
            DataError: fewer than two can be read.
        """
        self._space = space
        self._cache: dict[str, Tensor] = {}
        self._pass: tuple[int, list[str]] = (-1, [])
        fits = len(files) * 3 * space.height * space.width <= cache_mb << 20
        self._room = len(files) if fits else 0
        self._threads = ThreadPoolExecutor(THREADS)
        self.unreadable = self._inspect(files)
        readable = [file for file in files if file not in self.unreadable]
        if len(readable) < 2:
            raise DataError(
                f"{len(readable)} of {len(files)} images can be read",
                where=next(iter(self.unreadable), None),
                remedy=next(iter(self.unreadable.values()), "give a folder with images"),
            )
        random.Random(f"held out|{seed}").shuffle(readable)
        kept = min(held_out, max(1, len(readable) // 5))
        self.held_out, self.train = sorted(readable[:kept]), sorted(readable[kept:])

    def _inspect(self, files: Sequence[str]) -> dict[str, str]:
        mine = files[rank() :: world_size()]
        found = {file: why for file, why in zip(mine, self._threads.map(self._fault, mine), strict=True) if why}
        shares = gather_json(found, "unreadable images")
        return {file: share[file] for share in shares for file in share}

    def _fault(self, file: str) -> str | None:
        try:
            self._image(file)
        except DataError as error:
            return error.what
        return None

    def _image(self, file: str) -> Tensor:
        found = self._cache.get(file)
        if found is None:
            found = self._space.read(Path(file))
            if len(self._cache) < self._room:
                self._cache[file] = found
        return found

    def load(self, files: Sequence[str]) -> Tensor:
        """(files, 3, height, width), float32 in [0, 1]."""
        return torch.stack(list(self._threads.map(self._image, files))).float() / 255

    def batch(self, step: int, size: int, seed: int) -> list[str]:
        """The training files of a step (from 0): consecutive places in passes that are each shuffled anew."""
        start, count = step * size, len(self.train)
        return [self._in_pass(place // count, seed)[place % count] for place in range(start, start + size)]

    def _in_pass(self, number: int, seed: int) -> list[str]:
        if self._pass[0] != number:
            order = list(self.train)
            random.Random(f"pass|{seed}|{number}").shuffle(order)
            self._pass = (number, order)
        return self._pass[1]
