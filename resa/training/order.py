"""In which order rows are seen: fixed by the seed alone, the same for any number of ranks and any micro-batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler


class FixedOrder(Sampler[int]):
    """Places of rows for all steps of a run: pass after pass over the rows, each pass in a random order of its own.

    Batches are cut from this one sequence, so optimizer step ``k`` sees places ``[k * batch, (k + 1) * batch)`` of it
    whatever the ranks: accelerate hands rank ``r`` of ``n`` every ``n``-th micro-batch.

    Args:
        rows: how many there are.
        length: steps x batch size.
        seed: of the orders.
    """

    def __init__(self, rows: int, length: int, seed: int) -> None:
        self.rows, self.length, self.seed = rows, length, seed

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        left, number = self.length, 0
        while left > 0:
            order = torch.randperm(self.rows, generator=torch.Generator().manual_seed(self.seed * 1_000_003 + number))
            yield from order[:left].tolist()
            left, number = left - self.rows, number + 1
