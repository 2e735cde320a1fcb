"""Overlap with the evaluation sets: their images, their prompts, and runs of 13 words from them.

The evaluation sets are read as files, whatever their layout: every text in a JSON, JSON Lines, CSV or TSV file counts
as a prompt, every image file by its content. So a set that no reader knows yet is respected too.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from data_builders.filters.base import Check, Place, Surroundings
from data_builders.filters.words import grams, prompt_key, words_of
from data_builders.rows import Row
from resa.errors import ConfigError, DataError

TEXTS = frozenset({".json", ".jsonl", ".csv", ".tsv"})
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


@dataclass(frozen=True)
class OverlapFilter:
    """Attributes:
    against: name of a root -> patterns of its files that belong to an evaluation.
    gram: words in a run that must not be shared; None: runs are not compared.
    min_words: prompts shorter than this are nobody's ("Describe the image.") and not compared whole; a row with
        images is known by these, and its words are compared in runs alone.
    """

    each_candidate: ClassVar[bool] = False
    place: ClassVar[Place | None] = Place.EVALUATION

    name: str = "overlap"
    against: Mapping[str, Sequence[str]] = field(default_factory=dict)
    gram: int | None = 13
    min_words: int = 4

    def __post_init__(self) -> None:
        if self.gram is not None and self.gram < 3:
            raise ConfigError(f"gram must be at least 3 words, not {self.gram}", where="filters.overlap.gram")

    def needs(self) -> tuple[str, ...]:
        return tuple(self.against)

    def notes(self, surroundings: Surroundings) -> list[str]:
        absent = [name for name in self.against if name not in surroundings.roots]
        return [f"overlap: not compared with {name}, because paths.{name} is not set" for name in absent]

    def open(self, surroundings: Surroundings) -> Check:
        known = Known(self, surroundings.roots)

        def check(row: Row) -> str | None:
            for image, found in zip(row.images, row.image_hashes, strict=True):
                if known.image(Path(image), found):
                    return f"evaluation image: {image}"
            prompt = "\n".join(turn.text for turn in row.prompt if turn.role == "user")
            whole = prompt_key(row.instruction)
            if not row.images and len(whole.split()) >= self.min_words and _key(whole) in known.prompts:
                return f"evaluation prompt: {row.instruction[:80]}"
            if self.gram and any(gram in known.grams for gram in grams(prompt, self.gram)):
                return f"{self.gram} words in a row from an evaluation: {prompt[:80]}"
            return None

        return check


class Known:
    """What the evaluation sets hold, as fingerprints. Images are hashed only where their size in bytes is that of a
    training image: two files of different size are different, and a release has tens of thousands."""

    def __init__(self, config: OverlapFilter, roots: Mapping[str, str]) -> None:
        self.config = config
        self.prompts: set[int] = set()
        self.grams: set[int] = set()
        self.by_size: dict[int, list[Path]] = defaultdict(list)
        self._hashes: dict[int, set[str]] = {}
        for name, patterns in config.against.items():
            if name in roots:
                for file in files_of(Path(roots[name]), patterns):
                    self._take(file)

    def _take(self, file: Path) -> None:
        suffix = file.suffix.lower()
        if suffix in IMAGES:
            self.by_size[file.stat().st_size].append(file)
        elif suffix in TEXTS:
            for text in texts_of(file):
                if len(words_of(text)) >= self.config.min_words:
                    self.prompts.add(_key(prompt_key(text)))
                    self.grams.update(grams(text, self.config.gram) if self.config.gram else ())

    def image(self, file: Path, found: str) -> bool:
        """Whether an evaluation set has an image of this content."""
        size = file.stat().st_size
        if size not in self._hashes:
            same = self.by_size.get(size, ())
            self._hashes[size] = {hashlib.sha256(other.read_bytes()).hexdigest() for other in same}
        return found in self._hashes[size]


def files_of(root: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """The files of a root (which may be one file itself) that match a pattern, in order."""
    if root.is_file():
        yield root
    for file in sorted({file for pattern in patterns for file in root.glob(pattern)}):
        if file.is_file():
            yield file


def texts_of(file: Path) -> Iterator[str]:
    """Every text in a data file.

    Raises:
        DataError: it cannot be read.
    """
    csv.field_size_limit(sys.maxsize)  # base64 images in TSV files
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            if file.suffix.lower() in (".csv", ".tsv"):
                for cells in csv.reader(stream, delimiter="\t" if file.suffix.lower() == ".tsv" else ","):
                    yield from (cell for cell in cells if " " in cell)
                return
            text = stream.read()
        try:
            yield from _leaves(json.loads(text))
        except ValueError:  # JSON Lines, which some official files are in spite of their suffix
            for line in text.splitlines():
                if line.strip():
                    yield from _leaves(json.loads(line))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(
            f"an evaluation file cannot be read, so overlap with it cannot be ruled out: {error}",
            where=str(file),
            remedy="copy it again, or leave it out of filters.overlap.against",
        ) from error


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if " " in value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
