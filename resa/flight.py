"""What is in flight: how many requests at a time, and how what has ended is handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Places:
    """Places in flight."""

    def __init__(self, count: int) -> None:
        self.count, self._resting = count, 0
        self._free = asyncio.Semaphore(count)

    async def take(self) -> None:
        await self._free.acquire()

    def leave(self) -> None:
        self._free.release()

    async def rest(self, seconds: float) -> None:
        """Wait. The place is another's meanwhile, unless as many rest already as there are places: an endpoint that
        fails every request would otherwise be sent ever more of them."""
        if self._resting >= self.count:
            await asyncio.sleep(seconds)
            return
        self._resting += 1
        self.leave()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._resting -= 1
            await self.take()


class Delivery(Generic[T]):
    """Hands outcomes over in groups, as many as have gathered while the last group was dealt with."""

    def __init__(self, on_outcomes: Callable[[Sequence[T]], None]) -> None:
        self.on_outcomes = on_outcomes
        self._gathered: list[tuple[T, asyncio.Future[None]]] = []
        self._arrived, self._closed = asyncio.Event(), False
        self._failed: BaseException | None = None

    async def hand_over(self, outcome: T) -> None:
        """Returns when it has been. Raises what ``on_outcomes`` raised: nobody takes what would be asked now."""
        if self._failed is not None:
            raise self._failed
        done = asyncio.get_running_loop().create_future()
        self._gathered.append((outcome, done))
        self._arrived.set()
        await done

    def close(self) -> None:
        """Nothing more will come; :meth:`run` ends when all is handed over."""
        self._closed = True
        self._arrived.set()

    async def run(self) -> None:
        while self._gathered or not self._closed:
            await self._arrived.wait()
            self._arrived.clear()
            group, self._gathered = self._gathered, []
            if not group:
                continue
            try:
                await asyncio.to_thread(self.on_outcomes, [outcome for outcome, _ in group])
            except BaseException as error:
                self._failed = error
                for _, done in (*group, *self._gathered):
                    if not done.done():
                        done.set_exception(error)
                raise
            for _, done in group:
                if not done.done():
                    done.set_result(None)
