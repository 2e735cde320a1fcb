"""A short open answer."""

from __future__ import annotations

from typing import Any

from eval.rules.text import has_words, words


def read(text: str, label: Any) -> float:
    """1 where the answer holds the label (one of them, where it is a list) as whole words. A label of yes or no must
    be its first word."""
    labels = [str(item) for item in label] if isinstance(label, list | tuple) else [str(label)]
    head = (words(text) or [""])[0]
    return float(any(head == words(item)[0] if words(item) in (["yes"], ["no"]) else has_words(text, item)
                     for item in labels))  # fmt: skip
