"""The last number of a worked answer, as in GSM8K."""

from __future__ import annotations

import re

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def last_number(text: str) -> float | None:
    """The last number of a text; None where there is none."""
    found = NUMBER.findall(text.rsplit("####", 1)[-1]) or NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


def read(text: str, label: float) -> float | None:
    """1 where the last number equals ``label``; None where there is none."""
    found = last_number(text)
    return None if found is None else float(abs(found - label) < 1e-6)
