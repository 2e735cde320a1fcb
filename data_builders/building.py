"""The dataset stage's work: sources -> rows -> thoughts -> filters -> ``rows.jsonl``, ``hf/``, ``parquet/``, card.

Rows stream through; what stays in memory is what sampling, duplicates and overlap must remember, and for teachers that
are asked over a network the rows that wait for them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data_builders.card import write_card
from data_builders.choice import Choice
from data_builders.counts import Statistics
from data_builders.filters.base import Filter, Sieve, Surroundings
from data_builders.funnel import Step
from data_builders.intake import Drawing, Images, Intake
from data_builders.output import write_hf
from data_builders.parquet import write_parquet
from data_builders.progress import track
from data_builders.recipe import Part, Recipe
from data_builders.rows import Row
from data_builders.shards import Shard
from data_builders.sources.base import Embedding
from data_builders.teachers.base import Teacher, TwinMaker, Workshop
from data_builders.twins import TWIN, Plan, noted
from resa.artifacts import file_digest, write_atomically
from resa.errors import DataError

ROWS = "rows.jsonl"
KEPT = "kept.jsonl"


@dataclass
class Build:
    """One run of a recipe."""

    recipe: Recipe
    teacher: Teacher | None
    roots: Mapping[str, str]
    workshop: Workshop
    pictures: Path | None = None
    shard: Shard | None = None
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    choice: Choice = field(default_factory=Choice)
    remarks: Counter[str] = field(default_factory=Counter)

    def rows(self) -> Iterator[Row]:
        """The rows that pass everything, part after part.

        Raises:
            DataError: a source is missing or wholly unusable. EngineError: the teacher cannot be asked.
        """
        with ExitStack() as stack:
            maker = None
            if self.teacher is not None and any(part.twins for part in self.recipe.parts.values()):
                maker = stack.enter_context(self.teacher.twinning(self.workshop))
            rows: Iterable[Row] = self._intake(maker)
            if self.recipe.pairs != "none":
                rows = self._paired(rows, self._step("preference pairs"))
            if self.teacher is not None:
                rewrite = stack.enter_context(self.teacher.open(self.workshop))
                drafts = self.choice.offered(rewrite(rows)) if self.teacher.candidates > 1 else rewrite(rows)
                rows = _let(drafts, self._step(f"teacher {self.teacher.name}"))
            yield from self._filtered(rows)
            self.notes += self.choice.notes() + [f"{what}: {count}" for what, count in sorted(self.remarks.items())]

    def _filtered(self, rows: Iterable[Row]) -> Iterable[Row]:
        shop = self.workshop
        around = Surroundings(self.roots, shop.drafts, shop.model, shop.progress, shop.writer, self.remarks)
        several = self.teacher is not None and self.teacher.candidates > 1
        for name, chosen in self.recipe.filters.items():
            if several and not chosen.each_candidate:
                rows, several = self._chosen(rows), False
            self.notes += chosen.notes(around)
            rows = _let(_judged(chosen, rows, around), self._step(f"filter {name}"))
        return self._chosen(rows) if several else rows

    def _chosen(self, candidates: Iterable[Row]) -> Iterator[Row]:
        return self.choice.taken(candidates, self._step("choice of a candidate"))

    def _step(self, name: str) -> Step:
        self.steps.append(Step(name))
        return self.steps[-1]

    def _intake(self, maker: TwinMaker | None) -> Iterator[Row]:
        looked = Images()
        opened = [(part, self._opened(name, part, looked)) for name, part in self.recipe.parts.items()]
        twins = [Step(f"{intake.drawing.part}: benign twins") if part.twins else None for part, intake in opened]
        self.steps[:0] = [
            step
            for (_, intake), twin in zip(opened, twins, strict=True)
            for step in (intake.records, intake.images, twin)
            if step is not None
        ]
        for (part, intake), twin in zip(opened, twins, strict=True):
            if part.twins and maker is not None and twin is not None:
                rows = self._twinned(part.twins, intake, self._opened(intake.drawing.part, part, looked), maker, twin)
            else:
                rows = iter(intake)
            yield from (self._formed(part, row) for row in rows if self._holds(row))
            if intake.offered > intake.images.entered:
                self.notes.append(
                    f"{intake.drawing.part}: {intake.images.entered} of {intake.offered} rows drawn (limit "
                    f"{part.limit}, seed {self.recipe.seed})"
                )

    def _opened(self, name: str, part: Part, looked: Images) -> Intake:
        drawing = Drawing(name, part.turns, part.limit, self.recipe.seed, self.recipe.strict)
        source = part.source
        if isinstance(source, Embedding) and self.pictures is not None:
            source = source.unpacking(self.pictures)
        return Intake(source, Path(self.roots[source.root]), drawing, looked)

    def _formed(self, part: Part, row: Row) -> Row:
        thinks = self.recipe.thoughts
        if row.has_thought and (not thinks or part.own_thoughts == "rewrite"):
            row = replace(row, completion=row.answer)
        return replace(row, thinks=thinks, rejected=None if self.recipe.pairs == "none" else row.rejected)

    def _holds(self, row: Row) -> bool:
        return self.shard is None or row.id.endswith(TWIN) or self.shard.holds(row)

    def _twinned(self, share: float, intake: Intake, again: Intake, maker: TwinMaker, step: Step) -> Iterator[Row]:
        """A part's rows, then the twins that give it its share; the part is read twice."""
        part = intake.drawing.part
        plan = Plan.of(again, share, maker.can, self.recipe.seed)
        chosen = []
        for row in intake:
            if row.id in plan.chosen:
                chosen.append(row)
            yield row
        chosen = [row for row in chosen if self._holds(row)]  # a twin belongs to the shard of the row it resembles
        yield from _let(maker.make(chosen), step)
        self.notes += noted(part, plan, step.passed, share)

    def _paired(self, rows: Iterable[Row], step: Step) -> Iterator[Row]:
        """Raises:
        DataError: the two answers of a pair are equal, and the recipe does not drop such pairs.
        """
        for row in rows:
            reason = None
            if row.rejected is None and self.recipe.pairs == "all":
                reason = "no rejected answer"
            elif row.rejected is not None and row.rejected.split() == row.completion.split():
                reason = "equal answers"
                if self.recipe.equal_answers == "error":
                    raise DataError(
                        "the chosen and the rejected answer are the same",
                        where=f"{row.id}: {row.completion[:80]}",
                        remedy="mend the record, or method.data.equal_answers=drop to leave such pairs out",
                    )
            if step.let(reason, **_example(row)):
                yield row


def _judged(chosen: Filter, rows: Iterable[Row], around: Surroundings) -> Iterator[tuple[Row, str | None]]:
    if isinstance(chosen, Sieve):
        return chosen.sift(rows, around)
    check = chosen.open(around)
    return ((row, check(row)) for row in rows)


def _let(judged: Iterable[tuple[Row, str | None]], step: Step) -> Iterator[Row]:
    for row, reason in judged:
        if step.let(reason, **({} if reason is None else _example(row))):
            yield row


def _example(row: Row) -> dict[str, Any]:
    return {"id": row.id, "prompt": row.instruction[:300], "completion": row.completion[:600], "label": row.label}


def run(job: dict[str, Any]) -> None:
    """The stage's work.

    Args:
        job: ``output_dir``; ``recipe`` and ``teacher`` (configuration nodes; teacher None where no row thinks);
            ``roots``; ``model``; ``drafts`` (folder of the teachers' replies); ``pictures`` (folder of the images that
            lie inside the sources' files); ``identity`` of the teacher; ``progress``.
    """
    folder = Path(job["output_dir"])
    build, progress = _build_of(job), bool(job.get("progress"))
    recipe = build.recipe
    statistics = Statistics()
    places, structured = _spool(folder, build, statistics, progress)
    if not places:
        worst = max(build.steps, key=lambda step: step.dropped)
        raise DataError(
            "no row is left",
            where=f"{recipe.name}: step '{worst.name}' dropped {worst.dropped}: {dict(worst.reasons)}",
            remedy=f"loosen that filter, or mend the data; examples: {json.dumps(worst.examples[:3])}",
        )
    _write_in_order(folder, places, recipe.seed)
    write_hf(folder, structured, recipe.pairs)
    write_parquet(folder)
    contents = {
        "rows": len(places),
        "sha256": file_digest(folder / ROWS),
        "funnel": [step.to_json() for step in build.steps],
        "notes": build.notes,
        **statistics.to_json(),
        "sources": {source.name: vars(source.provenance) for source in recipe.sources},
        "teacher": job.get("identity"),
    }
    write_card(folder, recipe, contents)
    write_atomically(folder / "contents.json", json.dumps(contents, indent=1, ensure_ascii=False))


def ask(job: dict[str, Any]) -> None:
    """A shard's work: ask about its rows, teacher and filters alike, and keep what is replied. No dataset is written.

    Args:
        job: as for :func:`run`, without ``output_dir``; ``shard``: as it is typed.
    """
    build = _build_of(job)
    passed = sum(1 for _ in build.rows())
    assert build.shard is not None
    print(
        f"shard {build.shard}: {passed} rows of this shard would stay; replies are kept in {job['drafts']}", flush=True
    )


def _build_of(job: Mapping[str, Any]) -> Build:
    from hydra.utils import instantiate

    recipe: Recipe = instantiate(job["recipe"], _convert_="all")
    teacher: Teacher | None = instantiate(job["teacher"], _convert_="all") if job.get("teacher") else None
    shard = Shard.of(job["shard"]) if job.get("shard") else None
    workshop = Workshop(
        recipe.answers,
        Path(job["drafts"]),
        job["roots"],
        job.get("model") or {},
        bool(job.get("progress")),
        shard.writer if shard else None,
    )
    return Build(recipe, teacher, job["roots"], workshop, Path(job["pictures"]) if job.get("pictures") else None, shard)


def _spool(folder: Path, build: Build, statistics: Statistics, progress: bool) -> tuple[list[int], bool]:
    """Write the rows as they come; returns where each begins, and whether an image belongs to any turn but the first
    user's (the output's form depends on it)."""
    places: list[int] = []
    structured = False
    with (folder / KEPT).open("wb") as stream, track(f"dataset {build.recipe.name}", None, progress) as advance:
        for row in build.rows():
            places.append(stream.tell())
            stream.write(json.dumps(row.to_json(), ensure_ascii=False).encode() + b"\n")
            first = next(turn for turn in row.prompt if turn.role == "user")
            structured = structured or len(first.images) != len(row.images)
            statistics.add(row)
            advance()
    return places, structured


def _write_in_order(folder: Path, places: list[int], seed: int) -> None:
    """``rows.jsonl``: the spooled rows, shuffled by the seed."""
    random.Random(seed).shuffle(places)
    partial = folder / f".{ROWS}.partial"
    with (folder / KEPT).open("rb") as spool, partial.open("wb") as out:
        for place in places:
            spool.seek(place)
            out.write(spool.readline())
    partial.replace(folder / ROWS)
    (folder / KEPT).unlink()
