"""An independent checker of a finished dataset: plain string logic of its own, nothing of the project's is imported.

It judges ``rows.jsonl`` and the log of what a bad teacher planted, row by row. Its ideas of a leak or a refusal are
much coarser than the filters': they hold for the mini world's template thoughts, whose every word is known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BETRAYING = {
    "annotated", "annotation", "caption", "captions", "dataset", "guideline", "guidelines", "instructed",
    "instruction", "instructions", "labelled", "labeled", "policies", "policy", "prompt", "provided",
    "reference", "regulation", "response", "teacher", "training", "truth",
}  # fmt: skip
"""Words that no template thought and no answer of the mini world has any cause to use; "label it" is such an answer."""
REFUSING = ("i'm sorry", "i am sorry", "i cannot", "i can't", "i won't", "i must decline")


@dataclass(frozen=True)
class Verdicts:
    """Ids of rows with each defect."""

    leaks: list[str]
    contradictions: list[str]
    mismatches: list[str]
    malformed: list[str]


def refuses(answer: str) -> bool:
    """By its first words alone, which is enough for the mini world's answers."""
    return answer.replace("\u2019", "'").strip().lower().startswith(REFUSING)


def inspect(rows: Iterable[dict[str, Any]]) -> Verdicts:
    """What is wrong with rows that have a thought, a stated verdict and a label."""
    found = Verdicts([], [], [], [])
    for row in rows:
        head, opened, rest = row["completion"].partition("<think>")
        thought, closed, answer = rest.partition("</think>\n")
        whole = opened and closed and not head and thought.strip() and answer.strip()
        if not whole or "think>" in thought + answer:
            found.malformed.append(row["id"])
        words = {word.strip(".,:;!?'\"()").lower() for word in row["completion"].split()}
        if words & BETRAYING or "the label" in row["completion"].lower():
            found.leaks.append(row["id"])
        allowed, disallowed = "Verdict: allowed." in thought, "Verdict: disallowed." in thought
        if allowed == disallowed or disallowed != refuses(answer):
            found.contradictions.append(row["id"])
        if (row["label"] == "harmful") != refuses(answer):
            found.mismatches.append(row["id"])
    return found


@dataclass(frozen=True)
class Caught:
    """Of each kind of fault how many were planted in rows that a good teacher brings through, and how many of those
    rows did not come out; the same of rows without a fault. ``through``: (kind, wording) of what was missed."""

    planted: Counter[str]
    caught: Counter[str]
    clean: int
    lost: int
    through: list[tuple[str, str]]

    def share(self, kind: str) -> float:
        return self.caught[kind] / self.planted[kind]


def compare(good: Iterable[dict[str, Any]], bad: Iterable[dict[str, Any]], log: Path) -> Caught:
    """A bad teacher's dataset beside a good teacher's, from the same records.

    Args:
        log: JSON Lines with ``id``, ``kind`` and ``how`` of each planted row.
    """
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    faults = {line["id"]: line for line in lines}
    expected, came = {row["id"] for row in good}, {row["id"] for row in bad}
    planted: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    through: list[tuple[str, str]] = []
    for id_, fault in faults.items():
        if id_ not in expected | came:  # repeats another row's prompt
            continue
        planted[fault["kind"]] += 1
        if id_ not in came:
            caught[fault["kind"]] += 1
        else:
            through.append((fault["kind"], fault["how"]))
    clean = expected - faults.keys()
    return Caught(planted, caught, len(clean), len(clean - came), through)
