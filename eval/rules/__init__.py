"""Rules: pure functions from an answer's text to a verdict, one file each.

A rule ``name`` is the module ``eval.rules.<name>``; its function ``paper`` is compatible with the official parser bug
for bug, its function ``strict`` (asked for as ``<name>_strict``) is the reading we believe: whole words, typographic
apostrophes, and no verdict (``unparsed``) instead of a guess. A rule with one reading only has just ``read``. Each
takes the text and the measure's arguments, and returns a number or None. The phrase lists of the official parsers are
constants of the metric and lie in ``data/``, each with its source.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from eval.measures import Measure, Verdict
from resa.errors import ConfigError

VERSION = "1"
"""Raise it whenever any rule would read any text differently."""
STRICT = "_strict"


def verdict(measure: Measure, text: str) -> Verdict:
    """What the rule ``measure.name`` finds in ``text``.

    Raises:
        ConfigError: there is no such rule.
    """
    value = reading(measure.name)(text, **measure.arguments)
    return Verdict(None, "unparsed") if value is None else Verdict(float(value))


def version(name: str) -> str:
    """Of the rule's reading.

    Raises:
        ConfigError: there is no such rule.
    """
    reading(name)
    return VERSION


@cache
def reading(name: str) -> Callable[..., float | None]:
    """The function behind a rule's name.

    Raises:
        ConfigError: there is none.
    """
    stem, function = (name.removesuffix(STRICT), "strict") if name.endswith(STRICT) else (name, "paper")
    if importlib.util.find_spec(f"eval.rules.{stem}") is None:
        raise ConfigError(f"no rule {name!r}", where=f"eval/rules/{stem}.py", remedy="write it, or mend the name")
    module = importlib.import_module(f"eval.rules.{stem}")
    found: Callable[..., float | None] | None = getattr(module, function, None) or getattr(module, "read", None)
    if found is None:
        raise ConfigError(f"the rule {stem!r} has no function {function!r}", where=f"eval/rules/{stem}.py")
    return found


@cache
def constants(name: str) -> dict[str, Any]:
    """A data file of the rules."""
    text = resources.files("eval.rules").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
