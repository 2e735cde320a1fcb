"""A progress bar for a long stage, or now and then a line where there is no terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

QUIET_SECONDS = 15.0


@contextlib.contextmanager
def progress(label: str, total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """``advance(count)``, which moves a bar of ``total`` steps; silent where none is ``shown``."""
    if not shown:
        yield lambda count: None
        return
    if not sys.stderr.isatty() and not sys.stdout.isatty():
        yield _Lines(label, total).advance
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


class _Lines:
    """A line at the end, and before it at most one in fifteen seconds."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.done, self.said = label, total, 0, time.monotonic()

    def advance(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if self.done == self.total or now - self.said > QUIET_SECONDS:
            self.said = now
            print(f"{self.label}: {self.done}/{self.total}", flush=True)
