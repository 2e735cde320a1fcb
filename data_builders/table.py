"""The funnel of a dataset on the terminal: what came in at each step, what stayed, and why the rest did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def print_funnel(steps: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print a dataset's funnel (``contents["funnel"]``: ``step``, ``in``, ``out``, ``dropped`` by reason)."""
    import sys

    from rich.console import Console
    from rich.table import Table

    plain = not sys.stdout.isatty()
    console = console or Console(highlight=False, width=100 if plain else None)
    table = Table("step", "in", "kept", "dropped, and why", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    for step in steps:
        reasons = sorted(step["dropped"].items(), key=lambda item: -item[1])
        table.add_row(step["step"], str(step["in"]), str(step["out"]), ", ".join(f"{n} {why}" for why, n in reasons))
    console.print(table)
