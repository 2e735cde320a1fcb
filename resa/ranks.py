"""Which rank this process is, and meeting the others: ``rank()``, ``world_size()``, ``is_main()``, ``barrier()``.

Meetings go through torchrun's own TCP store, not through NCCL or gloo: they need no process group and no GPU, and they
wait as long as it takes. A collective gives up after some minutes, so rank 0 could not tokenise, download or judge for
an hour while the others wait (a well-known way to lose a run: NCCL timeouts while rank 0 prepares data). A rank that
dies does not leave the others waiting: torchrun ends them.

All functions are trivial in a process that torchrun did not start, and then import no torch.
"""

from __future__ import annotations

import functools
import json
import os
from collections import Counter
from datetime import timedelta
from typing import Any

from resa.errors import LaunchError

SLICE = timedelta(seconds=5)  # a wait is cut into slices, so that Python sees a signal in between


def rank() -> int:
    """This process's number over all nodes, from 0."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many ranks there are over all nodes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """This process's number on its node, which is also the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def is_main() -> bool:
    """Whether this is rank 0, the one that writes what there is only one of."""
    return rank() == 0


def barrier(label: str) -> None:
    """Return when every rank has called it with the same label (as often as this one has).

    Raises:
        LaunchError: the store is gone, so another rank or node has ended.
    """
    if world_size() > 1:
        _meeting().arrive(f"barrier/{label}")


def gather_json(value: Any, label: str) -> list[Any]:
    """Every rank's ``value``, in rank order, on every rank. For what fits in memory; large results go to files.

    Args:
        value: JSON values only.
        label: names the meeting; the same on every rank.

    Raises:
        LaunchError: the store is gone, so another rank or node has ended.
        TypeError: the value holds what JSON cannot say.
    """
    text = json.dumps(value)
    if world_size() == 1:
        return [json.loads(text)]
    return [json.loads(item) for item in _meeting().exchange(f"gather/{label}", text)]


@functools.cache
def _meeting() -> _Meeting:
    return _Meeting()


class _Meeting:
    """This process's connection to torchrun's store, and how often each label has been used."""

    def __init__(self) -> None:
        from torch.distributed import PrefixStore, TCPStore

        if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
            raise LaunchError(
                f"this is rank {rank()} of {world_size()}, but torchrun with a c10d rendezvous did not start it",
                remedy="start with launch.processes=N (or launch=slurm); the door starts torchrun itself",
            )
        client = TCPStore(
            os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False, timeout=timedelta(minutes=10)
        )
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self.store = PrefixStore(f"resa/{os.environ.get('TORCHELASTIC_RUN_ID', '')}/{attempt}", client)
        self.uses: Counter[str] = Counter()

    def arrive(self, label: str) -> None:
        key = self._key(label)
        if self._ask(lambda: self.store.add(f"{key}/arrived", 1)) == world_size():
            self._ask(lambda: self.store.set(f"{key}/open", "1"))
        self._wait(f"{key}/open")

    def exchange(self, label: str, text: str) -> list[str]:
        key = self._key(label)
        self._ask(lambda: self.store.set(f"{key}/{rank()}", text))
        found = []
        for other in range(world_size()):
            self._wait(f"{key}/{other}")
            found.append(self._ask(lambda other=other: self.store.get(f"{key}/{other}")).decode())
        if self._ask(lambda: self.store.add(f"{key}/read", 1)) == world_size():  # the last reader clears the table
            for other in range(world_size()):
                self._ask(lambda other=other: self.store.delete_key(f"{key}/{other}"))
        return found

    def _key(self, label: str) -> str:
        self.uses[label] += 1
        return f"{label}/{self.uses[label]}"

    def _wait(self, key: str) -> None:
        from torch.distributed import DistStoreError

        while True:
            try:
                self._ask(lambda: self.store.wait([key], SLICE))
                return
            except DistStoreError:
                continue

    def _ask(self, question: Any) -> Any:
        from torch.distributed import DistNetworkError

        try:
            return question()
        except DistNetworkError as error:
            raise LaunchError(
                f"rank {rank()} lost torchrun's store, so another rank or node has ended ({error})",
                remedy="read the first error of the other ranks",
            ) from error
