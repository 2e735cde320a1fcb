"""Tables of many runs, from their summaries alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import yaml

from eval.report.reproduction import Line, Point, Table, finished_runs, lines_of
from eval.report.reproduction_table import to_csv, to_latex, to_markdown
from eval.report.summary import write_summary
from resa.errors import ConfigError
from resa.run_folder import new_run_dir, run_key
from tests.eval.report import sample_run

TABLE = Table(
    "mine",
    "Two methods & a base",
    [
        {"label": "RESA_100%", "overrides": ["method=resa"], "aims": ["S.J", "T.I"], "published": {"model": "RESA"}},
        {"label": "unfinished", "overrides": ["method=vlguard"], "seeds": [4]},
    ],
    seeds=[0, 1],
)


def lines(root: Path) -> list[Line]:
    runs: dict[Point, Path | None] = dict.fromkeys(TABLE.points())
    for point, shift in zip(TABLE.points()[:2], (0.0, 1.0), strict=True):
        folder = root / str(point.seed)
        config = sample_run.config(point.seed, name="resa")
        write_summary(folder, sample_run.summarize(folder, config, "python train.py", shift=shift))
        runs[point] = folder
    return lines_of(TABLE, runs)


def test_points_are_rows_times_seeds_with_what_was_given_for_all() -> None:
    points = TABLE.points(["model=tiny"])
    assert [point.overrides for point in points] == [
        ("method=resa", "model=tiny", "seed=0"),
        ("method=resa", "model=tiny", "seed=1"),
        ("method=vlguard", "model=tiny", "seed=4"),
    ]


def test_a_figure_moved_only_where_every_seed_says_so(tmp_path: Path) -> None:
    resa, unfinished = lines(tmp_path)
    assert resa.seeds == (0, 1)
    assert unfinished.missing == (4,)
    assert unfinished.cells == {}
    gain = resa.cells["S.J"]
    assert gain.difference is not None
    assert gain.difference.mean == pytest.approx(sample_run.METHOD[3] + 0.5 - sample_run.BASE[3])
    assert gain.moved == 1
    assert resa.cells["T.I"].moved == 0  # -0.9 with intervals of +-4
    assert resa.published == 69.66


def test_markdown_latex_and_csv_say_the_same(tmp_path: Path) -> None:
    found = lines(tmp_path)
    markdown, latex = to_markdown(TABLE, found, "paper"), to_latex(TABLE, found, "paper")
    assert "moved S.J" in markdown
    assert "Not finished: unfinished: seed 4" in markdown
    assert "69.66" in markdown
    assert r"RESA\_100\% &" in latex
    rows = list(csv.DictReader(io.StringIO(to_csv(TABLE, found, "paper"))))
    mean = float(next(row for row in rows if row["figure"] == "S.J")["value_mean"])
    assert mean == pytest.approx(sample_run.METHOD[3] + 0.5)
    assert f"{mean:.1f}" in markdown
    assert f"{mean:.1f}" in latex


def test_a_finished_run_is_found_by_what_shaped_it(tmp_path: Path) -> None:
    config = {
        "runs_dir": str(tmp_path),
        "seed": 1,
        "model": {"name": "tiny"},
        "training": {"learning_rate": 1e-05, "betas": [0.9, 0.999], "note": None},
    }
    first, second = (new_run_dir(config, "resa", ["python"]) for _ in range(2))
    assert finished_runs(tmp_path) == {}
    (first / "summary.json").write_text("{}")
    assert finished_runs(tmp_path) == {run_key(config): first}
    (second / "summary.json").write_text("{}")
    assert finished_runs(tmp_path) == {run_key(config | {"progress": False}): second}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "needs rows"),
        ([{"label": "a"}], "overrides"),
        ([{"label": "a", "overrides": [], "aim": []}], "Did you mean 'aims'"),
        ([{"label": "a", "overrides": [], "aims": ["S.X"]}], "unknown figure"),
        ([{"label": "a", "overrides": []}, {"label": "a", "overrides": []}], "one label"),
    ],
)
def test_a_table_that_cannot_be_is_refused(rows: list[dict[str, object]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Table("t", "t", rows)


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[3] / "conf" / "table").glob("*.yaml")), ids=lambda f: f.stem
)
def test_every_published_model_is_known(file: Path) -> None:
    node = yaml.safe_load(file.read_text())
    node.pop("_target_")
    given = {name: value or "given" for name, value in node.pop("values", {}).items()}
    table = Table(**node, values=given)
    assert lines_of(table, dict.fromkeys(table.points()))
