"""A progress bar for a long stage."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(label: str, total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """``advance(count)``, which moves a bar of ``total`` steps; without a bar where none is ``shown``."""
    if not shown:
        yield lambda count: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)
