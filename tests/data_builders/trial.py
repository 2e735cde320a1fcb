"""What of a bad teacher's faults the filters of RESA's data catch, through the real build of the dataset.

    python -m tests.data_builders.trial [SIZE]    the table of docs/data.md; 1: some 3,900 rows

What got through of the development wordings is named; of the held-out ones, figures alone.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hydra.utils import instantiate

from data_builders.decisions import decision
from data_builders.filters.base import Surroundings
from data_builders.mini.folder import Folder
from data_builders.mini.helpful import write_llava_mix
from data_builders.mini.vlguard import write_vlguard
from data_builders.refusals import refuses
from data_builders.rows import Row
from data_builders.stage import make_dataset
from resa.artifacts import ArtifactStore
from resa.launching import InProcess
from resa.places import Places
from resa.types import Turn
from tests.data_builders.bad_teacher import FAULTS, KINDS, ORDINARY, node
from tests.data_builders.checker import compare
from tests.data_builders.conftest import composed, rows_of

SETS = ("development", "held_out", "blind")


class Trial:
    """The mini world's VLGuard and helpful mix in a folder, and datasets built from them by good and bad teachers."""

    def __init__(self, folder: Path, size: float) -> None:
        self.folder = folder
        rng = random.Random("trial")
        guard, mix = Folder(folder / "vlguard", "train"), Folder(folder / "llava_mix", "train")
        captions = write_vlguard(guard, "train", "train", round(1000 * size), rng)
        guard.json("test.json", [])
        guard.json("captions.json", captions)
        write_llava_mix(mix, round(2500 * size), rng)
        self.places = Places({"vlguard": str(guard.root), "llava_mix": str(mix.root)})

    def build(self, *overrides: str, wordings: str | None = None) -> list[dict[str, Any]]:
        """The rows of RESA's dataset, through the stage as the doors call it."""
        config = composed("method=resa", *overrides)
        if wordings is not None:
            config["teacher"] = node(self.log(wordings), wordings)
        made = make_dataset(config, ArtifactStore(self.folder / "artifacts"), InProcess(), self.places)
        assert made is not None
        return rows_of(made)

    def log(self, wordings: str) -> Path:
        """What was planted."""
        return self.folder / f"{wordings}.jsonl"


def known_at_sight() -> dict[str, tuple[int, int]]:
    """Of the blind wordings: kind -> (known, all), each looked at by itself."""
    said = yaml.safe_load((FAULTS / "blind.yaml").read_text(encoding="utf-8"))
    leaks = instantiate(composed("method=resa")["method"]["data"]["filters"]["leaks"], _convert_="all")
    check = leaks.open(Surroundings({}))

    def leaks_in_thought(text: str) -> bool:
        row = Row("a", "a", "a", (Turn("user", "?"),), f"<think>{text}</think>\nYes.", thinks=True)
        return check(row) is not None

    known: dict[str, Callable[[str], bool]] = {
        "leaks": leaks_in_thought,
        "refusals": refuses,
        "decides_to_refuse": lambda text: decision(text) is False,
        "decides_to_answer": lambda text: decision(text) is True,
    }
    said["leaks"] = said["leaks"]["anywhere"] + said["leaks"]["thought"]
    return {kind: (sum(map(known[kind], said[kind])), len(said[kind])) for kind in known}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), size=float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
        good = trial.build()
        found = {said: compare(good, trial.build(wordings=said), trial.log(said)) for said in SETS}
    print("| fault | " + " | ".join(f"{said}: planted | caught" for said in SETS) + " |")
    print("|---" * (1 + 2 * len(SETS)) + "|")
    for kind in KINDS:
        cells = [
            f"{one.planted[kind]} | {one.caught[kind]} ({one.share(kind):.1%})" if one.planted[kind] else "- | -"
            for one in found.values()
        ]
        print(f"| {kind} | {' | '.join(cells)} |")
    cells = [f"{one.clean} | {one.lost} ({one.lost / one.clean:.1%})" for one in found.values()]
    print(f"| none | {' | '.join(cells)} |")
    print("known at sight: " + ", ".join(f"{k} {n} of {all_}" for k, (n, all_) in known_at_sight().items()))
    for kind, how in sorted(set(found["development"].through)):
        if kind != ORDINARY:
            print(f"development, missed: {kind}: {how}", file=sys.stderr)


if __name__ == "__main__":
    main()
