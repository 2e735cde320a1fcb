"""What the filters let through: of the template teacher everything that is right, of a bad teacher nearly no fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.data_builders.bad_teacher import FAULTS, KINDS, ORDINARY
from tests.data_builders.checker import Caught, compare, inspect
from tests.data_builders.trial import SETS, Trial

PLANTED = [kind for kind in KINDS if kind != ORDINARY]
FLOOR = {
    ("held_out", "leak"): 0.97,
    ("held_out", "contradiction"): 0.97,
    ("blind", "leak"): 0.88,
    ("blind", "contradiction"): 0.88,
}
"""Below 99 % where wordings that no filter was mended with are caught less often, see docs/data.md."""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("trial"), size=1.0)


@pytest.fixture(scope="module")
def caught(trial: Trial) -> dict[str, Caught]:
    good = trial.build()
    return {said: compare(good, trial.build(wordings=said), trial.log(said)) for said in SETS}


def test_a_good_teachers_rows_have_no_fault(trial: Trial) -> None:
    rows = trial.build()
    assert len(rows) > 3000
    assert {row["label"] for row in rows} == {"harmful", "benign"}
    found = inspect(rows)
    assert (found.leaks, found.contradictions, found.mismatches, found.malformed) == ([], [], [], [])


def test_the_checker_sees_what_a_bad_teachers_rows_are_when_nothing_is_filtered(trial: Trial) -> None:
    names = ("parse", "leaks", "language", "verdict", "refusal", "length")
    bare = trial.build(*(f"~method.data.filters.{name}" for name in names), wordings="development")
    found = inspect(bare)
    assert all(len(ids) > 100 for ids in (found.leaks, found.contradictions, found.mismatches, found.malformed))


@pytest.mark.parametrize("wordings", SETS)
@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_caught(caught: dict[str, Caught], wordings: str, kind: str) -> None:
    found = caught[wordings]
    if wordings == "blind" and kind in ("unclosed", "empty", "language"):
        assert not found.planted[kind], "there are no blind wordings of this kind"
        return
    assert found.planted[kind] > 200
    assert found.share(kind) >= FLOOR.get((wordings, kind), 0.99)


@pytest.mark.parametrize("wordings", SETS)
def test_hardly_a_row_without_a_fault_is_lost(caught: dict[str, Caught], wordings: str) -> None:
    found = caught[wordings]
    assert found.clean > 1500
    assert found.lost <= 0.02 * found.clean
    near = 0.04 if wordings == "blind" else 0.02
    assert found.share(ORDINARY) <= near, "sentences that come near to a fault"


def test_held_out_wordings_are_others() -> None:
    """Of sentences; some ways to leave out a tag or a part are in both sets, there are not so many."""

    def said(value: Any) -> set[str]:
        if isinstance(value, str):
            return {value.lower().strip(" .!")}
        return {each for part in (value.values() if isinstance(value, dict) else value) for each in said(part)}

    whole = [yaml.safe_load((FAULTS / f"{name}.yaml").read_text(encoding="utf-8")) for name in SETS]
    one, *others = (said([part for kind, part in each.items() if kind not in ("unclosed", "empty")]) for each in whole)
    for other in others:
        assert len(other) > 150
        assert not one & other


def test_no_held_out_wording_stands_in_a_filter() -> None:
    root = Path(__file__).parents[2]
    files = [*root.glob("data_builders/**/*.py"), *root.glob("conf/filter/*.yaml")]
    written = "\n".join(file.read_text(encoding="utf-8").lower() for file in files)
    leaks = yaml.safe_load((FAULTS / "held_out.yaml").read_text(encoding="utf-8"))["leaks"]
    assert not [said for group in leaks.values() for said in group if said.lower().rstrip(".") in written]
