"""The files of evaluation sets, read whatever their layout: every text and every image that they hold.

Texts: each one in a JSON, JSON Lines, CSV, TSV or Parquet file, each line of a text file. Images: image files, and
those inside the data files, as bytes (Parquet) or base64 (TSV, JSON). So a set that no reader knows yet is respected
too; files of any other kind are counted by :func:`unread`.
"""

from __future__ import annotations

import base64
import binascii
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from resa.errors import DataError

DATA = frozenset({".json", ".jsonl", ".csv", ".tsv", ".txt", ".parquet"})
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
BYTES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
BASE64 = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
"""How PNG, JPEG, GIF and WebP files begin, and how they begin in base64."""
Against = Mapping[str, Sequence[str]]
"""Name of a root -> patterns of its files that belong to an evaluation."""


def files_of(against: Against, roots: Mapping[str, str]) -> Iterator[Path]:
    """The files of every root that is set (which may be one file itself) that match a pattern, in order."""
    for name, patterns in against.items():
        if name not in roots:
            continue
        root = Path(roots[name])
        if root.is_file():
            yield root
        yield from (file for file in sorted({f for p in patterns for f in root.glob(p)}) if file.is_file())


def unread(against: Against, roots: Mapping[str, str]) -> Counter[str]:
    """How many files are of a kind that is not read, by suffix."""
    suffixes = (file.suffix.lower() or "no suffix" for file in files_of(against, roots))
    return Counter(suffix for suffix in suffixes if suffix not in DATA | IMAGES)


def notes_of(name: str, against: Against, roots: Mapping[str, str]) -> list[str]:
    """What a filter ``name`` must say of the evaluation sets that it could not, or not wholly, compare with."""
    notes = [
        f"{name}: not compared with {root}, because paths.{root} is not set" for root in against if root not in roots
    ]
    for root in against:
        others = unread({root: against[root]}, roots)
        if others:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
            notes.append(f"{name}: {others.total()} files of {root} are of kinds that are not read: {kinds}")
    return notes


def contents_of(file: Path) -> Iterator[str | bytes]:
    """Every text (of two words at least) and every image inside a data file.

    Raises:
        DataError: it cannot be read.
    """
    import pyarrow  # type: ignore[import-untyped]

    try:
        for value in _values(file):
            yield from _leaves(value)
    except (OSError, ValueError, csv.Error, pyarrow.ArrowException) as error:
        raise DataError(
            f"an evaluation file cannot be read, so overlap with it cannot be ruled out: {error}",
            where=str(file),
            remedy="copy it again, or leave it out of the filter's against",
        ) from error


def _values(file: Path) -> Iterator[Any]:
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=32):
                yield batch.to_pylist()
        return
    csv.field_size_limit(sys.maxsize)  # base64 images in TSV files
    with file.open(encoding="utf-8-sig", newline="") as stream:
        if suffix in (".csv", ".tsv"):
            yield from csv.reader(stream, delimiter="\t" if suffix == ".tsv" else ",")
            return
        if suffix == ".txt":
            yield from (line.strip() for line in stream)
            return
        text = stream.read()
    try:
        yield json.loads(text)
    except ValueError:  # JSON Lines, which some official files are in spite of their suffix
        yield from (json.loads(line) for line in text.splitlines() if line.strip())


def _leaves(value: Any) -> Iterator[str | bytes]:
    if isinstance(value, str):
        image = _decoded(value)
        if image or " " in value:
            yield image or value
    elif isinstance(value, bytes):
        if value.startswith(BYTES):
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)


def _decoded(text: str) -> bytes | None:
    """The image that a text is in base64, with or without ``data:image/...;base64,`` before it."""
    if text.startswith("data:image/"):
        text = text.partition(",")[2]
    if not text.startswith(BASE64):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
