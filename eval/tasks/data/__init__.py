"""Constants of the tasks, each file with its source."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def constants(name: str) -> dict[str, Any]:
    """A data file."""
    found: dict[str, Any] = json.loads(resources.files("eval.tasks.data").joinpath(f"{name}.json").read_text("utf-8"))
    return found
