"""What asking takes: calls, tokens and money; and budgets of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import ClassVar

from resa.artifacts import write_atomically
from resa.errors import ConfigError

MILLION = 1_000_000


@dataclass(frozen=True)
class Spending:
    """Attributes:
    calls: questions with a final reply; failures: those of them that ended without a text;
    tokens_in, tokens_out: as the server counts them.
    """

    calls: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def plus(self, failed: bool, tokens_in: int, tokens_out: int) -> Spending:
        return Spending(
            self.calls + 1, self.failures + failed, self.tokens_in + tokens_in, self.tokens_out + tokens_out
        )

    def __add__(self, other: Spending) -> Spending:
        return Spending(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    def share(self, count: int) -> Spending:
        """One of ``count`` equal parts, rounded up."""
        return Spending(*(-(-getattr(self, item.name) // count) for item in fields(self)))


@dataclass(frozen=True)
class Budget:
    """The most that may be spent, over all runs together; None sets no limit.

    Attributes:
        max_calls: questions answered; max_tokens_spent: tokens, in and out; max_cost: money, in the prices' unit.
        price_in, price_out: of a million tokens.
    """

    group: ClassVar[str] = "respondent"

    max_calls: int | None = None
    max_tokens_spent: int | None = None
    max_cost: float | None = None
    price_in: float | None = None
    price_out: float | None = None

    def check_budget(self) -> None:
        """Raises:
        ConfigError: a limit or a price is negative, or a limit of money has no prices.
        """
        for item in fields(Budget):
            value = getattr(self, item.name)
            if value is not None and value < 0:
                raise ConfigError("cannot be negative", where=f"{self.group}.{item.name}={value}")
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise ConfigError(
                "a limit of money needs prices",
                where=f"{self.group}.max_cost={self.max_cost}",
                remedy=f"{self.group}.price_in=... {self.group}.price_out=..., of a million tokens",
            )

    def cost(self, spent: Spending) -> float | None:
        """What tokens cost; None without prices."""
        if self.price_in is None or self.price_out is None:
            return None
        return (spent.tokens_in * self.price_in + spent.tokens_out * self.price_out) / MILLION

    def reached(self, spent: Spending, underway: int = 0) -> str | None:
        """Which limit is reached, in words; None where one more call may be made.

        Args:
            spent: so far; underway: calls that have begun and not ended.
        """
        cost = self.cost(spent)
        if self.max_calls is not None and spent.calls + underway >= self.max_calls:
            return f"max_calls={self.max_calls}"
        if self.max_tokens_spent is not None and spent.tokens_in + spent.tokens_out >= self.max_tokens_spent:
            return f"max_tokens_spent={self.max_tokens_spent}"
        if self.max_cost is not None and cost is not None and cost >= self.max_cost:
            return f"max_cost={self.max_cost:g}"
        return None

    def split(self, number: int, count: int) -> Budget:
        """The budget of one of ``count`` shards, numbered from 1."""
        calls, tokens = self.max_calls, self.max_tokens_spent
        return Budget(
            None if calls is None else calls // count + (number <= calls % count),
            None if tokens is None else tokens // count,
            None if self.max_cost is None else self.max_cost / count,
            self.price_in,
            self.price_out,
        )

    def in_words(self, spent: Spending) -> str:
        """``1,200 calls (3 failed), 600,000 tokens in, 120,000 out, cost 1.20``."""
        failed = f" ({spent.failures:,} failed)" if spent.failures else ""
        cost = self.cost(spent)
        money = "" if cost is None else f", cost {cost:,.2f}"
        return f"{spent.calls:,} calls{failed}, {spent.tokens_in:,} tokens in, {spent.tokens_out:,} out{money}"


def write_spent(file: Path, spent: Spending, budget: Budget | None) -> None:
    """Leave the totals beside a log, for people and their scripts."""
    told = {**asdict(spent), "cost": budget.cost(spent) if budget is not None else None}
    write_atomically(file, json.dumps(told, indent=1) + "\n")
