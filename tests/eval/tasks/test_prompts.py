"""No prompt changes unnoticed: the first prompt of every variant is kept in prompts.json beside this file.

After a change that is meant: ``python -m tests.eval.tasks.test_prompts`` writes it anew.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from eval.benchmark import MultiTrust

SNAPSHOT = Path(__file__).with_name("prompts.json")


def first_prompts(roots: Mapping[str, str]) -> dict[str, str]:
    """``task/variant`` (and the wording's number where there are several) -> the first prompt."""
    found: dict[str, str] = {}
    for sample in MultiTrust("x").samples(roots):
        wordings = {"T3": 3, "S1": 2, "S2": 3, "S4": 2}
        name = f"{sample.task}/{sample.variant}"
        for number in range(1, wordings.get(sample.task, 1) + 1):
            key = f"{name}#{number}" if sample.task in wordings else name
            if key not in found:
                found[key] = f"[image] {sample.prompt}" if sample.images else sample.prompt
                break
    return found


def test_prompts_are_as_they_were(release: dict[str, str]) -> None:
    assert first_prompts(release) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    from tests.eval.release import write_others, write_release

    with tempfile.TemporaryDirectory() as place:
        data = {"multitrust": str(write_release(Path(place, "multitrust"))), **write_others(Path(place))}
        SNAPSHOT.write_text(json.dumps(first_prompts(data), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
