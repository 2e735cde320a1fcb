"""The data card: what is in a dataset, where it comes from, under which terms, and what was kept out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_builders.recipe import Recipe
from resa.artifacts import write_atomically

CARD = "README.md"
FILES = """Files: `rows.jsonl` (one row a line, images as paths); `hf/` (`datasets.load_from_disk`; prompt, completion
and images as TRL's SFTTrainer takes them, pixels embedded); `parquet/` (the same as Parquet). Only a row's completion
is to be trained on: a dialogue is one row for each assistant turn, with what came before it as prompt."""
PAIRS = """Files: `rows.jsonl` (one preference pair a line: `completion` is the chosen answer; images as paths); `hf/`
(`datasets.load_from_disk`; prompt, chosen, rejected and images as TRL's DPOTrainer takes them, pixels embedded);
`parquet/` (the same as Parquet)."""
HEAD = """---
configs:
- config_name: default
  data_files: parquet/*.parquet
---"""
"""What tells ``datasets.load_dataset(FOLDER)`` which of the files to read."""
BAR = 40
"""Characters of a histogram's longest bar."""


def write_card(folder: Path, recipe: Recipe, contents: Mapping[str, Any]) -> None:
    """Write the card (Markdown) into the dataset's folder."""
    write_atomically(folder / CARD, card(recipe, contents))


def card(recipe: Recipe, contents: Mapping[str, Any]) -> str:
    """The card's text; the same contents give the same text."""
    sections = [
        f"{HEAD}\n# Dataset `{recipe.name}`",
        *_terms(contents["sources"]),
        f"{contents['rows']} rows, SHA-256 of `rows.jsonl`: `{contents['sha256']}`. Seed {recipe.seed}.",
        f"Completions {'with' if recipe.thoughts else 'without'} thoughts; answers {recipe.answers}.",
        PAIRS if recipe.pairs == "all" else FILES,
        "## Sources",
        _sources(contents["sources"]),
        "## Rows",
        _table("part", "rows", contents["by_part"]),
        _table("label", "rows", contents["by_label"]),
        _crossed("category", contents["by_category_and_label"]),
        _table("images in a row", "rows", contents["images_a_row"]),
        _table("user turns in a row", "rows", contents["user_turns_a_row"]),
        "## Lengths in words",
        _histogram("thought", contents["thought_words"]) if contents["thought_words"] else "No thoughts.",
        _histogram("answer", contents["answer_words"]),
        "## Teacher",
        _teacher(contents["teacher"]) if contents["teacher"] else "None.",
        "## What was kept out",
        _funnel(contents["funnel"]),
        *(f"- {note}" for note in contents["notes"]),
        "Ten examples of what each step kept out are in `manifest.json`, under `contents.funnel`.",
    ]
    return "\n\n".join(sections) + "\n"


def _terms(sources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What must be known before the data is passed on, for the top of the card; nothing where nothing is."""
    named = {
        "**GATED**: access to the source must be asked for": [s["title"] for s in sources.values() if s["gated"]],
        "**NON-COMMERCIAL**: its licence forbids commercial use": [
            s["title"] for s in sources.values() if s["non_commercial"]
        ],
    }
    lines = [f"> {words}: {', '.join(titles)}." for words, titles in named.items() if titles]
    return ["\n>\n".join(lines)] if lines else []


def _sources(sources: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    for name, source in sources.items():
        flags = [words for key, words in (("gated", "GATED"), ("non_commercial", "NON-COMMERCIAL")) if source[key]]
        lines.append(
            f"- **{source['title']}** (`{name}`){' ' + ', '.join(flags) if flags else ''}. "
            f"Licence: {source['licence']}. {source['citation']}. {source['url']}".rstrip()
        )
    return "\n".join(lines)


def _table(left: str, right: str, values: Mapping[str, Any]) -> str:
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
    return "\n".join([f"| {left} | {right} |", "|---|---|", *rows])


def _crossed(left: str, values: Mapping[str, Mapping[str, int]]) -> str:
    labels = sorted({label for counts in values.values() for label in counts})
    rows = [f"| {_cell(name)} | {' | '.join(str(counts.get(label, 0)) for label in labels)} |"
            for name, counts in values.items()]  # fmt: skip
    return "\n".join([f"| {left} | {' | '.join(labels)} |", "|---" * (len(labels) + 1) + "|", *rows])


def _histogram(left: str, values: Mapping[str, int]) -> str:
    most, total = max(values.values()), sum(values.values())
    rows = [
        f"| {name} | {count} | {100 * count / total:.1f} % | `{'#' * round(BAR * count / most)}` |"
        for name, count in values.items()
    ]
    return "\n".join([f"| {left} | rows | share | |", "|---|---|---|---|", *rows])


def _teacher(identity: Mapping[str, Any]) -> str:
    """What shapes a teacher; its prompt and policies are named by the SHA-256 of their files."""
    hashed = re.compile("[0-9a-f]{64}")
    named = {f"{name} (SHA-256)" if hashed.fullmatch(str(value)) else name: value for name, value in identity.items()}
    return _table("what shapes it", "value", named)


def _funnel(steps: list[Mapping[str, Any]]) -> str:
    rows = ["| step | in | out | kept out, by reason |", "|---|---|---|---|"]
    for step in steps:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in step["dropped"].items())
        rows.append(f"| {_cell(step['step'])} | {step['in']} | {step['out']} | {_cell(reasons)} |")
    return "\n".join(rows)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
