"""The result files of lmms-eval, and the record made of them.

lmms-eval writes ``<time>_results.json`` and, told to keep samples, ``<time>_samples_<task>.jsonl`` beside it
(EvolvingLMMs-Lab/lmms-eval 0.7.3, lmms_eval/loggers/evaluation_tracker.py). A request that failed for good is text to
it, and is scored; so such answers are counted here and shown with the figures they are in.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.report.scores import as_score
from eval.report.words import figure
from resa.artifacts import write_atomically
from resa.errors import ArtifactError

RECORD = "lmms_eval.json"
ENDING = "_results.json"
FAILED = ("[LMMS_EVAL_REQUEST_FAILED", "[LMMS_EVAL_BUDGET_EXCEEDED")
"""How an answer begins that is none (lmms_eval/models/chat/openai.py)."""


@dataclass(frozen=True)
class Metric:
    """``value`` in lmms-eval's own unit (mostly a rate, 0-1, sometimes 0-100 or a sum of points); ``stderr`` None where
    it gives none; ``higher_is_better`` None where it does not say."""

    value: float
    stderr: float | None = None
    higher_is_better: bool | None = None


@dataclass(frozen=True)
class Result:
    """A task.

    Attributes:
        metrics: name, with its filter behind a comma where that is not ``none`` -> figure.
        samples: asked; of: in the set. None where the file does not say (groups).
        failed: answers that are a failed request and were scored all the same; None where no samples were kept.
        unread: metrics whose value is no number.
    """

    metrics: Mapping[str, Metric]
    samples: int | None = None
    of: int | None = None
    failed: int | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """A result file: its name and SHA-256, the model it names, and its tasks."""

    file: str
    sha256: str
    model: str
    tasks: Mapping[str, Result] = field(default_factory=dict)


def find_results(path: Path) -> list[Path]:
    """The result files at or below a path, oldest first (their names begin with the time).

    Raises:
        ArtifactError: there is nothing at the path.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ArtifactError("nothing there", where=str(path), remedy="give what lmms-eval had as --output_path")
    return sorted(path.rglob(f"*{ENDING}"), key=lambda file: (file.name, str(file)))


def read_results(file: Path) -> Measured:
    """A result file.

    Raises:
        ArtifactError: it is none.
    """
    try:
        raw = file.read_bytes()
        told = json.loads(raw)
        results = dict(told["results"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"not a result file of lmms-eval: {type(error).__name__}: {error}",
            where=str(file),
            remedy=f"give a file whose name ends in {ENDING}, or the folder it is in",
        ) from error
    tasks = {name: _result(name, row, told, file) for name, row in results.items() if isinstance(row, Mapping)}
    model = str(told.get("model_name") or told.get("model_source") or "not named")
    return Measured(file.name, hashlib.sha256(raw).hexdigest(), model, tasks)


def _result(name: str, row: Mapping[str, Any], told: Mapping[str, Any], file: Path) -> Result:
    metrics, unread = dict[str, Metric](), []
    turned = _part(told, "higher_is_better", name)
    for key, value in row.items():
        metric, comma, chosen = key.partition(",")
        if not comma or "_stderr" in metric:
            continue
        shown = metric if chosen in ("", "none") else key
        number = _number(value)
        if number is None:
            unread.append(shown)
            continue
        better = turned.get(metric)
        spread = _number(row.get(f"{metric}_stderr,{chosen}"))
        metrics[shown] = Metric(number, spread, better if isinstance(better, bool) else None)
    counted = _part(told, "n-samples", name)
    samples, of = (int(value) if (value := _number(counted.get(key))) is not None else None
                   for key in ("effective", "original"))  # fmt: skip
    failed = _failures(file.with_name(file.name.removesuffix(ENDING) + f"_samples_{name}.jsonl"))
    return Result(metrics, samples, of, failed, tuple(unread))


def _part(told: Mapping[str, Any], part: str, name: str) -> Mapping[str, Any]:
    whole = told.get(part)
    found = whole.get(name) if isinstance(whole, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None


def _failures(file: Path) -> int | None:
    if not file.is_file():
        return None
    with file.open(encoding="utf-8") as lines:
        return sum(any(text.startswith(FAILED) for text in _texts(json.loads(line))) for line in lines if line.strip())


def _texts(sample: Mapping[str, Any]) -> Iterable[str]:
    waiting: list[Any] = [sample.get("resps"), sample.get("filtered_resps")]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, list):
            waiting += found


def write_record(run_dir: Path, measured: Sequence[Measured]) -> dict[str, Any]:
    """Write ``lmms_eval.json``: task -> the latest result of it, with the file it is from. What an earlier record has
    of other tasks stays.

    Raises:
        ArtifactError: there is nothing to record, or the record that is there is damaged.
    """
    path = run_dir / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        tasks = dict(record.get("tasks", {}))
    except (ValueError, AttributeError, TypeError) as error:
        raise ArtifactError(
            f"damaged: {error}", where=str(path), remedy="remove it and read the results anew"
        ) from error
    new = {name: {"model": one.model, "file": one.file, "sha256": one.sha256, **asdict(result)}
           for one in measured for name, result in one.tasks.items()}  # fmt: skip
    if not new:
        raise ArtifactError("no result of lmms-eval to record", where=str(run_dir), remedy="look at what it said")
    made = {"harness": "lmms-eval", "tasks": dict(sorted({**tasks, **new}.items()))}
    write_atomically(path, json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return made


def show(record: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """The record as Markdown, under the run's own utility."""
    own = summary.get("utility_parts") or {}
    lines = ["| measured by | task | figure | value | ± standard error | samples | failed requests |",
             "|-|-|-|-:|-:|-:|-:|"]  # fmt: skip
    for name, score in {**own, "utility": summary.get("utility")}.items():
        if score:
            lines.append(
                f"| RESA | {name} | score, 0-100 | {figure(as_score(score, name))} | | {score.get('n', '')} | |"
            )
    for name, told in record["tasks"].items():
        samples = "" if told["samples"] is None else f"{told['samples']} of {told['of']}"
        failed = "not kept" if told["failed"] is None else told["failed"]
        for metric, found in told["metrics"].items():
            shown = metric + (" (lower is better)" if found["higher_is_better"] is False else "")
            spread = "" if found["stderr"] is None else f"{found['stderr']:.4g}"
            lines.append(f"| lmms-eval | {name} | {shown} | {found['value']:.4g} | {spread} | {samples} | {failed} |")
        lines += [
            f"| lmms-eval | {name} | {metric} | no number | | {samples} | {failed} |" for metric in told["unread"]
        ]
    notes = [f"{name}: {told['failed']} answers are failed requests, and were scored all the same"
             for name, told in record["tasks"].items() if told["failed"]]  # fmt: skip
    notes.append("lmms-eval asks and reads in its own ways: its figures stand beside ours and enter none of them.")
    return "\n".join([*lines, "", *notes])
