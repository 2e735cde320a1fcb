"""The rows as a ``datasets`` folder that TRL loads without this package.

Columns: ``prompt`` and ``completion`` (conversational), ``images`` (a list, [] for text alone), and the row's other
fields. Preference pairs have ``chosen`` and ``rejected`` instead of ``completion``, as DPOTrainer takes them; where
only some rows are pairs, ``rejected`` stands beside ``completion`` and is [] for the others. Their label is in the
column ``request``, because TRL takes a column ``label`` for unpaired preferences and refuses the row.

TRL 1.16 puts a row's images before its first user turn; where an image belongs to another turn anywhere in the
dataset, contents are written as lists of parts with image placeholders instead of plain text
(trl/data_utils.py, prepare_multimodal_messages). Pixels are embedded, so the folder travels.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from resa.artifacts import file_digest, read_jsonl

HF = "hf"
FIELDS = ("id", "part", "source", "label", "category", "subcategory", "thought", "answer")
REQUEST = "request"
BATCH = 1000


def hf_row(row: Mapping[str, Any], structured: bool, pairs: str = "none") -> dict[str, Any]:
    """A row of ``rows.jsonl`` in TRL's form; ``pairs`` as in :class:`data_builders.recipe.Recipe`."""

    def content(text: str, images: int) -> Any:
        if not structured:
            return text
        return [*({"type": "image", "text": None} for _ in range(images)), {"type": "text", "text": text}]

    def said(text: str | None) -> list[dict[str, Any]]:
        return [] if text is None else [{"role": "assistant", "content": content(text, 0)}]

    answers = {"chosen" if pairs == "all" else "completion": said(row["completion"])}
    if pairs != "none":
        answers["rejected"] = said(row.get("rejected"))
    return {
        "prompt": [{"role": t["role"], "content": content(t["text"], len(t["images"]))} for t in row["prompt"]],
        **answers,
        "images": [{"path": image, "bytes": None} for image in row["images"]],
        **{REQUEST if pairs != "none" and name == "label" else name: row[name] for name in FIELDS},
    }


def write_hf(folder: Path, structured: bool, pairs: str = "none") -> None:
    """Write ``folder/hf`` from ``folder/rows.jsonl``. The same rows give the same bytes."""
    import pyarrow  # type: ignore[import-untyped]
    from datasets import Dataset, DatasetInfo, Features, Image, List, Value, disable_progress_bars, enable_progress_bars
    from datasets.arrow_writer import ArrowWriter
    from datasets.table import MemoryMappedTable
    from datasets.utils import are_progress_bars_disabled

    text = Value("string")
    content = List({"type": text, "text": text}) if structured else text
    turns = List({"role": text, "content": content})
    answers = {"none": ("completion",), "all": ("chosen", "rejected"), "some": ("completion", "rejected")}[pairs]
    known = dict.fromkeys((REQUEST if pairs != "none" and name == "label" else name for name in FIELDS), text)
    features = Features({"prompt": turns, **dict.fromkeys(answers, turns), "images": List(Image()), **known})
    spool, out = folder / ".hf.arrow", folder / HF
    shutil.rmtree(out, ignore_errors=True)
    # Not Dataset.from_generator: it names the rows by a random fingerprint, and loads what streaming needs.
    with ArrowWriter(features=features, path=str(spool)) as writer:
        rows = (hf_row(row, structured, pairs) for row in read_jsonl(folder / "rows.jsonl"))
        while batch := list(islice(rows, BATCH)):  # as tables: writing examples one by one copies each value thrice
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=features.arrow_schema))
        writer.finalize()
    fingerprint = file_digest(folder / "rows.jsonl")[:16]
    made = Dataset(
        MemoryMappedTable.from_file(str(spool)), info=DatasetInfo(features=features), fingerprint=fingerprint
    )
    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        made.save_to_disk(str(out))
    finally:
        if shown:
            enable_progress_bars()
        spool.unlink()
