"""Which of several classes an answer names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.rules.text import words


def read(text: str, label: str, classes: Mapping[str, Sequence[str]]) -> float | None:
    """1 where the answer names the class ``label``, 0 where it names another; None where it names none.

    The phrase that comes first decides, the longer one where two begin together.

    Args:
        classes: class -> phrases that name it.
    """
    said = words(text)
    found = []
    for name, phrases in classes.items():
        for phrase in phrases:
            wanted = words(phrase)
            starts = [at for at in range(len(said)) if said[at : at + len(wanted)] == wanted]
            found += [(start, -len(wanted), name) for start in starts[:1]]
    return float(min(found)[2] == label) if found else None
