"""Overlap with the evaluation sets: their images, their prompts, and runs of 13 words from them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from data_builders.filters.base import Check, Place, Surroundings
from data_builders.filters.evaluation import DATA, IMAGES, Against, contents_of, files_of, notes_of
from data_builders.filters.words import grams, prompt_key, words_of
from data_builders.rows import Row
from resa.errors import ConfigError


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
    against: Against = field(default_factory=dict)
    gram: int | None = 13
    min_words: int = 4

    def __post_init__(self) -> None:
        if self.gram is not None and self.gram < 3:
            raise ConfigError(f"gram must be at least 3 words, not {self.gram}", where="filters.overlap.gram")

    def needs(self) -> tuple[str, ...]:
        return tuple(self.against)

    def notes(self, surroundings: Surroundings) -> list[str]:
        return notes_of(self.name, self.against, surroundings.roots)

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
    """What the evaluation sets hold, as fingerprints. Image files are hashed only where their size in bytes is that of
    a training image: two files of different size are different, and a release has tens of thousands."""

    def __init__(self, config: OverlapFilter, roots: Mapping[str, str]) -> None:
        self.config = config
        self.prompts: set[int] = set()
        self.grams: set[int] = set()
        self.inside: set[str] = set()
        self.by_size: dict[int, list[Path]] = defaultdict(list)
        self._hashes: dict[int, set[str]] = {}
        for file in files_of(config.against, roots):
            suffix = file.suffix.lower()
            if suffix in IMAGES:
                self.by_size[file.stat().st_size].append(file)
            elif suffix in DATA:
                for content in contents_of(file):
                    self._take(content)

    def _take(self, content: str | bytes) -> None:
        if isinstance(content, bytes):
            self.inside.add(hashlib.sha256(content).hexdigest())
        elif len(words_of(content)) >= self.config.min_words:
            self.prompts.add(_key(prompt_key(content)))
            self.grams.update(grams(content, self.config.gram) if self.config.gram else ())

    def image(self, file: Path, found: str) -> bool:
        """Whether an evaluation set has an image of this content."""
        if found in self.inside:
            return True
        size = file.stat().st_size if self.by_size else -1
        if size not in self._hashes:
            same = self.by_size.get(size, ())
            self._hashes[size] = {hashlib.sha256(other.read_bytes()).hexdigest() for other in same}
        return found in self._hashes[size]


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
