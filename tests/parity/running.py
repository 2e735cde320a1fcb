"""Running parity checks.

A check is a module ``tests/parity/checks/<name of the vector file>.py`` with one function::

    def check(case: Mapping[str, Any], data: Mapping[str, Any]) -> str | None

``case`` is one of ``data["cases"]``, ``data`` the whole file; it returns None where the case passes, otherwise what is
wrong. So each room's checks are files of their own, found by name, each importing only the code it checks.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"
SHOWN = 5
Check = Callable[[Mapping[str, Any], Mapping[str, Any]], str | None]


def find_check(name: str) -> Check | None:
    """The check of a vector file; None where there is none."""
    module = f"tests.parity.checks.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        return None
    check: Check = importlib.import_module(module).check
    return check


def failures(check: Check, data: Mapping[str, Any]) -> list[str]:
    """What is wrong, case by case."""
    found = []
    for number, case in enumerate(data["cases"]):
        name = case.get("id", number)
        try:
            wrong = check(case, data)
        except Exception as error:  # one broken case must not hide the others
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            found.append(f"case {name}: {wrong}")
    return found


def run_folder(folder: Path) -> int:
    """Check every file of a folder and print how it went; the exit status."""
    files = sorted(folder.glob("*.json"))
    if not files:
        print(f"no vectors in {folder}")
        return 1
    failed = 0
    for file in files:
        check = find_check(file.stem)
        if check is None:
            print(f"{file.stem:24} not yet covered")
            continue
        data = json.loads(file.read_text(encoding="utf-8"))
        wrong = failures(check, data)
        print(f"{file.stem:24} {len(data['cases']) - len(wrong):5} passed {len(wrong):5} failed")
        for line in wrong[:SHOWN]:
            print(f"    {line}")
        failed += len(wrong)
    return 1 if failed else 0


def number(value: Any) -> float:
    """A number as the files write it: NaN and infinities are strings."""
    return float(value)


def differ(name: str, found: Any, expected: Any, tolerance: float) -> str | None:
    """What is wrong where two numbers are further apart than ``tolerance``; NaN equals NaN."""
    a, b = number(found), number(expected)
    if (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= tolerance:
        return None
    return f"{name}: {a!r} instead of {b!r}"


def first(*problems: str | None) -> str | None:
    """The first problem there is."""
    return next((problem for problem in problems if problem), None)
