"""Prompts with both models' answers, for a reader who wants to see what the figures mean.

They are chosen by a hash of their ids, never by how they were answered: the same ones in every run.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.report.names import aspect_of, task_title
from eval.report.summary import BASE_PREFIX
from resa.artifacts import Artifact, read_jsonl

PER_TASK, MOST = 2, 48
LONGEST = 1200
"""Characters of a prompt, thought or answer that the page shows; the log has the rest."""
THUMBNAIL = 168


@dataclass(frozen=True)
class Answer:
    """What one model said: ``verdicts`` as text (``harmful (answer): 1``)."""

    model: str
    thought: str | None
    answer: str
    status: str
    tokens: int
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A prompt and the answers to it. ``images`` are data URIs, or empty where they are not embedded; then
    ``image_names`` are shown."""

    sample_id: str
    task: str
    title: str
    prompt: str
    images: tuple[str, ...]
    image_names: tuple[str, ...]
    answers: tuple[Answer, ...]


def choose(stages: Mapping[str, Artifact], method: str, *, embed_images: bool) -> list[Example]:
    """Up to :data:`PER_TASK` items a task, base and method side by side.

    Args:
        stages: artifacts by name; ``responses``, ``judgements`` and the same with ``base_`` are read where they are.
        method: the evaluated method's name.
        embed_images: put small copies of the images into the page. Only for images that may be passed on: the
            benchmark's release forbids it, the mini world is ours.
    """
    if "responses" not in stages:
        return []
    samples = _chosen(stages["responses"].path)
    wanted = {sample["id"] for sample in samples}
    told = [("base", BASE_PREFIX), (method, "")] if f"{BASE_PREFIX}responses" in stages else [(method, "")]
    answers = [_answers(name, stages, prefix, wanted) for name, prefix in told]
    return [
        _example(sample, tuple(known[sample["id"]] for known in answers if sample["id"] in known), embed_images)
        for sample in samples
    ]


def _chosen(folder: Path) -> list[dict[str, Any]]:
    """The samples shown, in the benchmark's order of tasks."""
    by_task: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for sample in read_jsonl(folder / "samples.jsonl"):
        ranked = by_task.setdefault(sample["task"], [])
        ranked.append((hashlib.sha256(sample["id"].encode()).hexdigest(), sample))
        ranked.sort(key=lambda pair: pair[0])
        del ranked[PER_TASK:]
    aspects = "TSRFP"
    order = sorted(by_task, key=lambda task: (aspects.index(a) if (a := aspect_of(task)) else len(aspects), task))
    return [sample for task in order for _, sample in by_task[task]][:MOST]


def _answers(name: str, stages: Mapping[str, Artifact], prefix: str, wanted: set[str]) -> dict[str, Answer]:
    verdicts: dict[str, list[str]] = {}
    if f"{prefix}judgements" in stages:
        for row in _rows(stages[f"{prefix}judgements"].path / "judgements.jsonl", wanted):
            value = row["status"] if row["value"] is None else f"{row['value']:g}"
            verdicts.setdefault(row["sample_id"], []).append(f"{row['measure']} of {row['part']}: {value}")
    return {
        row["sample_id"]: Answer(
            name,
            None if row["thought"] is None else shorten(row["thought"]),
            shorten(row["answer"] or row["error"] or ""),
            row["status"],
            row["tokens_out"],
            tuple(verdicts.get(row["sample_id"], ())),
        )
        for row in _rows(stages[f"{prefix}responses"].path / "responses.jsonl", wanted)
    }


def _rows(path: Path, wanted: set[str]) -> Iterator[dict[str, Any]]:
    return (row for row in read_jsonl(path) if row["sample_id"] in wanted)


def _example(sample: Mapping[str, Any], answers: tuple[Answer, ...], embed_images: bool) -> Example:
    paths = [image for turn in sample["turns"] for image in turn.get("images", ())]
    prompt = "\n\n".join(
        turn["text"] if turn["role"] == "user" else f"[{turn['role']}] {turn['text']}" for turn in sample["turns"]
    )
    shown = tuple(thumbnail(Path(path)) for path in paths) if embed_images else ()
    names = tuple(Path(path).name for path in paths)
    found = tuple(image for image in shown if image)
    return Example(sample["id"], sample["task"], task_title(sample["task"]), shorten(prompt), found, names, answers)


def shorten(text: str) -> str:
    """The text, cut where it is too long for a page, and then saying so."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … [{len(text) - LONGEST:,} more characters]"


def thumbnail(path: Path) -> str | None:
    """A small copy of an image as a data URI; None where it cannot be read any more (its name is shown then)."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            stream = io.BytesIO()
            small.save(stream, "PNG", optimize=True)
    except OSError:
        return None
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
