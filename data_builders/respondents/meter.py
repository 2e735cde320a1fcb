"""How the asking goes: how many are answered, how many of the replies are usable, and what they took so far."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from data_builders.respondents.base import Reply, Session
from data_builders.respondents.spending import Budget, Spending
from resa.progress import QUIET_SECONDS

REFRESHED = 2.0
"""Times a second that a bar is drawn."""


@dataclass
class Meter:
    """Attributes:
    session: as the respondent was told; total: questions of this run; budget: for the prices.
    asked: questions that have ended; usable: replies that are what was asked for; took: in this run.
    tell: shows how it goes, where anything is shown.
    """

    session: Session
    total: int
    budget: Budget
    asked: int = 0
    usable: int = 0
    took: Spending = field(default_factory=Spending)
    tell: Callable[[], None] = lambda: None

    def count(self, reply: Reply) -> None:
        """One question has ended."""
        self.asked += 1
        failed = reply.error is not None
        self.took = self.took.plus(failed, reply.tokens_in, reply.tokens_out)
        if self.session.usable is not None and not failed:
            self.usable += self.session.usable(reply)
        self.tell()

    def words(self) -> str:
        """``98.5 % usable, 1,200 calls (3 failed), 600,000 tokens in, 120,000 out, cost 1.20``."""
        known = self.session.usable is not None and self.asked
        share = f"{100 * self.usable / self.asked:.1f} % usable, " if known else ""
        return f"{share}{self.budget.in_words(self.took)}"

    def line(self) -> str:
        return f"{self.session.label}: {self.asked:,}/{self.total:,}, {self.words()}"


@contextmanager
def metered(session: Session, total: int, budget: Budget) -> Iterator[Meter]:
    """A meter: a bar on a terminal, else a line now and then; the totals at the end, however it ends. Nothing is shown
    where the session shows no progress."""
    meter = Meter(session, total, budget)
    if not session.progress:
        yield meter
        return
    try:
        if sys.stdout.isatty():
            with _bar(meter):
                yield meter
        else:
            meter.tell = _now_and_then(meter)
            yield meter
    finally:
        earlier = session.spent.calls
        before = f"; with earlier runs {budget.in_words(session.spent + meter.took)}" if earlier else ""
        print(f"{meter.line()}{before}", flush=True)


def _now_and_then(meter: Meter) -> Callable[[], None]:
    said = time.monotonic()

    def tell() -> None:
        nonlocal said
        if time.monotonic() - said > QUIET_SECONDS and meter.asked < meter.total:
            said = time.monotonic()
            print(meter.line(), flush=True)

    return tell


@contextmanager
def _bar(meter: Meter) -> Iterator[None]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, refresh_per_second=REFRESHED, transient=True) as bar:
        task = bar.add_task(meter.session.label, total=meter.total, words="")
        drawn = 0.0

        def tell() -> None:
            nonlocal drawn
            if time.monotonic() - drawn > 1 / REFRESHED:
                drawn = time.monotonic()
                bar.update(task, completed=meter.asked, words=meter.words())

        meter.tell = tell
        yield
