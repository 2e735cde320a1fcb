"""Tables of many runs: which points a table is made of, which finished runs stand for them, and what they say.

A table is a YAML in ``conf/table``. Every figure in it comes from the ``summary.json`` of a run folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.report.leaderboard import PAPER_FIGURES, published
from eval.report.names import SUB_ASPECTS
from eval.report.over_seeds import OverSeeds, over_seeds
from eval.report.rows import Row, cost_rows, overall_row, trust_rows
from eval.report.summary import SUMMARY, read_summary
from resa.errors import ConfigError, did_you_mean
from resa.run_folder import CONFIG, run_key

ROW_KEYS = ("label", "overrides", "seeds", "aims", "published")
FIGURES = ("overall", *SUB_ASPECTS, "utility", "over_refusal", "tokens", "seconds")


@dataclass(frozen=True)
class Point:
    """One run of a table: ``python train.py OVERRIDES`` gives row ``row`` its seed ``seed``."""

    row: int
    seed: int
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """What a table shows.

    Attributes:
        name, title: of the table; seeds: of each row's runs, unless the row has its own.
        rows: each with ``label``; ``overrides`` of train.py; and, where there are any, ``seeds``, ``aims`` (figures
            that the method is made to raise) and ``published`` (``{model: NAME}`` of the leaderboard or of the source
            paper, shown beside ours).
        values: that overrides take up by ``${table.values.NAME}``; None is one that the command line must give.
    """

    name: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    seeds: Sequence[int] = field(default=(0, 1, 2))
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            if value is None:
                where = f"table.values.{name}"
                remedy = f"add {where}=...; conf/table/{self.name}.yaml says what it is"
                raise ConfigError("the table cannot do without this value", where=where, remedy=remedy)
        if not self.rows:
            raise ConfigError("a table needs rows", where="table.rows")
        if not self.seeds:
            raise ConfigError("a table needs at least one seed", where="table.seeds")
        for number, row in enumerate(self.rows):
            where = f"table.rows[{number}]"
            for key in row:
                if key not in ROW_KEYS:
                    raise ConfigError(f"unknown key {key!r}. {did_you_mean(key, ROW_KEYS)}", where=where)
            if not row.get("label") or not isinstance(row.get("overrides"), list | tuple):
                raise ConfigError("a row needs a label and overrides of train.py", where=where)
            for aim in row.get("aims", ()):
                if aim not in FIGURES:
                    raise ConfigError(f"unknown figure {aim!r}. {did_you_mean(aim, FIGURES)}", where=f"{where}.aims")
        labels = [row["label"] for row in self.rows]
        if len(set(labels)) < len(labels):
            raise ConfigError("two rows have one label", where="table.rows")

    def points(self, given: Sequence[str] = ()) -> list[Point]:
        """Every run of the table, in order.

        Args:
            given: further overrides, of every point (``model=tiny``).
        """
        return [
            Point(number, int(seed), (*row["overrides"], *given, f"seed={seed}"))
            for number, row in enumerate(self.rows)
            for seed in row.get("seeds", self.seeds)
        ]


def finished_runs(runs_dir: Path) -> dict[str, Path]:
    """What shaped a run (:func:`resa.run_folder.run_key`) -> its folder, of finished runs; the newest of several."""
    import yaml

    found: dict[str, Path] = {}
    for folder in sorted(runs_dir.glob("*/"), key=lambda folder: folder.name):
        if (folder / SUMMARY).is_file() and (folder / CONFIG).is_file():
            try:
                config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
            except yaml.YAMLError:
                continue  # a folder that is no run of ours
            if isinstance(config, Mapping):
                found[run_key(config)] = folder
    return found


@dataclass(frozen=True)
class Cell:
    """One figure of one method.

    Attributes:
        value: over seeds; difference: method minus base, seed by seed, None for the base itself.
        moved: 1 better than the base, -1 worse, 0 neither: only where *every* seed's run shows it on the same side, by
            its corrected paired test (or, where a figure has none, by its interval), and the interval over seeds, where
            there are several, excludes zero.
        digits: worth showing; lower: whether smaller is better.
    """

    value: OverSeeds
    difference: OverSeeds | None
    moved: int
    digits: int
    lower: bool


@dataclass(frozen=True)
class Line:
    """One method of a table.

    Attributes:
        label: of the row; seeds: that have a finished run; missing: those that have not.
        cells: figure -> cell; aims: figures it is made for; published: overall trust as published, or None.
        summaries: of its runs, by seed.
    """

    label: str
    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    cells: Mapping[str, Cell]
    aims: tuple[str, ...]
    published: float | None
    summaries: tuple[Mapping[str, Any], ...]

    def gained(self) -> list[str]:
        return [key for key, cell in self.cells.items() if cell.moved > 0]

    def paid(self) -> list[str]:
        return [key for key, cell in self.cells.items() if cell.moved < 0]


def lines_of(table: Table, runs: Mapping[Point, Path | None], profile: str = "paper") -> list[Line]:
    """Every method of a table from the summaries of its runs.

    Args:
        runs: point -> its finished run's folder, None where there is none.
    """
    lines = []
    for number, row in enumerate(table.rows):
        own = {point: folder for point, folder in runs.items() if point.row == number}
        summaries = tuple(read_summary(folder) for folder in own.values() if folder is not None)
        lines.append(
            Line(
                str(row["label"]),
                tuple(point.seed for point, folder in own.items() if folder is not None),
                tuple(point.seed for point, folder in own.items() if folder is None),
                dict(_cells(summaries, profile)),
                tuple(row.get("aims", ())),
                published_overall((row.get("published") or {}).get("model")),
                summaries,
            )
        )
    return lines


def published_overall(model: str | None) -> float | None:
    """Overall trust of a published model; None for None.

    Raises:
        ConfigError: no such model was published.
    """
    known = {entry.model: entry.overall for entry in published()} | dict(PAPER_FIGURES)
    if model is not None and model not in known:
        raise ConfigError(f"no published figures of {model!r}. {did_you_mean(model, known)}", where="table.rows")
    return None if model is None else known[model]


def _cells(summaries: Sequence[Mapping[str, Any]], profile: str) -> Iterator[tuple[str, Cell]]:
    tables = [
        {row.key: row for row in [overall_row(one, profile), *trust_rows(one, profile), *cost_rows(one)]}
        for one in summaries
    ]
    for key in FIGURES:
        rows = [table[key] for table in tables if key in table]
        if rows:
            yield key, _cell(rows)


def _cell(rows: Sequence[Row]) -> Cell:
    values = over_seeds([row.method.value if row.method else None for row in rows])
    gaps = [row.difference.value for row in rows if row.difference]
    difference = over_seeds(gaps) if gaps else None
    return Cell(values, difference, _moved(rows, difference), max(row.digits for row in rows), rows[0].lower)


def _moved(rows: Sequence[Row], difference: OverSeeds | None) -> int:
    verdicts = {(1 if row.difference.better else -1) if row.difference and row.difference.shown else 0 for row in rows}
    if len(verdicts) > 1 or difference is None:
        return 0
    if difference.low is not None and difference.high is not None and difference.low <= 0 <= difference.high:
        return 0
    return verdicts.pop()
