"""``-m``: a grid is read as Hydra reads it; each point is a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from launch import sweep
from resa.errors import ConfigError


def test_a_grid_in_hydras_words() -> None:
    points = sweep.expand(["method=resa,vlguard", "seed=range(2)", "model=tiny"])
    assert points == [
        ["method=resa", "seed=0", "model=tiny"],
        ["method=resa", "seed=1", "model=tiny"],
        ["method=vlguard", "seed=0", "model=tiny"],
        ["method=vlguard", "seed=1", "model=tiny"],
    ]


def test_commas_in_lists_quotes_and_groups_are_not_choices() -> None:
    points = sweep.expand(["launch.setup=['a,b']", "encoder@method.encoder=none,fare", "+new.key=1"])
    assert [point[1] for point in points] == ["encoder@method.encoder=none", "encoder@method.encoder=fare"]
    assert {point[0] for point in points} == {"launch.setup=['a,b']"}
    assert {point[2] for point in points} == {"+new.key=1"}


def test_no_sweep_is_one_point() -> None:
    assert sweep.expand(["seed=1"]) == [["seed=1"]]
    assert sweep.expand([]) == [[]]


@pytest.mark.parametrize("override", ["seed=interval(0,1)", "seed=1,,2", "seed=range(a)"])
def test_what_a_grid_cannot_say_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="sweep"):
        sweep.expand([override])


@pytest.fixture
def door(tmp_path: Path) -> str:
    """A door that fails for seed=1."""
    file = tmp_path / "door.py"
    file.write_text("import sys; print('point', sys.argv[1:]); sys.exit(3 if 'seed=1' in sys.argv else 0)")
    return str(file)


@pytest.mark.parametrize("parallel", [1, 2])
def test_every_point_runs_and_is_summed_up(
    door: str, parallel: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    points = [[f"seed={seed}"] for seed in range(3)]
    assert sweep.run(door, points, {"parallel": parallel}, tmp_path / "logs") == 1
    printed = capfd.readouterr().out
    assert "2 of 3 points ended well" in printed
    assert [line.split()[0] for line in printed.splitlines()[-4:-1]] == ["0", "3", "0"]
    logs = sorted((tmp_path / "logs").glob("*.log"))
    assert len(logs) == (3 if parallel == 2 else 0)
    assert ("point ['seed=2']" in printed) is (parallel == 1)


def test_all_well_is_exit_status_0(door: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert sweep.run(door, [["seed=0"], ["seed=2"]], {"parallel": 1}) == 0
