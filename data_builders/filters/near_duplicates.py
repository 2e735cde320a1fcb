"""Prompts that are nearly the same: of those with most of their runs of words in common, the first is learnt from.

Rows are compared only where a reader would call them the same exercise: the same images (by content), the same
history, the same behaviour to learn (refuse or serve: the label, or the answer where there is none), and for
preference pairs the same two answers. So a question about another picture is no duplicate, nor is the benign twin of a
harmful prompt, however few words tell the two apart.

MinHash over word shingles with banded LSH (Broder, 1997; Leskovec et al., Mining of Massive Datasets, chapter 3), from
the library rensa. Similarity is an estimate: over 128 hashes its standard deviation at 0.8 is 0.035.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from data_builders.filters.base import Check, Place, Plain, Surroundings
from data_builders.filters.words import prompt_key, words_of
from data_builders.refusals import refuses
from data_builders.rows import Row
from resa.errors import ConfigError

EDGE = ""
"""Stands before the first and behind the last word, so that each word is in the same number of shingles."""


@dataclass(frozen=True)
class NearDuplicateFilter(Plain):
    """About one kilobyte is remembered of each row that stays and is long enough to be compared.

    Attributes:
        threshold: share of shingles in common (Jaccard) from which two prompts are nearly the same.
        shingle: words in a shingle. With 5 and a threshold of 0.8, prompts that differ in one word stay apart up to
            some forty words.
        min_words: shorter prompts are left to the filter ``duplicates``: in them each word counts.
        permutations, bands: of the sketch and its index; ``bands`` divides ``permutations``.
        seed: of the hashes.
    """

    each_candidate: ClassVar[bool] = False
    place: ClassVar[Place | None] = Place.REPEATS

    name: str = "near_duplicates"
    threshold: float = 0.8
    shingle: int = 5
    min_words: int = 20
    permutations: int = 128
    bands: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        where = f"filters.{self.name}"
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold must be above 0 and at most 1, not {self.threshold}", where=where)
        if self.shingle < 1 or self.min_words < 1:
            raise ConfigError("shingle and min_words must be at least 1", where=where)
        if self.bands < 1 or self.permutations < 1 or self.permutations % self.bands:
            raise ConfigError(f"{self.bands} bands do not divide {self.permutations} permutations", where=where)

    def open(self, surroundings: Surroundings) -> Check:
        from rensa import RMinHash, RMinHashDeduplicator  # type: ignore[import-untyped, unused-ignore]

        index = RMinHashDeduplicator(
            threshold=self.threshold,
            num_perm=self.permutations,
            use_lsh=True,
            num_bands=self.bands,
            seed=self.seed,
        )

        def check(row: Row) -> str | None:
            words = words_of(row.instruction)
            if len(words) < self.min_words:
                return None
            sketch = RMinHash(num_perm=self.permutations, seed=self.seed)
            sketch.update(list(self._shingles(words, _exercise(row))))
            if index.add(row.id, sketch):
                return None
            alike = index.get_duplicates(sketch)
            return f"near-duplicate prompt: resembles {min(alike)}" if alike else None

        return check

    def _shingles(self, words: list[str], exercise: str) -> Iterator[str]:
        """The shingles of an instruction, which are shared by rows of the same exercise alone."""
        edge = [EDGE] * (self.shingle - 1)
        padded = [*edge, *words, *edge]
        for start in range(len(padded) - self.shingle + 1):
            yield exercise + " ".join(padded[start : start + self.shingle])


def _exercise(row: Row) -> str:
    """What must be the same for two rows to be compared, as a digest."""
    behaviour = row.label or ("harmful" if refuses(row.answer) else "benign")
    history = [f"{turn.role}:{prompt_key(turn.text)}" for turn in row.prompt[:-1]]
    pair = () if row.rejected is None else (row.completion, row.rejected)
    return hashlib.blake2b(repr((behaviour, row.image_hashes, history, pair)).encode(), digest_size=8).hexdigest()
