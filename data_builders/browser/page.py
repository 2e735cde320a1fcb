"""The page: one file that loads nothing. Whatever a row says is data in it, never markup.

Rows lie in a JSON block whose every ``<`` is escaped; the script builds text nodes from it. The page's own policy
(Content-Security-Policy) lets run that one script, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from data_builders.browser.pictures import Album
from data_builders.browser.sampling import MOST, choose
from data_builders.finished import Dataset
from resa.artifacts import write_atomically
from resa.reasoning import parse
from resa.run_folder import shown

PAGE = "dataset.html"
"""Its name in a run folder."""
TEMPLATE, STYLE, SCRIPT = "page.html.jinja", "page.css", "page.js"


@dataclass(frozen=True)
class Page:
    """A written page. ``shown`` of ``total`` rows are in it."""

    path: Path
    shown: int
    total: int

    @property
    def said(self) -> str:
        return f"{self.shown:,} of {self.total:,} rows shown"


def write_page(dataset: Dataset, out: Path, most: int = MOST, *, embed: bool = True) -> Page:
    """Write a dataset's page; the same rows and images give the same bytes.

    Args:
        dataset: what to show. out: the file. most: rows at most.
        embed: put small copies of the images in; else their names.

    Raises:
        DataError: a damaged row. ArtifactError: it cannot be written.
    """
    numbers, total = choose(dataset.rows(), most)
    album = Album(embed)
    rows = [entry(row, album) for row in dataset.rows(only=set(numbers))]
    page = Page(out, len(rows), total)
    write_atomically(out, render(dataset, page, rows, album))
    return page


def entry(row: Mapping[str, Any], album: Album) -> dict[str, Any]:
    """A row as the page's script reads it. Images are numbers into the album."""
    rejected = parse(row["rejected"]) if row.get("rejected") is not None else None
    return {
        "id": row["id"],
        "part": row.get("part") or "none",
        "source": row.get("source") or "none",
        "label": row.get("label") or "unknown",
        "category": " / ".join(name for name in (row.get("category"), row.get("subcategory")) if name) or "none",
        "turns": [
            {"role": turn["role"], "text": turn["text"], "images": [album.place(path) for path in turn["images"]]}
            for turn in row["prompt"]
        ],
        "thought": row.get("thought"),
        "answer": row.get("answer", row["completion"]),
        "rejected": None if rejected is None else {"thought": rejected.thought, "answer": rejected.answer},
    }


def render(dataset: Dataset, page: Page, rows: list[dict[str, Any]], album: Album) -> str:
    """The page's text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("data_builders.browser", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    files = resources.files("data_builders.browser")
    style, script = ((files / name).read_text(encoding="utf-8").strip() for name in (STYLE, SCRIPT))
    contents = dataset.contents
    return environment.get_template(TEMPLATE).render(
        name=dataset.name,
        page=page,
        sha256=contents.get("sha256", ""),
        style=Markup(style),
        script=Markup(script),
        style_hash=_source_hash(style),
        script_hash=_source_hash(script),
        data={"rows": rows, "images": album.entries, "embedded": album.embed, "total": page.total},
        sources=contents.get("sources") or {},
        funnel=contents.get("funnel") or [],
        notes=contents.get("notes") or [],
        folder=shown(dataset.path),
    )


def _source_hash(text: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
